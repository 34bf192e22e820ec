"""Since when running runs stand still, for all runs of a scope in one query.

The heartbeat is a column, and the step moves with the last chunk of the history. When a metric last had another value
is noted with its window while it is logged (`MetricWindow.moved_at`), which costs no statement more, as windows of
watched metrics are kept anyway. Runs that stopped logging it before it was watched have no window, and get one here.
"""

from __future__ import annotations

from datetime import datetime

from django.db.models import DateTimeField, Exists, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce, Greatest

from automations.filters.fields import MISSING, lookup
from automations.models import Automation, Event
from automations.triggers.silence import HEARTBEAT, METRIC, Stall
from projects.events import RUN_STATE
from projects.models import MetricChunk, MetricWindow, Run, RunState
from projects.models.history import Stream

READ_AT_ONCE = 100


def silent_runs(automation: Automation, stall: Stall, *, at: datetime) -> list[tuple[int, datetime]]:
    """Running runs of the automation's scope that stand still for as long as it asks, and since when."""
    runs = running_in(automation)
    cutoff = at - stall.patience
    if stall.source == METRIC:
        # What moved before it was watched nobody knows.
        if automation.updated_at > cutoff:
            return []
        runs = runs.filter(windows__metric=stall.name).annotate(moved_at=Greatest("windows__moved_at", _began()))
        runs = runs.filter(windows__moved_at__isnull=False)
    elif stall.source == HEARTBEAT:
        runs = runs.annotate(moved_at=Greatest("heartbeat_at", _began()))
    else:
        chunks = MetricChunk.objects.filter(run=OuterRef("pk"), stream=Stream.HISTORY).order_by("-first_line")
        runs = runs.annotate(moved_at=Greatest(Coalesce(Subquery(chunks.values("created_at")[:1]), _began()), _began()))
    return list(runs.filter(moved_at__lte=cutoff).order_by("pk").values_list("pk", "moved_at"))


def running_in(automation: Automation) -> QuerySet[Run]:
    """Runs that the automation covers and that should be moving; a preempted one is away for a reason."""
    place = {"project": "project", "team": "project__team", "organization": "project__team__organization"}
    path = place[automation.scope_kind.value]
    return Run.objects.filter(**{path: automation.scope.pk}, state=RunState.RUNNING, preempting=False)


def begin_watching(automation: Automation, metric: str, *, at: datetime) -> None:
    """Make windows for running runs that have none for the metric: it stands still from now on in those that logged
    it before, from its first value on in the others. They hold no values yet; the next batch fills them from
    the chunks."""
    watched = MetricWindow.objects.filter(run=OuterRef("pk"), metric=metric)
    strangers = running_in(automation).filter(~Exists(watched)).order_by("pk")
    rows = strangers.values_list("pk", "summary", "system_metrics")
    windows = [
        MetricWindow(
            run_id=pk,
            metric=metric,
            capacity=1,
            next_line=0,
            moved_at=at if lookup(summary, metric) is not MISSING or metric in system else None,
        )
        for pk, summary, system in rows.iterator(chunk_size=READ_AT_ONCE)
    ]
    MetricWindow.objects.bulk_create(windows, batch_size=1_000, ignore_conflicts=True)
    # Windows that an automation of another kind filled before anybody asked when the metric moved.
    filled = MetricWindow.objects.filter(metric=metric, moved_at=None, run__in=running_in(automation))
    filled.exclude(values=b"").update(moved_at=at)


def _began() -> Coalesce:
    """When the run began to run, also after it was resumed."""
    states = Event.objects.filter(run=OuterRef("pk"), kind=RUN_STATE).order_by("-pk")
    return Coalesce(
        Subquery(states.values("occurred_at")[:1], output_field=DateTimeField()), "started_at", "created_at"
    )
