"""Queries that pages and API share: automations with how they fared, executions newest first."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db.models import Case, Count, DateTimeField, F, IntegerField, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce, Lower

from automations import disclosure
from automations.models import Automation, Cooldown, Digest, Execution, ReasonCode, Status
from projects.models import Organization, Project, Team
from registries.models import Collection, Registry

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.contrib.auth.models import AnonymousUser

    from projects.models import User

SORTS = {
    "last_triggered": (F("told_triggered_at").desc(nulls_last=True), Lower("name"), "pk"),
    "name": (Lower("name"), "pk"),
    "created": ("-created_at", "-pk"),
}
RECENTLY = timedelta(days=7)
# What a row of a list names beside the automation.
LISTED = (
    "webhook__team",
    "slack_channel__team",
    "organization",
    "team",
    "project__team",
    "registry__organization",
    "collection__project__team",
    "collection__registry__organization",
    "created_by",
)
# `Execution.shown_status` in the database.
SHOWN_STATUS = Case(
    When(shadow=True, reason_code__in=[ReasonCode.NONE, ReasonCode.SHADOW], then=Value("shadow")), default=F("status")
)


def automations_in(scope: Project | Registry | Collection | Team | Organization) -> QuerySet[Automation]:
    """The automations that a list of this scope shows."""
    if isinstance(scope, Project):
        return Automation.objects.in_project(scope)
    if isinstance(scope, Registry):
        return Automation.objects.in_registry(scope)
    if isinstance(scope, Collection):
        return Automation.objects.filter(collection=scope)
    if isinstance(scope, Team):
        return Automation.objects.filter(team=scope)
    return Automation.objects.filter(organization=scope)


def with_figures(automations: Iterable[Automation], *, now: datetime) -> list[Automation]:
    """The automations of one page of a list with all it shows of them: each with its last execution (`last_key`,
    `last_status`, `last_created_at`) and how often it fired in seven days (`executions_7d`), in shadow mode how often
    it would have.

    They are read by their keys: beside an ORDER BY, the database would work the figures out for every automation there
    is, to show those of fifty.
    """
    pks = [automation.pk for automation in automations]
    last = _newest_of_automation(Execution.objects.all())
    recent = (
        Execution.objects.filter(
            automation=OuterRef("pk"), shadow=OuterRef("shadow"), redelivery=None, created_at__gte=now - RECENTLY
        )
        .order_by()
        .values("automation")
        .annotate(count=Count("*"))  # of the key, which the index does not hold, rows would be read
        .values("count")
    )
    found = (
        Automation.objects.select_related(*LISTED)
        .annotate(
            last_key=Subquery(last.values("key")[:1]),
            last_status=Subquery(last.annotate(shown=SHOWN_STATUS).values("shown")[:1]),
            last_created_at=Subquery(last.values("created_at")[:1], output_field=DateTimeField()),
            executions_7d=Coalesce(Subquery(recent, output_field=IntegerField()), 0),
        )
        .in_bulk(pks)
    )
    return [found[pk] for pk in pks if pk in found]


def last_failures(automations: Iterable[Automation], *, reader: User | AnonymousUser) -> dict[int, Execution]:
    """The last failed execution of each automation that has one the reader may see, by the automation's key."""
    last = _newest_of_automation(Execution.objects.filter(status=Status.FAILED)).values("pk")[:1]
    keys = (
        Automation.objects.filter(pk__in=[automation.pk for automation in automations], last_failure_at__isnull=False)
        .annotate(last_failed=Subquery(last))
        .values_list("last_failed", flat=True)
    )
    wanted = [key for key in keys if key is not None]
    if not wanted:
        return {}
    found = Execution.objects.visible_to(reader).filter(pk__in=wanted).only("key", "automation", "created_at")
    return {execution.automation_id: execution for execution in found if execution.automation_id is not None}


def _newest_of_automation(executions: QuerySet[Execution]) -> QuerySet[Execution]:
    """The executions of the automation of the outer query, newest first.

    Asked for by “=” in the order of the keys, PostgreSQL would read the table backwards until one turns up: of an
    automation that has not fired for long, all of it. A range is in the order of its own index only.
    """
    own = executions.filter(automation_id__gte=OuterRef("pk"), automation_id__lte=OuterRef("pk"))
    return own.order_by("automation_id", "-pk")


def searched(automations: QuerySet[Automation], text: str) -> QuerySet[Automation]:
    """Those whose name or description holds the text."""
    if not text:
        return automations
    return automations.filter(Q(name__icontains=text) | Q(description__icontains=text))


def sorted_by(automations: QuerySet[Automation], sort: str, *, reader: User | AnonymousUser) -> QuerySet[Automation]:
    """In the order a list is shown in; an unknown word means last triggered first. Whoever may not know when an
    automation fired is not told by its place between others either (AZ1)."""
    told = Case(When(disclosure.figures_told(reader), then="last_triggered_at"), output_field=DateTimeField())
    return automations.alias(told_triggered_at=told).order_by(*SORTS.get(sort, SORTS["last_triggered"]))


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
    return _listed(executions)


def of_digest(digest: Digest, *, reader: User | AnonymousUser) -> QuerySet[Execution]:
    """What the reader may see of what a digest stands for, likewise."""
    return _listed(Execution.objects.visible_to(reader).filter(digest=digest))


def _listed(executions: QuerySet[Execution]) -> QuerySet[Execution]:
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
    collection: str = "",
    action_kind: str = "",
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
    if collection:
        # By name: of a project's executions some are of links, which happen in a collection of a registry, too.
        executions = executions.filter(event__collection__name=collection)
    if action_kind:
        executions = executions.filter(action_kind=action_kind)
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
