"""What automations have to say on the plots of a project: thresholds they wait for, and where they fired."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, JsonResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from automations import retelling, sentences
from automations.models import Automation, Execution
from automations.triggers import METRIC_EVENTS, WATCHING_EVENTS
from projects.access import project_for
from projects.events import Scopes
from projects.models import Project

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from projects.models import User

MOST_FIRINGS = 500
SYMBOLS = {"$gt": ">", "$gte": "≥", "$lt": "<", "$lte": "≤", "$eq": "=", "$ne": "≠"}

Marks = dict[str, dict[str, list[dict[str, Any]]]]


@login_required
@require_safe
def of_project(request: HttpRequest, team: str, project: str) -> JsonResponse:
    """By metric: the automations `watching` it, the `thresholds` among them, and the newest `firings`."""
    found = project_for(request.user, team, project)
    marks: Marks = defaultdict(lambda: {"watching": [], "thresholds": [], "firings": []})
    _add_watching(marks, found, request.user)
    _add_firings(marks, found, request.user)
    return JsonResponse(marks)


def _add_watching(marks: Marks, project: Project, user: User | AnonymousUser) -> None:
    scopes = Scopes(organization=project.team.organization_id, team=project.team_id, project=project.pk)
    listening = Automation.objects.visible_to(user).listening_to(WATCHING_EVENTS, scopes)
    for automation in listening.order_by("name", "pk"):
        condition = automation.condition if isinstance(automation.condition, dict) else {}
        metric, bound = condition.get("name"), condition.get("threshold")
        if not isinstance(metric, str) or not metric:
            continue
        text = sentences.when_clause(automation.event_type, automation.condition, automation.filter)
        watching = {"name": automation.name, "url": automation.get_absolute_url(), "text": text}
        marks[metric]["watching"].append(watching)
        symbol = SYMBOLS.get(str(condition.get("cmp_op")))
        if symbol and isinstance(bound, int | float):
            marks[metric]["thresholds"].append({"value": bound, "text": f"{symbol} {bound:g}"})


def _add_firings(marks: Marks, project: Project, user: User | AnonymousUser) -> None:
    """Of events whose runs are still there, newest first."""
    executions = (
        Execution.objects.visible_to(user)
        .filter(project=project, event_type__in=METRIC_EVENTS, event__run__isnull=False)
        .select_related("automation", "event__run")
        .only(
            "key",
            "rule",
            "matched_because",
            "automation__name",
            "event__details",
            "event__occurred_at",
            "event__run__run_id",
            # What it takes to say it in another language than that of the record.
            *([] if retelling.is_as_kept() else ["event__facts"]),
        )
        .order_by("-pk")[:MOST_FIRINGS]
    )
    for execution in executions:
        event, run = execution.event, execution.event.run
        details = event.details
        if run is None or "metric" not in details:
            continue
        marks[str(details["metric"])]["firings"].append(
            {
                "run": run.run_id,
                "step": details.get("step"),
                "at": event.occurred_at.timestamp(),
                "value": details.get("value"),
                "name": execution.automation.name if execution.automation else execution.rule.get("name", ""),
                "text": retelling.because(execution),
                "url": reverse("automations:execution", kwargs={"key": execution.key}),
            }
        )
