"""Automations, which the client calls triggers. What it cannot express is left out of its lists (IF5)."""

from __future__ import annotations

from typing import Any

from ariadne import MutationType, ObjectType, UnionType
from django.db import transaction
from graphql import GraphQLResolveInfo

from automations import editing
from automations.access import WITH_SCOPES, Scope, automation_for
from automations.editing import Draft
from automations.filters import Field, Kind
from automations.models import Automation
from projects.models import Organization, Project, Team, User
from registries.models import Collection, Registry
from wandb_gateway import actions, filtering, ids, names
from wandb_gateway.connections import connection, neighbours
from wandb_gateway.refusals import Unsupported
from wandb_gateway.scopes import scope_of, within_entity, within_projects

FIELDS = (Field("name", Kind.TEXT, "name", "The automation's name."),)
COLUMNS = {
    "name": "name",
    "created_at": "created_at",
    "createdAt": "created_at",
    "updated_at": "updated_at",
    "updatedAt": "updated_at",
}

mutation = MutationType()
entity = ObjectType("Entity")
organization = ObjectType("Organization")
project = ObjectType("Project")
trigger = ObjectType("Trigger")
scope = UnionType("TriggerScope")
condition = UnionType("TriggeringCondition", lambda *_: "FilterEventTriggeringCondition")
event = ObjectType("FilterEventTriggeringCondition")


# --- lists ------------------------------------------------------------------------------------------------------------


@entity.field("triggers")
@organization.field("triggers")
def triggers_of_entity(
    found: Team | Organization,
    info: GraphQLResolveInfo,
    filters: str | None = None,
    order: str | None = None,
    **page: Any,
) -> dict[str, Any]:
    """Every row is judged, for which little of it is read; those of the page are then read whole."""
    wanted = filtering.compiled(filters, fields=FIELDS)
    rows = Automation.objects.visible_to(info.context.user).filter(within_entity(found)).only("name", *names.JUDGED)
    keys = [
        row.pk
        for row in filtering.ordered(rows, order, columns=COLUMNS).iterator(chunk_size=500)
        if names.expressible(row) and (wanted is None or wanted.matches({"name": row.name}))
    ]
    listed = connection(keys, **page)
    whole = Automation.objects.select_related(*WITH_SCOPES).in_bulk([edge["node"] for edge in listed["edges"]])
    # One may have been deleted meanwhile.
    edges = [edge | {"node": whole[edge["node"]]} for edge in listed["edges"] if edge["node"] in whole]
    return listed | {"edges": edges}


@project.field("triggers")
def triggers_of_project(found: Project | Registry, info: GraphQLResolveInfo) -> list[Automation]:
    """Looked up for all projects of a page at once: the client walks over every project it can see."""
    listed: dict[tuple[type, int], list[Automation]] = info.context.memory.setdefault("triggers", {})
    if (type(found), found.pk) not in listed:
        page = neighbours(found)
        listed |= {(type(one), one.pk): [] for one in page}
        rows = Automation.objects.visible_to(info.context.user).filter(within_projects(page))
        for one in filter(names.expressible, rows.select_related(*WITH_SCOPES).order_by("pk")):
            place = one.collection or one
            for held in filter(None, (place.project, place.registry)):
                listed[type(held), held.pk].append(one)
    return listed[type(found), found.pk]


# --- one automation ---------------------------------------------------------------------------------------------------


@trigger.field("id")
def trigger_id(found: Automation, _info: GraphQLResolveInfo) -> str:
    return ids.encode("Trigger", found.pk)


@trigger.field("description")
def description(found: Automation, _info: GraphQLResolveInfo) -> str | None:
    """A script that gave none gets none back."""
    return found.description or None


@trigger.field("triggeringCondition")
@trigger.field("triggeredAction")
def itself(found: Automation, _info: GraphQLResolveInfo) -> Automation:
    """What it listens to and what it does are parts of the automation here, and objects of their own there."""
    return found


@scope.type_resolver
def type_of_scope(found: Scope, *_: Any) -> str:
    if isinstance(found, Collection):
        return "ArtifactPortfolio" if found.is_linked else "ArtifactSequence"
    return "Project" if isinstance(found, Project | Registry) else "Entity"


@event.field("filter")
def event_filter(found: Automation, _info: GraphQLResolveInfo) -> str:
    return names.event_filter(found)


# --- changes ----------------------------------------------------------------------------------------------------------


@mutation.field("createFilterTrigger")
def create(_root: None, info: GraphQLResolveInfo, input: dict[str, Any]) -> dict[str, Any]:
    user = info.context.user
    draft = Draft(
        name=input["name"],
        description=input.get("description") or "",
        enabled=input["enabled"],
        event_type=input["triggeringEventType"],
        **names.asked_of(input["triggeringEventType"], input["eventFilter"]),
        **actions.asked_of(input["triggeredActionType"], input["triggeredActionConfig"], by=user),
    )
    with transaction.atomic():
        made = editing.create(draft, scope=scope_of(user, kind=input["scopeType"], text=input["scopeID"]), by=user)
        return {"trigger": reread(made, user=user)}


@mutation.field("updateFilterTrigger")
def update(_root: None, info: GraphQLResolveInfo, input: dict[str, Any]) -> dict[str, Any]:
    """What is left out, or null, stays as it is."""
    user = info.context.user
    automation = automation_for(user, ids.number(input["id"], "Trigger"))
    fields = {name: input[name] for name in ("name", "description", "enabled") if input.get(name) is not None}
    event_type = fields["event_type"] = input.get("triggeringEventType") or automation.event_type
    if input.get("eventFilter") is not None:
        fields |= names.asked_of(event_type, input["eventFilter"])
    if input.get("triggeredActionConfig") is not None:
        kind = input.get("triggeredActionType") or automation.action_kind
        fields |= actions.asked_of(kind, input["triggeredActionConfig"], by=user, automation=automation)
    if input.get("scopeID") is not None:
        fields["scope"] = scope_of(user, kind=input.get("scopeType") or "PROJECT", text=input["scopeID"])
    with transaction.atomic():
        return {"trigger": reread(editing.change(automation, by=user, **fields), user=user)}


@mutation.field("deleteTrigger")
def delete(_root: None, info: GraphQLResolveInfo, input: dict[str, Any]) -> dict[str, Any]:
    user = info.context.user
    editing.delete(automation_for(user, ids.number(input["triggerID"], "Trigger")), by=user)
    return {"success": True}


def reread(automation: Automation, *, user: User) -> Automation:
    """The automation as every later answer shows it: databases keep JSON in their own way.

    Raises:
        Unsupported: the client would not read it as it was meant.
    """
    if not names.expressible(automation):
        raise Unsupported(
            "The wandb client would read this condition as another one than it wrote, and change it when it saves it"
            " again. Write it in another way, or make the automation in the browser."
        )
    return automation_for(user, automation.pk)


trigger.set_alias("createdAt", "created_at")
trigger.set_alias("updatedAt", "updated_at")
event.set_alias("eventType", "event_type")

BINDABLES = (
    mutation,
    entity,
    organization,
    project,
    trigger,
    scope,
    condition,
    event,
)
