"""The door to collections, versions and registries, with the same rules as `projects.access`."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import Http404

from projects import access as projects_access
from projects.models import Role, TeamMember
from registries.models import (
    Artifact,
    ArtifactState,
    Collection,
    Membership,
    Registry,
    RegistryMember,
    RegistryTeam,
    Visibility,
)

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser
    from django.db.models import QuerySet

    from projects.models import User

VERSION_NUMBER = re.compile(r"\Av(0|[1-9][0-9]{0,8})\Z")
CONTENT_NAME = re.compile(r"\A[0-9a-f]{20,64}\Z")


class Permission(StrEnum):
    """Things one may do in a registry. The values complete the sentence “You may not …”."""

    LINK = "link versions or change aliases and tags"
    EDIT_AUTOMATIONS = "create, edit or delete automations"
    EDIT_SETTINGS = "change the registry or its members"


NEEDED_ROLE = {
    Permission.LINK: Role.MEMBER,
    Permission.EDIT_AUTOMATIONS: Role.MEMBER,
    Permission.EDIT_SETTINGS: Role.ADMIN,
}


def role_in(user: User | AnonymousUser, registry: Registry) -> Role | None:
    """The highest of the user's roles in the organization, in any of its teams (as member at most) and here, their
    own one and those of their teams.

    In a restricted registry only the last count, for all but admins of the organization.
    """
    if not user.is_authenticated:
        return None
    role = projects_access.role_in_organization(user, registry.organization)
    if role is Role.ADMIN:
        return role
    roles = _roles_here(user, registry)
    if registry.visibility == Visibility.ORGANIZATION:
        roles += [role] if role else []
        in_teams = TeamMember.objects.filter(team__organization=registry.organization, user=user)
        roles += [
            Role.VIEW_ONLY if team_role == Role.VIEW_ONLY else Role.MEMBER
            for team_role in in_teams.values_list("role", flat=True).distinct()
        ]
    return max(roles, key=lambda candidate: candidate.rank, default=None)


def _roles_here(user: User, registry: Registry) -> list[Role]:
    """The user's own role in the registry, and those their teams give them."""
    own = RegistryMember.objects.filter(registry=registry, user=user).values_list("role", flat=True)
    by_teams = RegistryTeam.objects.filter(registry=registry, team__memberships__user=user).values_list(
        "team__memberships__role", "role"
    )
    return [Role(role) for role in own] + [
        Role.VIEW_ONLY if in_team == Role.VIEW_ONLY else Role(here) for in_team, here in by_teams
    ]


def may(user: User | AnonymousUser, permission: Permission, registry: Registry) -> bool:
    """Whether the user may do this in the registry."""
    role = role_in(user, registry)
    return role is not None and role.rank >= NEEDED_ROLE[permission].rank


def may_decide_who_sees(user: User | AnonymousUser, registry: Registry) -> bool:
    """Whether the user may change who sees the registry, and delete it: as an admin of its organization."""
    return projects_access.role_in_organization(user, registry.organization) is Role.ADMIN


def require(user: User | AnonymousUser, permission: Permission, registry: Registry) -> None:
    """Let pass who may do this in the registry.

    Raises:
        Http404: the user may not even see it.
        PermissionDenied: with a sentence for the user.
    """
    role = role_in(user, registry)
    if role is None:
        raise Http404(f"There is no registry “{registry.name}”.")
    if role.rank < NEEDED_ROLE[permission].rank:
        raise PermissionDenied(
            f"You may not {permission} in {registry}: your role there is {role.label.lower()}."
            " Ask an admin of the registry or of its organization."
        )


def require_labels(user: User | AnonymousUser, collection: Collection) -> None:
    """Let pass who may add versions, aliases and tags in the collection, wherever it is.

    Raises:
        Http404, PermissionDenied: as `require`.
    """
    if collection.registry is not None:
        require(user, Permission.LINK, collection.registry)
    else:
        assert collection.project is not None  # the check constraint says so
        projects_access.require(user, projects_access.Permission.LOG, collection.project.team)


def registry_for(user: User | AnonymousUser, organization: str, name: str) -> Registry:
    """The registry of this name in the organization.

    Raises:
        Http404: there is none the user may see.
    """
    found = (
        Registry.objects.visible_to(user)
        .select_related("organization")
        .filter(organization__name=organization, name=name)
        .first()
    )
    if found is None:
        raise Http404(f"There is no registry “{organization}/{name}”.")
    return found


def collection_for(
    user: User | AnonymousUser,
    name: str,
    *,
    project: tuple[str, str] | None = None,
    registry: tuple[str, str] | None = None,
) -> Collection:
    """The collection of this name in a (team, project) or an (organization, registry).

    Raises:
        Http404: there is none the user may see.
    """
    collections = Collection.objects.visible_to(user).select_related(
        "project__team__organization", "registry__organization"
    )
    if project is not None:
        collections = collections.filter(project__team__name=project[0], project__name=project[1])
    elif registry is not None:
        collections = collections.filter(registry__organization__name=registry[0], registry__name=registry[1])
    found = collections.filter(name=name).first()
    if found is None:
        container = "/".join(project or registry or ())
        raise Http404(f"There is no collection “{name}” in {container}.")
    return found


def memberships_of(collection: Collection) -> QuerySet[Membership]:
    """The collection's versions, newest first, with all that their pages and facts show."""
    return with_facts(Membership.objects.filter(collection=collection)).order_by("-version_index")


def with_facts(memberships: QuerySet[Membership]) -> QuerySet[Membership]:
    """The same rows with all that their pages and facts show."""
    return memberships.select_related(
        "collection__project__team__organization",
        "collection__registry__organization",
        "artifact__user",
        "artifact__run__project__team",
        "artifact__collection__project__team",
    ).prefetch_related("aliases", "artifact__tags")


def version_for(collection: Collection, name: str) -> Membership:
    """The version called `v3`, `latest`, by an alias, or by its digest or commit hash.

    Raises:
        Http404: the collection has none.
    """
    versions = memberships_of(collection)
    number = VERSION_NUMBER.match(name)
    if number:
        found = versions.filter(version_index=int(number[1])).first()
    elif name == "latest":
        found = versions.first()
    else:
        found = versions.filter(aliases__name=name).first()
        # The client also knows a version by what no one chose: its content, or the moment of its commit.
        by_content = Q(artifact__digest=name) | Q(artifact__commit_hash=name)
        found = found or (versions.filter(by_content).first() if CONTENT_NAME.match(name) else None)
    if found is None:
        raise Http404(f"There is no version “{name}” in {collection}.")
    return found


def begun_version(user: User | AnonymousUser, pk: int) -> Artifact:
    """The version with this key, complete or still being uploaded, for somebody who may log in its project.

    Raises:
        Http404: there is none the user may see.
        PermissionDenied: the user may only look.
    """
    found = (
        Artifact.objects.filter(pk=pk, collection__in=Collection.objects.visible_to(user))
        .exclude(state=ArtifactState.DELETED)
        .select_related("collection__project__team__organization")
        .first()
    )
    if found is None:
        raise Http404("There is no such version.")
    require_labels(user, found.collection)
    return found
