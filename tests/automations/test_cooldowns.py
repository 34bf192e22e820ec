"""EV11: once per run in a rolling 24 hours, by a statement that decides in the database."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction

from automations import cooldowns
from automations.models import Cooldown
from tests import factories

NOON = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)


@pytest.mark.django_db
def test_ev11_the_second_claim_within_a_day_is_counted_as_surplus() -> None:
    run, automation = factories.make_run(), factories.make_automation()
    pair = (automation.pk, "FAILED")
    assert cooldowns.claim([pair], run=run, at=NOON) == {pair}
    assert cooldowns.claim([pair], run=run, at=NOON + timedelta(hours=23, minutes=59)) == set()
    assert Cooldown.objects.get().surplus == 1


@pytest.mark.django_db
def test_ev11_the_window_rolls_from_the_last_firing() -> None:
    run, automation = factories.make_run(), factories.make_automation()
    pair = (automation.pk, "")
    for hours, fires in ((0, True), (23, False), (24, True), (47, False), (48, True)):
        assert bool(cooldowns.claim([pair], run=run, at=NOON + timedelta(hours=hours))) is fires
    assert Cooldown.objects.get().surplus == 0


@pytest.mark.django_db
def test_ev11_each_state_run_and_automation_has_a_window_of_its_own() -> None:
    run, other_run = factories.make_run(), factories.make_run()
    first, second = factories.make_automation(name="first"), factories.make_automation(name="second")
    wanted = [(first.pk, "FAILED"), (first.pk, "RUNNING"), (second.pk, "FAILED")]
    assert cooldowns.claim(wanted, run=run, at=NOON) == set(wanted)
    assert cooldowns.claim(wanted, run=other_run, at=NOON) == set(wanted)
    assert cooldowns.claim([(first.pk, "FINISHED")], run=run, at=NOON) == {(first.pk, "FINISHED")}


@pytest.mark.django_db
def test_a_claim_for_many_automations_is_one_statement(django_assert_num_queries: object) -> None:
    run = factories.make_run()
    pks = [factories.make_automation(name=f"number {i}").pk for i in range(30)]
    with django_assert_num_queries(1):  # type: ignore[operator]
        won = cooldowns.claim([(pk, "") for pk in pks], run=run, at=NOON)
    assert len(won) == 30


@pytest.mark.django_db
def test_claiming_nothing_is_fine() -> None:
    assert cooldowns.claim([], run=factories.make_run(), at=NOON) == set()


@pytest.mark.django_db(transaction=True)
def test_ev11_of_fifty_simultaneous_claims_one_wins() -> None:
    run, automation = factories.make_run(), factories.make_automation()
    pair = (automation.pk, "")

    def claim(_: int) -> int:
        try:
            with transaction.atomic():
                return len(cooldowns.claim([pair], run=run, at=NOON))
        finally:
            connection.close()

    with ThreadPoolExecutor(10) as pool:
        assert sum(pool.map(claim, range(50))) == 1
    assert Cooldown.objects.get().surplus == 49
