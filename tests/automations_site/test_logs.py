"""Logs are one JSON object per line, carry the id of their request, and never the values of extra fields."""

import json
import subprocess
import sys

import structlog
from django.http import HttpRequest, HttpResponse

from automations_site import logs
from tests.receiver import Receiver

PROGRAM = """
import logging, logging.config, structlog
from automations_site import logs
logging.config.dictConfig(logs.configure(level="INFO", readable=False))
with structlog.contextvars.bound_contextvars(request_id="r-1"):
    structlog.get_logger("automations").info("execution_finished", execution_id=7)
    logging.getLogger("some.library").warning("sent %s", "it", extra={"body": "canary"})
try:
    1 / 0
except ZeroDivisionError:
    structlog.get_logger("automations").exception("failed")
structlog.get_logger("automations").debug("too quiet to be heard")
"""

SENDING = """
import logging, logging.config, sys, urllib3
from automations_site import logs
logging.config.dictConfig(logs.configure(level="DEBUG", readable=False))
logging.getLogger("some.library").debug("listening")
urllib3.PoolManager().request("POST", sys.argv[1])
"""


def test_every_line_is_one_json_object_with_the_bound_ids() -> None:
    answer = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=30, check=True)
    own, library, failure = (json.loads(line) for line in answer.stderr.splitlines())
    assert own["event"] == "execution_finished"
    assert (own["execution_id"], own["request_id"], own["level"]) == (7, "r-1", "info")
    assert (library["event"], library["request_id"], library["logger"]) == ("sent it", "r-1", "some.library")
    assert "ZeroDivisionError" in failure["exception"]
    assert "canary" not in answer.stderr


def test_se1_not_even_debugging_writes_down_where_requests_go() -> None:
    """The path of an incoming webhook is its credential."""
    with Receiver() as receiver:
        answer = subprocess.run(
            [sys.executable, "-c", SENDING, f"{receiver.url}/canary"],
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        )
        assert receiver.requests[0].path.endswith("/canary")
    assert "listening" in answer.stderr
    assert "canary" not in answer.stderr


def test_each_request_is_told_its_own_id() -> None:
    answer = logs.name_requests(lambda _: HttpResponse())
    first, second = (answer(HttpRequest())["X-Request-ID"] for _ in range(2))
    assert first != second
    assert len(first) == 32


def test_lines_of_a_request_carry_its_id() -> None:
    seen: list[object] = []

    def view(request: HttpRequest) -> HttpResponse:
        seen.append(structlog.contextvars.get_contextvars()["request_id"])
        return HttpResponse()

    assert [logs.name_requests(view)(HttpRequest())["X-Request-ID"]] == seen
    assert "request_id" not in structlog.contextvars.get_contextvars()
