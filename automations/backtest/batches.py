"""Stored batches in the order they were logged; only a few are in memory at a time."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice

from django.db.models import OuterRef, QuerySet, Subquery, Sum

from automations.backtest.result import Period
from projects.models import MetricChunk, Project, Run
from projects.models.history import Stream

# A batch may hold some megabytes.
READ_AT_ONCE = 5
# Times and keys of batches, while those of many runs are brought into one order.
HEADERS_HELD = 20_000


def runs_that_logged(project: Project, stream: Stream, period: Period) -> list[int]:
    """Keys of the project's runs that logged something in the period, oldest first."""
    last = MetricChunk.objects.filter(run=OuterRef("pk"), stream=stream).order_by("-first_line")
    runs = Run.objects.filter(project=project, created_at__lte=period.until)
    logged = runs.annotate(logged_at=Subquery(last.values("created_at")[:1])).filter(logged_at__gte=period.since)
    return list(logged.order_by("created_at", "pk").values_list("pk", flat=True))


def count_lines(project: Project, stream: Stream, period: Period) -> int:
    """How many rows the project's runs logged in the period."""
    chunks = MetricChunk.objects.filter(run__project=project, stream=stream)
    in_period = chunks.filter(created_at__gte=period.since, created_at__lte=period.until)
    return in_period.aggregate(lines=Sum("line_count"))["lines"] or 0


def run_by_run(runs: Sequence[int], stream: Stream, period: Period) -> Iterator[MetricChunk]:
    """Their batches, one run after the other."""
    for run in runs:
        yield from _of(run, stream, period).iterator(chunk_size=READ_AT_ONCE)


def as_they_came(runs: Sequence[int], stream: Stream, period: Period) -> Iterator[MetricChunk]:
    """Their batches in the order of time, whichever run they are of."""
    page = max(2, HEADERS_HELD // max(1, len(runs)))
    headers = heapq.merge(*(_headers(_of(run, stream, period), page=page) for run in runs))
    while some := list(islice(headers, READ_AT_ONCE)):
        found = MetricChunk.objects.in_bulk([pk for _, pk in some])
        yield from (found[pk] for _, pk in some if pk in found)


def _of(run: int, stream: Stream, period: Period) -> QuerySet[MetricChunk]:
    chunks = MetricChunk.objects.filter(run=run, stream=stream)
    return chunks.filter(created_at__gte=period.since, created_at__lte=period.until).order_by("first_line")


def _headers(chunks: QuerySet[MetricChunk], *, page: int) -> Iterator[tuple[datetime, int]]:
    line = -1
    while some := list(chunks.filter(first_line__gt=line).values_list("created_at", "pk", "first_line")[:page]):
        yield from ((created_at, pk) for created_at, pk, _ in some)
        line = some[-1][2]
