"""Drawing the curves of what runs logged, and keeping them: what is kept is only ever drawn on.

Curves are drawn when somebody looks, for as long as a request may take, and by the clock. Both start from what is kept
and read what was logged since. Whoever is second to draw the same lines throws its drawing away.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

from projects.columns import points_of
from projects.curves import Curve
from projects.jsonvalues import mended
from projects.metrics import MAX_NAME_LENGTH
from projects.models import DrawnUpTo, MetricCurve, Run, RunState
from projects.models.history import Stream

SYSTEM_PREFIX = "system."
# So many metrics of a run have curves: those that it logged first.
MOST_CURVES = 1_000
# From so many new lines on a drawing is kept. Fewer are read again each time, which costs less than writing all curves.
WORTH_KEEPING = 2_000
RUNS_AT_ONCE = 200


@dataclass(slots=True)
class Drawing:
    """The curves of a run's stream up to a line, and when that line arrived."""

    run: Run
    stream: Stream
    line: int = 0
    arrived_at: datetime | None = None
    curves: dict[str, Curve] = field(default_factory=dict)

    @property
    def lines_behind(self) -> int:
        """How many lines were logged since."""
        logged = self.run.history_lines if self.stream == Stream.HISTORY else self.run.system_lines
        return logged - self.line

    def draw_on(self, *, deadline: float, only: Collection[str] | None = None) -> set[str]:
        """Read what was logged since, of all metrics or `only` some, until the deadline (of `time.monotonic`); the
        metrics whose curves got longer."""
        longer: set[str] = set()
        chunks = self.run.chunks.filter(stream=self.stream, first_line__gte=self.line).order_by("first_line")
        for chunk in chunks.iterator(chunk_size=20):
            if time.monotonic() > deadline:
                break
            since = self.arrived_at or self.run.started_at or self.run.created_at
            for metric, points in points_of(chunk, since=since, only=only).items():
                if metric in self.curves or (self._has_room and is_drawable(metric, self.stream)):
                    self.curves[metric] = self.curves.get(metric, Curve()).extended(points)
                    longer.add(metric)
            self.line, self.arrived_at = chunk.first_line + chunk.line_count, chunk.created_at
        return longer

    @property
    def _has_room(self) -> bool:
        return len(self.curves) < MOST_CURVES


def stream_of(metric: str) -> Stream:
    """The stream whose lines hold the metric, told by its name as automations tell it."""
    return Stream.SYSTEM if metric.startswith(SYSTEM_PREFIX) else Stream.HISTORY


def is_drawable(metric: str, stream: Stream) -> bool:
    """Whether there can be a curve of this name: names may be anything, and the database does not take all of them."""
    return len(metric) <= MAX_NAME_LENGTH and mended(metric) == metric and stream_of(metric) == stream


def kept(runs: Iterable[Run], stream: Stream, metrics: Sequence[str] | None = None) -> dict[int, Drawing]:
    """What is kept of some runs, by their keys; of all metrics or some. Costs two queries."""
    drawings = {run.pk: Drawing(run, stream) for run in runs}
    drawn = DrawnUpTo.objects.filter(stream=stream)
    for place in drawn.filter(run__in=drawings):
        drawings[place.run_id].line, drawings[place.run_id].arrived_at = place.line, place.arrived_at
    # Each curve says in the same query how far it goes: between two queries somebody else may draw on.
    here = drawn.filter(run=OuterRef("run"))
    curves = MetricCurve.objects.filter(run__in=drawings).filter(_of_stream(stream, metrics))
    rows = curves.annotate(line=Subquery(here.values("line")), arrived_at=Subquery(here.values("arrived_at")))
    for run, metric, payload, line, arrived_at in rows.values_list("run_id", "metric", "payload", "line", "arrived_at"):
        drawing = drawings[run]
        drawing.curves[metric] = Curve.unpack(bytes(payload))
        drawing.line, drawing.arrived_at = line, arrived_at
    return drawings


def catch_up(run: Run, stream: Stream, *, deadline: float) -> Drawing:
    """Draw all curves of a run's stream on until the deadline, and keep them."""
    drawing = kept([run], stream)[run.pk]
    before = drawing.line
    longer = drawing.draw_on(deadline=deadline)
    if drawing.line != before:
        with suppress(IntegrityError):  # the run was deleted meanwhile
            _keep(drawing, before=before, longer=longer)
    return drawing


def catch_up_with_all(*, seconds: float) -> int:
    """Bring kept curves up to date where it is worth it, of the newest runs first; the number of runs that were."""
    deadline = time.monotonic() + seconds
    caught = 0
    for stream in Stream:
        for run in _behind(stream):
            if time.monotonic() > deadline:
                return caught
            catch_up(run, stream, deadline=deadline)
            caught += 1
    return caught


def _behind(stream: Stream) -> list[Run]:
    """Runs that logged much since their curves were drawn, or anything before they ended."""
    logged = F("history_lines" if stream == Stream.HISTORY else "system_lines")
    drawn = Subquery(DrawnUpTo.objects.filter(run=OuterRef("pk"), stream=stream).values("line"))
    runs = Run.objects.annotate(behind=logged - Coalesce(drawn, 0)).filter(behind__gt=0)
    open_states = [RunState.PENDING, RunState.RUNNING]
    worth_it = runs.filter(Q(behind__gte=WORTH_KEEPING) | ~Q(state__in=open_states))
    return list(worth_it.defer("config", "summary", "notes").order_by("-pk")[:RUNS_AT_ONCE])


def _of_stream(stream: Stream, metrics: Sequence[str] | None) -> Q:
    if metrics is not None:
        return Q(metric__in=metrics)
    of_system = Q(metric__startswith=SYSTEM_PREFIX)
    return of_system if stream == Stream.SYSTEM else ~of_system


def _keep(drawing: Drawing, *, before: int, longer: Collection[str]) -> None:
    """Unless somebody else has drawn on meanwhile."""
    with transaction.atomic():
        place, _ = DrawnUpTo.objects.get_or_create(run=drawing.run, stream=drawing.stream)
        mine = DrawnUpTo.objects.filter(pk=place.pk, line=before)
        if mine.update(line=drawing.line, arrived_at=drawing.arrived_at):
            MetricCurve.objects.bulk_create(
                [
                    MetricCurve(run=drawing.run, metric=metric, payload=drawing.curves[metric].pack())
                    for metric in sorted(longer)
                ],
                update_conflicts=True,
                unique_fields=["run", "metric"],
                update_fields=["payload"],
            )
