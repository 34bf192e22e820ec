"""Entities: teams, the users' own ones among them, and organizations. Both are found by name alone."""

from __future__ import annotations

from typing import Any

from ariadne import ObjectType, QueryType
from django.db.models import OuterRef, Prefetch, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from graphql import GraphQLResolveInfo

from projects import access
from projects.access import Permission
from projects.api.roles import role_in_team, teams_with_roles
from projects.models import Blob, Organization, OrganizationMember, Role, Team, TeamMember, User
from wandb_gateway import homes, ids, roles
from wandb_gateway.features import ORGANIZATION_FEATURES

query = QueryType()
entity = ObjectType("Entity")
organization = ObjectType("Organization")
member = ObjectType("Member")

Entity = Team | Organization
Membership = TeamMember | OrganizationMember


@query.field("entity")
def entity_named(_root: None, info: GraphQLResolveInfo, name: str | None = None) -> Entity | None:
    user: User = info.context.user
    return homes.or_none(lambda: access.entity_for(user, name or user.username))


@query.field("organization")
def organization_named(_root: None, info: GraphQLResolveInfo, name: str) -> Organization | None:
    found = homes.or_none(lambda: access.entity_for(info.context.user, name))
    return found if isinstance(found, Organization) else None


@entity.field("id")
def entity_id(found: Entity, _info: GraphQLResolveInfo) -> str:
    return ids.of_entity(found)


@entity.field("entityType")
def entity_type(found: Entity, _info: GraphQLResolveInfo) -> str:
    """Personal teams are teams as well: automations have them as their scope."""
    return "organization" if isinstance(found, Organization) else "team"


@entity.field("isTeam")
def is_team(found: Entity, _info: GraphQLResolveInfo) -> bool:
    return isinstance(found, Team) and not found.is_personal


def teams_shown_to(user: User) -> QuerySet[Team]:
    """The teams the user may see, with all that the client reads of each."""
    members = TeamMember.objects.select_related("user").order_by("user__username")
    stored = Blob.objects.filter(team=OuterRef("pk")).order_by().values("team")
    return (
        teams_with_roles(user)
        .annotate(stored=Coalesce(Subquery(stored.annotate(total=Sum("size")).values("total")), 0))
        .prefetch_related(Prefetch("memberships", queryset=members, to_attr="shown_members"))
    )


@entity.field("readOnly")
def read_only(found: Entity, info: GraphQLResolveInfo) -> bool:
    if isinstance(found, Team) and hasattr(found, "shown_members"):
        return role_in_team(found, info.context.user) == Role.VIEW_ONLY
    if isinstance(found, Team):
        return not access.may(info.context.user, Permission.LOG, found)
    return access.role_in_organization(info.context.user, found) in {None, Role.VIEW_ONLY}


@entity.field("storageBytes")
def storage_bytes(found: Entity, _info: GraphQLResolveInfo) -> int:
    if hasattr(found, "stored"):
        return int(found.stored)
    stored = Blob.objects.filter(**({"team": found} if isinstance(found, Team) else {"team__organization": found}))
    total: int | None = stored.aggregate(total=Sum("size"))["total"]
    return total or 0


@entity.field("members")
def members(found: Entity, _info: GraphQLResolveInfo) -> list[Membership]:
    shown: list[Membership] | None = getattr(found, "shown_members", None)
    if shown is not None:
        return shown
    return list(found.memberships.select_related("user").order_by("user__username"))


@entity.field("organization")
def organization_of(found: Entity, _info: GraphQLResolveInfo) -> Organization | None:
    return found if isinstance(found, Organization) else found.organization


@entity.field("user")
def owner(found: Entity, _info: GraphQLResolveInfo) -> User | None:
    return found.owner if isinstance(found, Team) else None


# What holds for every entity of this server.
for name, answer in {
    "available": False,
    "readOnlyAdmin": False,
    "privateOnly": True,
    "codeSavingEnabled": True,
    "defaultAccess": "PRIVATE",
    "isPaid": False,
    "limits": "{}",
    "xxhashDigestsEnabled": False,
}.items():
    entity.set_field(name, lambda *_, answer=answer: answer)


@organization.field("id")
def organization_id(found: Organization, _info: GraphQLResolveInfo) -> str:
    return ids.encode("Organization", found.pk)


@organization.field("orgEntity")
def as_entity(found: Organization, _info: GraphQLResolveInfo) -> Organization:
    return found


@organization.field("featureFlags")
def feature_flags(_found: Organization, _info: GraphQLResolveInfo, **_options: Any) -> list[dict[str, Any]]:
    return [{"rampKey": name, "isEnabled": True} for name in ORGANIZATION_FEATURES]


@organization.field("advancedRegistryFeatures")
def advanced_registry_features(_found: Organization, _info: GraphQLResolveInfo) -> dict[str, bool]:
    return {"advancedSearch": False}


@member.field("id")
def member_id(found: Membership, _info: GraphQLResolveInfo) -> str:
    return ids.encode(type(found).__name__, found.pk)


@member.field("admin")
def is_admin(found: Membership, _info: GraphQLResolveInfo) -> bool:
    return found.role == Role.ADMIN


@member.field("role")
def role(found: Membership, _info: GraphQLResolveInfo) -> str:
    return roles.word(found.role)


@member.field("name")
def full_name(found: Membership, _info: GraphQLResolveInfo) -> str:
    return found.user.get_full_name() or found.user.username


@member.field("username")
def username(found: Membership, _info: GraphQLResolveInfo) -> str:
    return found.user.username


@member.field("email")
def email(found: Membership, _info: GraphQLResolveInfo) -> str:
    return found.user.email


member.set_field("pending", lambda *_: False)
member.set_field("accountType", lambda *_: "USER")

BINDABLES = (query, entity, organization, member)
