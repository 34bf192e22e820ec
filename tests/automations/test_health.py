"""RE4: what load balancers and supervisors are told."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.cache import caches
from django.db import OperationalError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from django_q.brokers import get_broker
from django_q.conf import Conf
from django_q.signing import SignedPackage
from django_q.status import Stat, Status

from tests import factories

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def clean_cache(db: None) -> Iterator[None]:
    """What clusters reported is in a cache, which outlives a test's transaction where that is Redis."""
    caches["shared"].clear()
    yield
    caches["shared"].clear()


def report(*, workers: int, status: str = str(Conf.IDLE)) -> None:
    """Let a cluster say that it is alive, as its sentinel does once a second."""
    stat = Status(pid=1, cluster_id="a-cluster")
    stat.workers, stat.status = list(range(workers)), status
    get_broker().set_stat(Stat.get_key("a-cluster"), SignedPackage.dumps(stat, True), 3)


def asked(client: Client) -> tuple[int, dict[str, Any]]:
    answer = client.get("/readyz")
    return answer.status_code, answer.json()["parts"]


def test_a_living_process_says_so_without_the_database(client: Client) -> None:
    """The database is out of reach here: a test that is not marked for it may not touch it."""
    answer = client.get("/healthz")

    assert (answer.status_code, answer.content) == (200, b"ok\n")
    assert "no-store" in answer.headers["Cache-Control"]


@pytest.mark.usefixtures("clean_cache")
def test_with_workers_alive_the_server_is_ready(client: Client) -> None:
    report(workers=2)

    status, parts = asked(client)

    assert status == 200
    assert parts == {
        "database": {"ok": True, "sentence": "The database answers."},
        "migrations": {"ok": True, "sentence": "The tables are up to date."},
        "queue": {"ok": True, "sentence": "The queue answers; 0 executions are due."},
        "workers": {"ok": True, "sentence": "2 queue workers report to be alive."},
    }


@pytest.mark.usefixtures("clean_cache")
def test_without_workers_it_is_not_ready(client: Client) -> None:
    status, parts = asked(client)

    assert status == 503
    assert not parts["workers"]["ok"]
    assert parts["database"]["ok"]


@pytest.mark.usefixtures("clean_cache")
def test_a_cluster_that_stopped_reporting_is_dead(client: Client) -> None:
    with time_machine.travel(datetime(2026, 1, 1, tzinfo=UTC), tick=False) as clock:
        report(workers=2)
        assert asked(client)[0] == 200
        clock.shift(timedelta(seconds=10))
        assert asked(client)[0] == 503


@pytest.mark.usefixtures("clean_cache")
def test_a_cluster_that_is_stopping_does_not_count(client: Client) -> None:
    report(workers=2, status=str(Conf.STOPPING))

    assert asked(client)[0] == 503


@pytest.mark.usefixtures("clean_cache")
def test_what_is_due_is_counted(client: Client) -> None:
    factories.make_execution(status="pending")

    assert asked(client)[1]["queue"]["sentence"] == "The queue answers; 1 execution is due."


@pytest.mark.usefixtures("clean_cache")
def test_a_pending_migration_is_not_ready(client: Client) -> None:
    (newest,) = MigrationLoader(connection).graph.leaf_nodes("automations")
    MigrationRecorder(connection).record_unapplied(*newest)

    status, parts = asked(client)

    assert status == 503
    assert not parts["migrations"]["ok"]
    assert "pending: run “manage.py migrate”" in parts["migrations"]["sentence"]


@pytest.mark.usefixtures("clean_cache")
def test_a_database_that_does_not_answer_is_said_without_its_address(client: Client) -> None:
    def refuse(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        raise OperationalError("connection to db.internal as root:hunter2 refused")

    with connection.execute_wrapper(refuse):
        answer = client.get("/readyz")

    assert answer.status_code == 503
    assert answer.json()["parts"]["database"] == {
        "ok": False,
        "sentence": "The database cannot be asked (OperationalError); see the log.",
    }
    assert b"hunter2" not in answer.content


@pytest.mark.django_db
def test_only_reading_is_possible(client: Client) -> None:
    assert client.post("/readyz").status_code == 405
    assert client.head("/healthz").status_code == 200


def test_a_queue_out_of_reach_is_a_sentence(tmp_path: Path) -> None:
    """In a process of its own, because the queue reads its settings once."""
    ask = (
        "import django; django.setup()\n"
        "from django.test import Client\n"
        "answer = Client(HTTP_HOST='localhost').get('/readyz')\n"
        "print(answer.status_code, answer.content.decode())"
    )
    kept = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    done = subprocess.run(
        [sys.executable, "-c", ask],
        cwd=ROOT,
        env=kept | {"DATA_DIR": str(tmp_path), "REDIS_URL": "redis://:hunter2@127.0.0.1:1"},
        capture_output=True,
        text=True,
        check=True,
    )
    status, _, body = done.stdout.strip().splitlines()[-1].partition(" ")
    parts = json.loads(body)["parts"]
    assert status == "503"
    assert parts["queue"]["sentence"] == "The queue cannot be asked (ConnectionError); see the log."
    assert not parts["workers"]["ok"]
    assert parts["database"]["ok"]
    assert "hunter2" not in done.stdout + done.stderr
