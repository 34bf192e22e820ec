"""Versions of automations: what each edit left behind. `editing` makes them, `restoring` goes back to one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from automations.access import Scope
from automations.models import Automation, AutomationSwitch, AutomationVersion, ScopeKind
from automations.models.automation import TARGETS
from automations.models.version import SWITCHES
from projects.jsonvalues import same
from projects.models import User
from registries.models import Collection

# What a rule says in the automation's own fields. Whether it is enabled is not among them: switching is no edit.
FIELDS = (
    "name",
    "description",
    "event_type",
    "filter",
    "condition",
    "action_kind",
    "payload",
    "title",
    "message",
    "severity",
)


def document_of(automation: Automation) -> dict[str, Any]:
    """The complete rule: in the words of the REST API, with the keys by which what it points at is found again."""
    scope = automation.scope
    document: dict[str, Any] = {name: getattr(automation, name) for name in FIELDS}
    document["scope"] = {"kind": kind_word(scope, automation.scope_kind), "name": str(scope), "id": scope.pk}
    webhook, channel = automation.webhook, automation.slack_channel
    document["webhook"] = f"{webhook.team}/{webhook}" if webhook else None
    document["slack_channel"] = f"{channel.team}/{channel.channel}" if channel else None
    for field in TARGETS.values():
        target = getattr(automation, field)
        document |= {f"{field}_id": target and target.pk, f"{field}_team": target and target.team_id}
    return document


def kind_word(scope: Scope, kind: ScopeKind) -> str:
    """The kind of a scope in the words of the API, which tell collections of registries from those of projects."""
    if isinstance(scope, Collection) and scope.registry_id is not None:
        return "registry_collection"
    return kind.value


def differs(held: Automation, fields: dict[str, Any]) -> bool:
    """Whether saving these fields would change the rule."""
    compared = (*FIELDS, *TARGETS.values())
    return not same({name: getattr(held, name) for name in compared}, {name: fields[name] for name in compared})


def changes(held: Automation, fields: dict[str, Any]) -> bool:
    """Whether saving these fields would edit or switch anything."""
    return bool(switched(held, fields)) or differs(held, fields)


def record(automation: Automation, *, by: User | None) -> AutomationVersion:
    """Keep the rule as the automation's current version, whose number it has already."""
    return AutomationVersion.objects.create(
        automation=automation, number=automation.version, rule=document_of(automation), created_by=by
    )


def switched(held: Automation, fields: dict[str, Any]) -> list[str]:
    """What saving these fields would switch."""
    return [name for name in SWITCHES if name in fields and getattr(held, name) != fields[name]]


def record_switches(automation: Automation, names: Iterable[str], *, by: User) -> None:
    """Keep that these were switched just now to what they are."""
    AutomationSwitch.objects.bulk_create(
        AutomationSwitch(
            automation=automation,
            version=automation.version,
            field=name,
            value=getattr(automation, name),
            created_by=by,
        )
        for name in names
    )
