"""Queries that pages and API share: automations with how they fared, executions newest first."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db.models import Case, Count, DateTimeField, F, IntegerField, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce, Lower

from automations.models import Automation, Cooldown, Execution, ReasonCode
from projects.models import Organization, Project, Team
from registries.models import Collection, Registry

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from projects.models import User

SORTS = {
    "last_triggered": (F("last_triggered_at").desc(nulls_last=True), Lower("name"), "pk"),
    "name": (Lower("name"), "pk"),
    "created": ("-created_at", "-pk"),
}
RECENTLY = timedelta(days=7)
# `Execution.shown_status` in the database.
SHOWN_STATUS = Case(
    When(shadow=True, reason_code__in=[ReasonCode.NONE, ReasonCode.SHADOW], then=Value("shadow")), default=F("status")
)


def automations_in(
    scope: Project | Registry | Collection | Team | Organization, *, now: datetime
) -> QuerySet[Automation]:
    """The automations of a list, each with its last execution (`last_key`, `last_status`, `last_created_at`) and how
    often it fired in seven days (`executions_7d`): in shadow mode how often it would have."""
    if isinstance(scope, Project):
        automations = Automation.objects.in_project(scope)
    elif isinstance(scope, Registry):
        automations = Automation.objects.in_registry(scope)
    elif isinstance(scope, Collection):
        automations = Automation.objects.filter(collection=scope)
    elif isinstance(scope, Team):
        automations = Automation.objects.filter(team=scope)
    else:
        automations = Automation.objects.filter(organization=scope)
    last = Execution.objects.filter(automation=OuterRef("pk")).order_by("-pk")
    recent = (
        Execution.objects.filter(automation=OuterRef("pk"), shadow=OuterRef("shadow"), created_at__gte=now - RECENTLY)
        .order_by()
        .values("automation")
        .annotate(count=Count("pk"))
        .values("count")
    )
    return automations.select_related(
        "webhook__team", "slack_channel__team", "project__team", "registry__organization", "collection"
    ).annotate(
        last_key=Subquery(last.values("key")[:1]),
        last_status=Subquery(last.annotate(shown=SHOWN_STATUS).values("shown")[:1]),
        last_created_at=Subquery(last.values("created_at")[:1], output_field=DateTimeField()),
        executions_7d=Coalesce(Subquery(recent, output_field=IntegerField()), 0),
    )


def searched(automations: QuerySet[Automation], text: str) -> QuerySet[Automation]:
    """Those whose name or description holds the text."""
    if not text:
        return automations
    return automations.filter(Q(name__icontains=text) | Q(description__icontains=text))


def sorted_by(automations: QuerySet[Automation], sort: str) -> QuerySet[Automation]:
    """In the order a list is shown in; an unknown word means last triggered first."""
    return automations.order_by(*SORTS.get(sort, SORTS["last_triggered"]))


def executions_in(scope: Project | Registry | Automation, *, reader: User | AnonymousUser) -> QuerySet[Execution]:
    """What the reader may see of what happened in a project or registry, or to an automation, newest first, with what a
    list shows. To be shown after `disclosure.prepare` only."""
    visible = Execution.objects.visible_to(reader)
    if isinstance(scope, Project):
        executions = visible.filter(project=scope)
    elif isinstance(scope, Registry):
        executions = visible.filter(registry=scope)
    else:
        executions = visible.filter(automation=scope)
    return executions.select_related(
        "automation",
        "event__actor",
        "event__run__project__team",
        "event__artifact",
        "event__collection__project__team",
        "event__collection__registry__organization",
        "registry__organization",
    ).order_by("-pk")


def filtered(
    executions: QuerySet[Execution],
    *,
    status: str = "",
    event_type: str = "",
    automation: int | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    shadow: bool | None = None,
) -> QuerySet[Execution]:
    """Those that meet every filter given (HI5)."""
    if status:
        executions = executions.filter(status=status)
    if event_type:
        executions = executions.filter(event_type=event_type)
    if automation is not None:
        executions = executions.filter(automation=automation)
    if since is not None:
        executions = executions.filter(created_at__gte=since)
    if until is not None:
        executions = executions.filter(created_at__lt=until)
    if shadow is not None:
        executions = executions.filter(shadow=shadow)
    return executions


def surplus_of(automation: Automation, *, now: datetime) -> int:
    """How often it held back in the last 24 hours because it had fired for the same run (EV11)."""
    rows = Cooldown.objects.filter(automation=automation, fired_at__gte=now - timedelta(hours=24))
    return sum(rows.values_list("surplus", flat=True))
