"""The plot in an automation's form: a metric over the latest runs that its scope covers, to choose a threshold by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from automations import covering
from automations.views.places import Place, organization_place, project_place, team_place
from projects import plots
from projects.curves import short
from projects.drawing import SYSTEM_PREFIX

if TYPE_CHECKING:
    from projects.curves import Axis, Curve
    from projects.models import Run, User

# Of so many of the newest runs, the lines of so many that logged the metric; and of those that are asked for as well.
LATEST = 20
LINES = 10
ASKED = 10


@login_required
@never_cache
@require_safe
def of_project(request: HttpRequest, team: str, project: str) -> JsonResponse:
    """A metric over the latest runs of a project."""
    return _drawn(request, project_place(request.user, team, project))


@login_required
@never_cache
@require_safe
def of_team(request: HttpRequest, team: str) -> JsonResponse:
    """A metric over the latest runs of a team's projects."""
    return _drawn(request, team_place(request.user, team))


@login_required
@never_cache
@require_safe
def of_organization(request: HttpRequest, organization: str) -> JsonResponse:
    """A metric over the latest runs in an organization, as far as the user may see them."""
    return _drawn(request, organization_place(request.user, organization))


def _drawn(request: HttpRequest, place: Place) -> JsonResponse:
    """The `runs` and their `curves`; `behind` says that there is more to draw, for who asks again."""
    metric = request.GET.get("metric", "")
    asked = [int(pk) for pk in request.GET.getlist("run")[:ASKED] if _is_key(pk)]
    covered = covering.runs_in(place.home, reader=cast("User", request.user)).defer("config", "summary", "notes")
    named = list(covered.filter(pk__in=asked)) if asked else []
    latest = [run for run in covered[:LATEST] if run not in named]
    drawn = plots.draw([*latest, *named], [metric])
    curves = drawn.curves[metric]
    shown = [*[run for run in latest if run.pk in curves][:LINES], *[run for run in named if run.pk in curves]]
    axis: Axis = "time" if metric.startswith(SYSTEM_PREFIX) else "step"
    return JsonResponse(
        {
            "runs": [_about(run, number) for number, run in enumerate(shown)],
            "curves": [_curve(run, curves[run.pk], axis) for run in shown],
            "behind": bool(drawn.behind),
        }
    )


def _is_key(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 18


def _about(run: Run, number: int) -> dict[str, Any]:
    """The run as a plot names it. Runs of several projects may share an id, so their keys tell them apart."""
    started = (run.started_at or run.created_at).timestamp()
    return {"run": str(run.pk), "name": run.display_name, "colour": number, "started": started}


def _curve(run: Run, curve: Curve, axis: Axis) -> dict[str, Any]:
    x, y = curve.points(axis)
    values = short(y).astype(float)
    return {
        "run": str(run.pk),
        "count": curve.count,
        "not_finite": curve.odd,
        "x": np.round(x, 3).tolist(),
        "y": [value if np.isfinite(value) else None for value in values.tolist()],
    }
