"""Alerts of scripts: told once within the time to wait, never cut off by their size."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.utils import timezone

from projects import alerts
from projects.events import RUN_ALERT, Fact
from projects.models import AlertLevel, Run, RunAlert
from tests import factories

NOW = timezone.now()
MINUTE = timedelta(minutes=1)


@pytest.fixture
def run(db: None) -> Run:
    return factories.make_run()


def tell(run: Run, title: str = "Odd", text: str = "loss is 9", *, at: datetime = NOW) -> bool:
    return alerts.raise_alert(run, title=title, text=text, level=AlertLevel.WARN, wait=MINUTE, by=run.user, at=at)


def test_the_same_title_is_told_once_within_the_time_to_wait(run: Run, facts: list[Fact]) -> None:
    assert tell(run)
    assert not tell(run, text="and again", at=NOW + timedelta(seconds=59))
    assert tell(run, "Another")
    assert tell(run, text="later", at=NOW + MINUTE)

    told = [fact for fact in facts if fact.kind == RUN_ALERT]
    assert [fact.details["text"] for fact in told] == ["loss is 9", "loss is 9", "later"]
    assert len({fact.dedupe_key for fact in told}) == 3
    assert told[0].details == {
        "entity": "research",
        "project": "digits",
        "title": "Odd",
        "text": "loss is 9",
        "level": "WARN",
    }
    assert told[0].facts["name"] == run.run_id
    kept = RunAlert.objects.get(title="Odd")
    assert (kept.count, kept.text, kept.raised_at) == (2, "later", NOW + MINUTE)


def test_another_run_has_its_own_time_to_wait(run: Run) -> None:
    assert tell(run)
    assert tell(factories.make_run())


def test_long_and_strange_texts_are_told_all_the_same(run: Run) -> None:
    assert tell(run, title="t" * 5_000, text="\x00" + "x" * 50_000)
    kept = RunAlert.objects.get()
    assert (len(kept.title), len(kept.text)) == (1_000, 10_000)
    assert kept.title.endswith("…")
    assert not tell(run, title="t" * 5_000)


@pytest.mark.django_db(transaction=True)
def test_of_alerts_raised_in_the_same_moment_one_is_told() -> None:
    run = factories.make_run()

    def raised(_: int) -> bool:
        try:
            return tell(run)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(raised, range(8))) == [False] * 7 + [True]
