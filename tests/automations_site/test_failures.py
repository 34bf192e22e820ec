"""What nobody foresaw: the answer fits who asked, and gives nothing away."""

import errno
import html
from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from rest_framework.test import APIClient

from projects import access, metrics, outages
from projects.models import Run, User
from tests import factories


def fail(*args: Any, **kwargs: Any) -> Any:
    raise RuntimeError("canary-of-the-fault")


@pytest.fixture
def run(project: Any) -> Run:
    """A run of the project digits."""
    return factories.make_run(project)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_fault_under_the_api_is_answered_with_a_problem_document(
    api: Callable[[User | None], APIClient], run: Run, bob: User, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    """IF3: also where the hot path goes around the framework."""
    monkeypatch.setattr(access, "run_for", fail)
    monkeypatch.setattr(metrics, "append", fail)
    client = api(bob)
    client.raise_request_exception = False
    path = f"/api/projects/research/digits/runs/{run.run_id}/metrics/?key=loss"

    answer = client.generic(method, path, "[]", "application/json")

    assert answer.status_code == 500
    assert answer.headers["Content-Type"] == "application/problem+json"
    told = answer.json()
    assert (told["status"], told["title"]) == (500, "Internal Server Error")
    assert "not at fault" in told["detail"]
    assert "canary" not in answer.text


def test_a_fault_of_a_page_is_answered_with_a_page(
    client: Client, run: Run, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "run_for", fail)
    client.force_login(bob)
    client.raise_request_exception = False

    answer = client.get(run.get_absolute_url())

    assert answer.status_code == 500
    assert "<h1>" in answer.text
    assert "canary" not in answer.text


@pytest.mark.parametrize("outage", [outages.FULL, outages.AWAY])
def test_an_outage_says_what_it_is_and_that_nothing_was_kept(
    api: Callable[[User | None], APIClient],
    run: Run,
    bob: User,
    monkeypatch: pytest.MonkeyPatch,
    outage: outages.Outage,
) -> None:
    """IF3: with a status by which scripts know that the same request may work later, in pages as in the API."""

    def away(*args: Any, **kwargs: Any) -> Any:
        raise OperationalError("canary-of-the-fault") from OSError(
            errno.ENOSPC if outage is outages.FULL else errno.EIO, "canary"
        )

    monkeypatch.setattr(access, "run_for", away)
    monkeypatch.setattr(metrics, "append", away)
    script, client = api(bob), Client(raise_request_exception=False)
    script.raise_request_exception = False
    client.force_login(bob)

    told = script.post(f"/api/projects/research/digits/runs/{run.run_id}/metrics/", [], format="json")
    page = client.get(run.get_absolute_url())

    assert (told.status_code, page.status_code) == (outage.status, outage.status)
    assert told.json()["detail"] == str(outage.sentence)
    assert "nothing of this request was kept" in str(outage.sentence)
    assert str(outage.sentence) in html.unescape(page.text)
    assert told.headers["Retry-After"] == page.headers["Retry-After"] == "10"
    assert "canary" not in told.text + page.text
