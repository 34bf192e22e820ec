"""Projects, and registries, which are projects to the client."""

from __future__ import annotations

from typing import Any

from ariadne import MutationType, ObjectType, QueryType
from django.core.exceptions import BadRequest
from django.utils import timezone
from graphql import GraphQLResolveInfo

from projects import access, teams
from projects.access import Permission
from projects.models import Organization, Project, Team, User
from registries import access as registries_access
from registries import upkeep
from registries.models import Registry, Visibility
from wandb_gateway import homes, ids
from wandb_gateway.connections import Joined, connection
from wandb_gateway.homes import Home
from wandb_gateway.listing import projects_in
from wandb_gateway.refusals import Unsupported

query = QueryType()
mutation = MutationType()
project = ObjectType("Project")
entity = ObjectType("Entity")
user = ObjectType("User")

Page = dict[str, Any]
ACCESS = {Visibility.ORGANIZATION: "PRIVATE", Visibility.RESTRICTED: "RESTRICTED"}


@query.field("project")
@query.field("model")
def project_named(_root: None, info: GraphQLResolveInfo, **asked: Any) -> Home | None:
    return homes.or_none(lambda: homes.named(info.context.user, asked.get("entityName"), asked.get("name") or ""))


@query.field("models")
def projects_of(_root: None, info: GraphQLResolveInfo, **asked: Any) -> Page:
    asking: User = info.context.user
    found = access.entity_for(asking, asked.pop("entityName", None) or asking.username)
    return connection(projects_in(found, by=asking), **asked)


@entity.field("project")
def project_of_entity(found: Team | Organization, info: GraphQLResolveInfo, name: str | None = None) -> Home | None:
    return homes.or_none(lambda: homes.named(info.context.user, found.name, name or ""))


@entity.field("projects")
def projects_of_entity(found: Team | Organization, info: GraphQLResolveInfo, **asked: Any) -> Page:
    filters, order = asked.pop("filters", None), asked.pop("order", None)
    return connection(projects_in(found, by=info.context.user, filters=filters, order=order), **asked)


@user.field("projects")
def projects_of_user(_found: User, info: GraphQLResolveInfo, **asked: Any) -> Page:
    """Every project and registry that who asks may see."""
    asking: User = info.context.user
    own = Project.objects.visible_to(asking).select_related("team__organization").order_by("pk")
    shared = Registry.objects.visible_to(asking).select_related("organization").order_by("pk")
    return connection(Joined(own, shared), **asked)


@mutation.field("upsertModel")
def upsert(_root: None, info: GraphQLResolveInfo, input: dict[str, Any]) -> dict[str, Any]:
    asking: User = info.context.user
    name = input.get("name") or ""
    found = access.entity_for(asking, input.get("entityName") or asking.username)
    made: tuple[Home, bool]
    made = (
        _registry(found, name, input, asking)
        if isinstance(found, Organization)
        else _project(found, name, input, asking)
    )
    return {"project": made[0], "model": made[0], "inserted": made[1]}


def _project(team: Team, name: str, input: dict[str, Any], by: User) -> tuple[Project, bool]:
    access.require(by, Permission.LOG, team)
    there = "\x00" not in name and Project.objects.filter(team=team, name=name).exists()
    return teams.ensure_project(name, team=team, description=input.get("description") or ""), not there


def _registry(organization: Organization, name: str, input: dict[str, Any], by: User) -> tuple[Registry, bool]:
    changes: dict[str, Any] = {
        "description": input.get("description"),
        "visibility": _visibility(input.get("access")),
        "accepts_all_types": input.get("allowAllArtifactTypesInRegistry"),
        "accept": [one["name"] for one in input.get("artifactTypes") or []],
    }
    own_name = _registry_name(name)
    there = homes.or_none(lambda: homes.named(by, organization.name, name))
    if isinstance(there, Registry):
        return upkeep.change(there, by=by, **changes), False
    changes["description"] = changes["description"] or ""
    return upkeep.open_registry(organization, own_name, by=by, **changes), True


def _registry_name(name: str) -> str:
    found = homes.registry_name(name)
    if not found:
        raise BadRequest(
            f"An organization has registries only, whose names begin with “{homes.REGISTRY_PREFIX}”; projects belong to"
            " its teams."
        )
    return found


def _visibility(access: str | None) -> str | None:
    for ours, theirs in ACCESS.items():
        if access == theirs:
            return ours.value
    if access:
        raise Unsupported(f"A registry's access is {' or '.join(ACCESS.values())}, not “{access[:40]}”.")
    return None


@mutation.field("renameProject")
def rename(_root: None, info: GraphQLResolveInfo, input: dict[str, Any]) -> dict[str, Any]:
    by: User = info.context.user
    found = homes.named(by, input["entityName"], input["oldProjectName"])
    name = input["newProjectName"]
    renamed: Home
    if isinstance(found, Registry):
        renamed = upkeep.rename(found, _registry_name(name), by=by)
    else:
        renamed = teams.rename_project(found, name, by=by)
    return {"project": renamed, "inserted": False}


@mutation.field("deleteModel")
def delete(_root: None, info: GraphQLResolveInfo, input: dict[str, Any]) -> dict[str, bool]:
    by: User = info.context.user
    found = homes.numbered(by, input["id"])
    if isinstance(found, Registry):
        upkeep.delete(found, by=by)
    else:
        upkeep.delete_project(found, by=by, at=timezone.now())
    return {"success": True}


@project.field("id")
def project_id(found: Home, _info: GraphQLResolveInfo) -> str:
    return ids.encode("Registry" if isinstance(found, Registry) else "Project", found.pk)


@project.field("internalId")
def internal_id(found: Home, _info: GraphQLResolveInfo) -> str:
    """Filters name a project by this number; the client knows but one kind of it."""
    return ids.encode("Project", found.pk)


@project.field("name")
def project_name(found: Home, _info: GraphQLResolveInfo) -> str:
    return homes.name_of(found)


@project.field("entity")
def entity_of(found: Home, _info: GraphQLResolveInfo) -> Team | Organization:
    return homes.entity_of(found)


@project.field("entityName")
def entity_name(found: Home, _info: GraphQLResolveInfo) -> str:
    return homes.entity_of(found).name


@project.field("access")
def access_word(found: Home, _info: GraphQLResolveInfo) -> str:
    return ACCESS[Visibility(found.visibility)] if isinstance(found, Registry) else "PRIVATE"


@project.field("allowAllArtifactTypesInRegistry")
def accepts_all_types(found: Home, _info: GraphQLResolveInfo) -> bool:
    return not isinstance(found, Registry) or found.accepts_all_types


@project.field("readOnly")
def read_only(found: Home, info: GraphQLResolveInfo) -> bool:
    asking: User = info.context.user
    if isinstance(found, Registry):
        return not registries_access.may(asking, registries_access.Permission.LINK, found)
    return not access.may(asking, Permission.LOG, found.team)


project.set_alias("createdAt", "created_at")
project.set_alias("updatedAt", "updated_at")
# There are no sweeps and no benchmarks here, and nobody in particular owns a project.
project.set_field("isBenchmark", lambda *_: False)
project.set_field("views", lambda *_: "{}")
project.set_field("totalSweeps", lambda *_: 0)
project.set_field("sweeps", lambda *_, **asked: connection([], first=asked.get("first"), after=asked.get("after")))

BINDABLES = (query, mutation, project, entity, user)
