"""Many runs' metrics at a glance: what plots are drawn of."""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from typing import Any

import numpy as np
import orjson
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from projects import access, closeups, plots
from projects.api.endpoints import Endpoint
from projects.closeups import Stretch
from projects.curves import Curve, short
from projects.drawing import stream_of
from projects.models import Run
from projects.models.history import Stream

MOST_RUNS = 200
MOST_METRICS = 12
MOST_CLOSE_UP = 20
AXES = ("step", "time", "relative")
CURVE = {"metric": "loss", "run": "k3v9x2ab", "count": 3, "not_finite": 1, "x": [0, 1, 2], "y": [0.9, None, 0.7]}


@extend_schema_serializer(examples=[OpenApiExample("Curve", value=CURVE)])
class CurveSerializer(serializers.Serializer):
    """The outline of one metric of one run."""

    metric = serializers.CharField()
    run = serializers.CharField()
    count = serializers.IntegerField(help_text="How many values were logged.")
    not_finite = serializers.IntegerField(help_text="How many of them are NaN or infinite.")
    x = serializers.ListField(
        child=serializers.FloatField(), help_text="Steps, or seconds since 1970, or since the run started."
    )
    y = serializers.ListField(
        child=serializers.FloatField(allow_null=True), help_text="Values; null where one is not finite."
    )


@extend_schema_serializer(examples=[OpenApiExample("Curves", value={"curves": [CURVE], "behind": []})])
class CurvesSerializer(serializers.Serializer):
    curves = CurveSerializer(many=True)
    behind = serializers.ListField(
        child=serializers.CharField(),
        help_text="Runs of which more was logged: ask again for these, or for less of them.",
    )


class Curves(Endpoint):
    @extend_schema(
        summary="Outline metrics of runs",
        responses=CurvesSerializer,
        parameters=[
            OpenApiParameter("metric", str, many=True, required=True, description=f"At most {MOST_METRICS} metrics."),
            OpenApiParameter("run", str, many=True, required=True, description=f"Ids of at most {MOST_RUNS} runs."),
            OpenApiParameter(
                "x",
                str,
                enum=AXES,
                description="What x is; steps unless told. relative: seconds since the run started.",
            ),
            OpenApiParameter(
                "from", float, description=f"Only what lies from here, of at most {MOST_CLOSE_UP} runs; with “to”."
            ),
            OpenApiParameter("to", float, description="… to here, outlined as closely as if nothing else was logged."),
        ],
    )
    def get(self, request: Request, team: str, project: str) -> HttpResponse:
        """Of each metric in each run up to some 500 points, with every peak and dip of what was logged in between."""
        found = access.project_for(self.user, team, project)
        metrics = _some(request, "metric", most=MOST_METRICS)
        stretch = _stretch(request)
        ids = _some(request, "run", most=MOST_CLOSE_UP if stretch else MOST_RUNS)
        axis = request.query_params.get("x", AXES[0])
        if axis not in AXES:
            raise ValidationError({"x": f"This is one of {', '.join(AXES)}."})
        runs = list(Run.objects.filter(project=found, run_id__in=ids).defer("config", "summary", "notes"))
        drawn = _close_up(runs, metrics, axis, *stretch) if stretch else _document(runs, metrics, axis)
        return HttpResponse(drawn, content_type="application/json")


def _some(request: Request, name: str, *, most: int) -> list[str]:
    given = list(dict.fromkeys(request.query_params.getlist(name)))
    if not given or len(given) > most:
        raise ValidationError({name: f"Name one to {most}, for example ?{name}=a&{name}=b."})
    return given


def _stretch(request: Request) -> tuple[float, float] | None:
    """From where to where one looks closely; None: at everything."""
    given = [request.query_params.get(name) for name in ("from", "to")]
    if given == [None, None]:
        return None
    try:
        first, last = (float(text or "") for text in given)
    except ValueError:
        first = last = math.nan
    if not (math.isfinite(first) and math.isfinite(last) and first <= last):
        raise ValidationError({"from": "Give two numbers, the smaller as “from”, the larger as “to”."})
    return first, last


