"""`/metrics` for Prometheus (RE4): what is under way, what came of the last hour, what waits, what fails.

Everything is asked of the database when somebody scrapes, so that any web server gives the same answer; each figure
goes by an index, however long the history is.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Case, CharField, Count, Min, Value, When
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from automations import health, notices
from automations.models import Attempt, Execution, Notice, Purge, Status

HOUR = timedelta(hours=1)
Sample = tuple[str, float]
# Answers by what they mean: of those without one, there was no connection, or none in time.
OUTCOME = Case(
    When(status_code__gte=200, status_code__lt=300, then=Value("taken")),
    When(status_code__gte=500, then=Value("server_error")),
    When(status_code__isnull=False, then=Value("refused")),
    When(error="", duration=None, then=Value("under_way")),
    default=Value("no_answer"),
    output_field=CharField(),
)


@never_cache
@require_safe
def show(request: HttpRequest) -> HttpResponse:
    """The figures, for who sends METRICS_TOKEN as bearer token; to everybody else there is no such page."""
    token: str = settings.METRICS_TOKEN
    given = request.headers.get("Authorization", "")
    if not token or not constant_time_compare(given, f"Bearer {token}"):
        raise Http404("There is no such page.")
    body = "".join(_lines(timezone.now()))
    return HttpResponse(body, content_type="text/plain; version=0.0.4; charset=utf-8")


def _lines(at: datetime) -> Iterator[str]:
    for name, says, samples in _figures(at):
        full = f"automations_{name}"
        yield f"# HELP {full} {says}\n# TYPE {full} gauge\n"
        yield from (f"{full}{labels} {round(value, 3)}\n" for labels, value in samples)


def _figures(at: datetime) -> Iterator[tuple[str, str, list[Sample]]]:
    yield "executions_unfinished", "Executions that wait or are carried out now.", _unfinished()
    yield "executions_last_hour", "Executions of the last hour, by what came of them.", _of_the_last_hour(at)
    yield "attempts_last_hour", "Tries to send of executions of the last hour, by outcome.", _attempts(at)
    yield "oldest_due_seconds", "How long the oldest execution whose time has come waits.", [("", _oldest_due(at))]
    yield "queue_tasks", "Tasks that wait in the queue.", [("", health.tasks_waiting())]
    yield "queue_workers", "Queue workers that report to be alive.", [("", health.workers_alive())]
    yield "failing", "What fails since its last success.", _failing()
    yield "notices_open", "Notices whose reason still holds.", [("", Notice.objects.filter(closed_at=None).count())]
    yield from _purges()


def _unfinished() -> list[Sample]:
    return [
        (f'{{status="{status.value}"}}', Execution.objects.filter(status=status).count())
        for status in (Status.PENDING, Status.RUNNING)
    ]


def _of_the_last_hour(at: datetime) -> list[Sample]:
    recent = Execution.objects.filter(created_at__gte=at - HOUR).order_by()
    counts = dict(recent.values_list("status").annotate(count=Count("pk")))
    return [(f'{{status="{status}"}}', counts.get(status, 0)) for status in Status.values]


def _attempts(at: datetime) -> list[Sample]:
    recent = Attempt.objects.filter(execution__created_at__gte=at - HOUR).order_by()
    counts = dict(recent.annotate(outcome=OUTCOME).values_list("outcome").annotate(count=Count("pk")))
    outcomes = ("taken", "refused", "server_error", "no_answer", "under_way")
    return [(f'{{outcome="{outcome}"}}', counts.get(outcome, 0)) for outcome in outcomes]


def _oldest_due(at: datetime) -> float:
    waiting = Execution.objects.filter(status=Status.PENDING, next_attempt_at__lte=at)
    oldest: datetime | None = waiting.aggregate(oldest=Min("next_attempt_at"))["oldest"]
    return (at - oldest).total_seconds() if oldest else 0.0


def _failing() -> list[Sample]:
    return [
        (f'{{kind="{kind}"}}', model.objects.filter(failing_since__isnull=False).count())
        for model, kind in notices.FIELDS.items()
    ]


def _purges() -> Iterator[tuple[str, str, list[Sample]]]:
    last = Purge.objects.first()
    if last is None:
        return
    rows: list[Sample] = [(f'{{of="{of}"}}', getattr(last, of)) for of in ("executions", "events", "notices")]
    yield "purge_started_timestamp", "When old history was deleted last.", [("", last.started_at.timestamp())]
    yield "purge_deleted_rows", "What the last purge deleted.", rows
    yield "purge_complete", "Whether the last purge left nothing for the next.", [("", float(bool(last.complete)))]
