"""The gates, in the order in which an event passes them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from automations import disclosure
from automations.access import SCOPES
from automations.models import Automation, Execution
from automations.tracing import gates_after, gates_before, gates_of_rule
from automations.tracing.case import Case
from automations.tracing.gates import Answer, Gate, Thing, Trace, Verdict
from automations.tracing.occurrences import Occurrence, nearest
from automations.triggers import TRIGGERS, InvalidCondition, trigger_for
from projects.events import run_scopes
from projects.models import Run, User
from registries.events import collection_scopes
from registries.models import Collection, Membership

SHOWN = 10
OFFERED = 50

GATES: tuple[tuple[str, str, Callable[[Case], Answer]], ...] = (
    ("enabled", gettext_noop("Enabled"), gates_before.enabled),
    ("evaluable", gettext_noop("Can be evaluated"), gates_before.evaluable),
    ("scope", gettext_noop("In its scope"), gates_before.scope),
    ("event", gettext_noop("Event happened"), gates_before.happened),
    ("made_before", gettext_noop("Made before it"), gates_before.made_before),
    ("filter", gettext_noop("Filter"), gates_of_rule.filter),
    ("condition", gettext_noop("Condition"), gates_of_rule.condition),
    ("snooze", gettext_noop("Not snoozed"), gates_after.snooze),
    ("cooldown", gettext_noop("Once in 24 hours"), gates_after.cooldown),
    ("action", gettext_noop("Action can run"), gates_after.action),
    ("outcome", gettext_noop("Outcome"), gates_after.outcome),
)


def explain(automation: Automation, subject: Thing, *, reader: User, at: datetime) -> Trace:
    """Ask every gate whether the automation fires for the run or version; the first that says no ends the way.

    The reader may see both; what else the gates tell of, such as the webhook of another team, is for them to see.
    """
    trigger = trigger_for(automation.event_type)
    try:
        rule, problem = trigger.compile(automation.condition, automation.filter), ""
    except InvalidCondition as error:
        rule, problem = None, error.message
    found = nearest(automation, subject, rule, reader=reader, at=at) if rule else None
    executions = _executions(automation, subject, reader=reader)
    execution = _of_occurrence(executions, found)
    case = Case(automation, subject, trigger, reader, at, rule, problem, found, execution)
    gates: list[Gate] = []
    for code, title, ask in GATES:
        if gates and not gates[-1].verdict.lets_pass:
            gates.append(Gate(code, _(title), Verdict.NOT_REACHED))
        else:
            gates.append(Gate(code, _(title), *ask(case)))
    return Trace(automation, subject, gates, executions)


def candidates_for(subject: Thing, *, reader: User) -> QuerySet[Automation]:
    """Automations the reader may see whose scope covers the run or version, for whatever may happen to it."""
    visible = Automation.objects.visible_to(reader).select_related(*SCOPES, "webhook__team", "slack_channel__team")
    kinds = [kind for kind, trigger in TRIGGERS.items() if trigger.about_runs is isinstance(subject, Run)]
    scopes = run_scopes(subject) if isinstance(subject, Run) else collection_scopes(subject.collection)
    return visible.covering(scopes).filter(event_type__in=kinds).order_by("name", "pk")


def subjects_for(automation: Automation, *, reader: User) -> Sequence[Thing]:
    """The latest runs, or versions, in the automation's scope that the reader may see."""
    kind, scope = automation.scope_kind.value, automation.scope
    if trigger_for(automation.event_type).about_runs:
        path = {"project": "project", "team": "project__team", "organization": "project__team__organization"}[kind]
        runs = Run.objects.visible_to(reader).filter(**{path: scope}).select_related("project__team", "user")
        return list(runs.defer("config", "summary", "client_config").order_by("-created_at", "-pk")[:OFFERED])
    return list(_versions_of(kind, scope, reader=reader).order_by("-created_at", "-pk")[:OFFERED])


def _executions(automation: Automation, subject: Thing, *, reader: User) -> list[Execution]:
    if isinstance(subject, Run):
        about = Q(event__run=subject, event__artifact=None)
    else:
        # What happens to a whole collection, or does not happen in it, has no version.
        of_collection = Q(event__collection=subject.collection_id, event__artifact=None)
        about = Q(event__artifact=subject.artifact_id) | of_collection
    visible = Execution.objects.visible_to(reader).filter(about, automation=automation)
    shown = visible.select_related(
        "automation",
        "event__run__project__team",
        "event__collection__project__team",
        "event__collection__registry__organization",
        "registry__organization",
    )
    return disclosure.prepare(shown.order_by("-pk")[:SHOWN], reader=reader)


def _of_occurrence(executions: Sequence[Execution], found: Occurrence | None) -> Execution | None:
    """The execution that the occurrence started: of its event, or, for a point, of one at its line."""
    if found is None:
        return None
    line = found.event.details.get("line")
    for execution in executions:
        event = execution.event
        if event.pk == found.event.pk or (line is not None and event.details.get("line") == line):
            return execution
    return None


def _versions_of(kind: str, scope: Any, *, reader: User) -> QuerySet[Membership]:
    within = {
        "collection": Q(collection=scope.pk),
        "registry": Q(collection__registry=scope.pk),
        "project": Q(collection__project=scope.pk),
        "team": Q(collection__project__team=scope.pk),
        "organization": Q(collection__project__team__organization=scope.pk)
        | Q(collection__registry__organization=scope.pk),
    }[kind]
    visible = Membership.objects.filter(within, collection__in=Collection.objects.visible_to(reader))
    return visible.select_related("collection__project__team", "collection__registry__organization", "artifact")