def _close_up(runs: list[Run], metrics: list[str], axis: str, first: float, last: float) -> bytes:
    """Read anew each time: nobody looks twice at the same stretch. Of those `behind` there is too much of it."""
    deadline = time.monotonic() + closeups.PATIENCE
    texts, behind = [], []
    for run in runs:
        begin = _started(run) if axis == "relative" else 0
        stretch = Stretch("step" if axis == "step" else "time", begin + first, begin + last)
        curves = closeups.drawn(run, metrics, stretch, deadline=deadline)
        texts += [_text(run, metric, curve, axis) for metric, curve in (curves or {}).items()]
        behind += [run.run_id] if curves is None else []
    return b'{"curves":[%b],"behind":%b}' % (b",".join(texts), orjson.dumps(behind))


def _document(runs: list[Run], metrics: list[str], axis: str) -> bytes:
    """Written by orjson, curve by curve: there may be a million numbers, and mostly the same as a moment ago."""
    keys = {(run.pk, metric): (run.pk, metric, axis, _lines(run, metric)) for run in runs for metric in metrics}
    texts = {place: text for place, key in keys.items() if (text := _written.get(key)) is not None}
    stale = [run for run in runs if any((run.pk, metric) not in texts for metric in metrics)]
    drawn = plots.draw(stale, metrics)
    for run in stale:
        for metric in metrics:
            curve = drawn.curves[metric].get(run.pk)
            text = _text(run, metric, curve, axis) if curve else b""
            texts[run.pk, metric] = text
            if run.pk not in drawn.behind:
                _written.put(keys[run.pk, metric], text)
    behind = orjson.dumps([run.run_id for run in runs if run.pk in drawn.behind])
    return b'{"curves":[%b],"behind":%b}' % (b",".join(filter(None, texts.values())), behind)


def _lines(run: Run, metric: str) -> int:
    """How much there is to draw: as long as that stays the same, the curve does."""
    return run.history_lines if stream_of(metric) == Stream.HISTORY else run.system_lines


def _started(run: Run) -> float:
    return (run.started_at or run.created_at).timestamp()


def _text(run: Run, metric: str, curve: Curve, axis: str) -> bytes:
    x, y = curve.points("step" if axis == "step" else "time")
    if axis == "relative":
        x = x - _started(run)
    outline = {
        "metric": metric,
        "run": run.run_id,
        "count": curve.count,
        "not_finite": curve.odd,
        # Milliseconds are exact enough for a plot.
        "x": x.astype(np.int64) if axis == "step" else np.round(x, 3),
        "y": np.ascontiguousarray(short(y)),
    }
    return orjson.dumps(outline, option=orjson.OPT_SERIALIZE_NUMPY)


class Written:
    """Curves as they were written last, forgotten oldest first once they take up too much memory."""

    def __init__(self, most_bytes: int) -> None:
        self.most_bytes = most_bytes
        self.bytes = 0
        self._texts: OrderedDict[tuple[Any, ...], bytes] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: tuple[Any, ...]) -> bytes | None:
        """The curve, or None if it is not known."""
        with self._lock:
            text = self._texts.get(key)
            if text is not None:
                self._texts.move_to_end(key)
        return text

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._texts.clear()
            self.bytes = 0

    def put(self, key: tuple[Any, ...], text: bytes) -> None:
        """Remember a curve."""
        with self._lock:
            self.bytes += len(text) - len(self._texts.pop(key, b""))
            self._texts[key] = text
            while self.bytes > self.most_bytes:
                self.bytes -= len(self._texts.popitem(last=False)[1])


_written = Written(most_bytes=24_000_000)


def forget() -> None:
    """Forget what was written; for measurements."""
    _written.clear()
