"""Automations, which the client calls triggers. What it cannot express is left out of its lists (IF5)."""

from __future__ import annotations

from typing import Any

from ariadne import MutationType, ObjectType, UnionType
from django.core.exceptions import BadRequest
from django.db import transaction
from graphql import GraphQLResolveInfo

from automations import editing
from automations.access import WITH_SCOPES, Scope, automation_for
from automations.editing import Draft
from automations.filters import Field, Kind
from automations.models import ActionKind, Automation, Webhook
from automations.sentences import HIDDEN_WEBHOOK
from projects.models import Organization, Project, Team, User
from registries.models import Collection, Registry
from wandb_gateway import filtering, ids, names
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
# An action's type in the schema, and the part of what the client sends that describes it.
ACTIONS = {
    ActionKind.WEBHOOK: ("GenericWebhookTriggeredAction", "genericWebhookActionInput"),
    ActionKind.NO_OP: ("NoOpTriggeredAction", "noOpActionInput"),
}

mutation = MutationType()
entity = ObjectType("Entity")
organization = ObjectType("Organization")
project = ObjectType("Project")
trigger = ObjectType("Trigger")
scope = UnionType("TriggerScope")
condition = UnionType("TriggeringCondition", lambda *_: "FilterEventTriggeringCondition")
event = ObjectType("FilterEventTriggeringCondition")
action = UnionType("TriggeredAction")
webhook_action = ObjectType("GenericWebhookTriggeredAction")
no_op = ObjectType("NoOpTriggeredAction")


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
    for edge in listed["edges"]:
        edge["node"] = whole[edge["node"]]
    return listed


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


@action.type_resolver
def type_of_action(found: Automation, *_: Any) -> str:
    return ACTIONS[ActionKind(found.action_kind)][0]


@webhook_action.field("integration")
def called_webhook(found: Automation, info: GraphQLResolveInfo) -> Webhook:
    """Without its name and address, if it is of a team that the reader may not see (AC3)."""
    webhook = found.webhook
    assert webhook is not None  # the check constraint says so
    if webhook.team_id in visible_teams(info):
        return webhook
    return Webhook(pk=webhook.pk, name=HIDDEN_WEBHOOK, url="")


@webhook_action.field("requestPayload")
def request_payload(found: Automation, _info: GraphQLResolveInfo) -> str | None:
    return found.payload or None


@no_op.field("noOp")
def no_op_flag(_found: Automation, _info: GraphQLResolveInfo) -> bool:
    return True


def visible_teams(info: GraphQLResolveInfo) -> set[int]:
    """Keys of the teams whose integrations the reader may know of; looked up once."""
    memory = info.context.memory
    if "visible teams" not in memory:
        memory["visible teams"] = set(Team.objects.visible_to(info.context.user).values_list("pk", flat=True))
    teams: set[int] = memory["visible teams"]
    return teams


# --- changes ----------------------------------------------------------------------------------------------------------


@mutation.field("createFilterTrigger")
def create(_root: None, info: GraphQLResolveInfo, input: dict[str, Any]) -> dict[str, Any]:
    user = info.context.user
    draft = Draft(
        name=input["name"],
        description=input.get("description") or "",
        enabled=input["enabled"],
        **asked(input),
        **acting(input, user=user),
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
    if input.get("eventFilter") is not None:
        fields |= asked({"triggeringEventType": automation.event_type} | input)
    if input.get("triggeredActionConfig") is not None:
        fields |= acting({"triggeredActionType": automation.action_kind} | input, user=user, automation=automation)
    if input.get("scopeID") is not None:
        fields["scope"] = scope_of(user, kind=input.get("scopeType") or "PROJECT", text=input["scopeID"])
    with transaction.atomic():
        return {"trigger": reread(editing.change(automation, by=user, **fields), user=user)}


@mutation.field("deleteTrigger")
def delete(_root: None, info: GraphQLResolveInfo, input: dict[str, Any]) -> dict[str, Any]:
    user = info.context.user
    editing.delete(automation_for(user, ids.number(input["triggerID"], "Trigger")), by=user)
    return {"success": True}


def asked(input: dict[str, Any]) -> dict[str, Any]:
    """The event and what is asked of it, as fields of a draft.

    Raises:
        BadRequest: it has not the form that goes with the event.
    """
    event_type = input["triggeringEventType"]
    return {"event_type": event_type, **names.asked_of(event_type, input["eventFilter"])}


def acting(input: dict[str, Any], *, user: User, automation: Automation | None = None) -> dict[str, Any]:
    """The action, as fields of a draft.

    Raises:
        Unsupported: there is no such action here.
        BadRequest: what is said of it does not go with it.
    """
    kind = input["triggeredActionType"]
    if kind not in ACTIONS:
        raise Unsupported(f"There is no action {kind} here. Automations call a webhook, or do nothing.")
    config = input["triggeredActionConfig"].get(ACTIONS[ActionKind(kind)][1])
    if config is None:
        raise BadRequest(f"The action {kind} is described by {ACTIONS[ActionKind(kind)][1]}, which is missing.")
    fields: dict[str, Any] = {"action_kind": kind, "webhook": None, "payload": ""}
    if kind == ActionKind.WEBHOOK:
        fields["webhook"] = webhook_of(config["integrationID"], user=user, automation=automation)
        fields["payload"] = config.get("requestPayload") or ""
    return fields


def webhook_of(text: str, *, user: User, automation: Automation | None) -> Webhook:
    """The webhook with this id: one the user may see, or the one the automation calls anyway.

    Raises:
        BadRequest: there is none.
    """
    try:
        number = ids.number(text, "WebhookIntegration")
    except ids.UnknownId as error:
        raise BadRequest(f"integrationID: {error}") from error
    if automation is not None and automation.webhook_id == number and automation.webhook is not None:
        return automation.webhook
    found: Webhook | None = Webhook.objects.visible_to(user).filter(pk=number).first()
    if found is None:
        raise BadRequest("integrationID: There is no such webhook, or you may not see it.")
    return found


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
    action,
    webhook_action,
    no_op,
)
