"""Where other runs of the project stand: the latest value of one metric in each of them."""

from __future__ import annotations

from datetime import datetime

import numpy as np
from django.db.models import OuterRef, Q, QuerySet, Subquery

from projects.jsonkeys import Key
from projects.metrics import places_of, value_at
from projects.models import MetricWindow, Run
from projects.recent import FLOAT64

# The most recently active runs are looked for among so many of the newest, which bounds what one look costs.
LOOKED_AMONG = 1_000


def latest_values(run: Run, metric: str, *, count: int) -> list[float]:
    """The metric's latest value in the `count` most recently active other runs that logged it, in that order.

    The summary has it, unless the script keeps something else there or it is a system metric: then it is the last value
    of the run's window, which there is since the metric is watched. Costs one query.
    """
    others = Run.objects.filter(pk__in=_newest(run.project_id)).exclude(pk=run.pk)
    # Twice as many, since some may keep no number there.
    return [value for _, value in _standing(others, metric, most=2 * count)][:count]


def standing_before(project: int, metric: str, *, moment: datetime) -> list[tuple[int, float]]:
    """Runs of the project that were last heard of before a moment, each with the metric's latest value, the most
    recently active first."""
    silent = Run.objects.filter(pk__in=_newest(project), heartbeat_at__lt=moment)
    return _standing(silent, metric, most=LOOKED_AMONG)


def _newest(project: int) -> QuerySet[Run, int]:
    newest = Run.objects.filter(project=project).order_by("-created_at", "-pk")
    return newest.values_list("pk", flat=True)[:LOOKED_AMONG]


def _standing(runs: QuerySet[Run], metric: str, *, most: int) -> list[tuple[int, float]]:
    window = MetricWindow.objects.filter(run=OuterRef("pk"), metric=metric).exclude(values=b"")
    places = places_of(metric)
    rows = (
        runs.annotate(last_values=Subquery(window.values("values")[:1]))
        .filter(Q(summary__has_any_keys=list(places)) | Q(last_values__isnull=False))
        .order_by("-heartbeat_at", "-pk")
        .values_list("pk", "last_values", *(Key(place, "summary") for place in places))
    )
    found = []
    for pk, packed, *logged in rows[:most]:
        value = value_at(dict(zip(places, logged, strict=True)), metric)
        if value is None and packed:
            value = float(np.frombuffer(bytes(packed), dtype=FLOAT64)[-1])
        if value is not None:
            found.append((pk, value))
    return found
