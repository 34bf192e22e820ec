"""What load balancers and supervisors ask: is this process alive, and can the server do its work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import structlog
from django.db import DEFAULT_DB_ALIAS, DatabaseError, InterfaceError, connection, connections
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django_q.brokers import get_broker
from django_q.conf import Conf
from django_q.status import Stat
from redis.exceptions import RedisError

from automations.models import Execution

log = structlog.get_logger(__name__)

OUT_OF_REACH = (DatabaseError, InterfaceError, RedisError, OSError)


@dataclass(frozen=True, slots=True)
class Finding:
    """How one part of the server does, with a sentence for the operator that holds no addresses or credentials."""

    ok: bool
    sentence: str


@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers. Asks nothing else, so that a slow database does not get web servers restarted."""
    return HttpResponse("ok\n", content_type="text/plain; charset=utf-8")


@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """Whether the server can do its work: 200, or 503 with the part that keeps it from it."""
    findings = {name: _examined(name, examine) for name, examine in PARTS.items()}
    ready = all(finding.ok for finding in findings.values())
    parts = {name: {"ok": finding.ok, "sentence": finding.sentence} for name, finding in findings.items()}
    return JsonResponse({"ready": ready, "parts": parts}, status=200 if ready else 503)


def _examined(name: str, examine: Callable[[], Finding]) -> Finding:
    try:
        return examine()
    except OUT_OF_REACH as problem:
        # The log may hold what the answer may not: anybody can ask.
        log.warning("not_ready", part=name, problem=str(problem))
        return Finding(ok=False, sentence=f"The {name} cannot be asked ({type(problem).__name__}); see the log.")


def database() -> Finding:
    """Whether the database answers."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return Finding(ok=True, sentence="The database answers.")


def migrations() -> Finding:
    """Whether the tables are those this version of the code expects."""
    executor = MigrationExecutor(connections[DEFAULT_DB_ALIAS])
    pending = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    if pending:
        plural = "s are" if pending > 1 else " is"
        return Finding(ok=False, sentence=f"{pending} migration{plural} pending: run “manage.py migrate”.")
    return Finding(ok=True, sentence="The tables are up to date.")


def queue() -> Finding:
    """Whether the queue answers, and how much is due."""
    tasks_waiting()
    waiting = Execution.objects.due(timezone.now()).count()
    executions = "1 execution is" if waiting == 1 else f"{waiting} executions are"
    return Finding(ok=True, sentence=f"The queue answers; {executions} due.")


def workers() -> Finding:
    """Whether queue workers anywhere reported in the last seconds, as each cluster does once a second."""
    count = workers_alive()
    if not count:
        return Finding(
            ok=False,
            sentence="No queue worker reports to be alive, so automations wait: start one with “manage.py serve”.",
        )
    verb = "worker reports" if count == 1 else "workers report"
    return Finding(ok=True, sentence=f"{count} queue {verb} to be alive.")


def tasks_waiting() -> int:
    """How many tasks wait for a worker now."""
    return int(get_broker().queue_size())


def workers_alive() -> int:
    """How many queue workers, on any host, reported in the last seconds."""
    ending = {str(Conf.STOPPING), str(Conf.STOPPED)}
    return sum(len(stat.workers) for stat in Stat.get_all() if str(stat.status) not in ending)


PARTS: dict[str, Callable[[], Finding]] = {
    "database": database,
    "migrations": migrations,
    "queue": queue,
    "workers": workers,
}
