"""EV13: only re-arming lets an automation fire again for a run within 24 hours, and it is written down who did it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils import timezone

from automations import editing, rearming
from automations.models import Automation, Cooldown, Execution
from projects import runs
from projects.models import Project, Run, User
from tests import factories

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)


def fail(run: Run) -> int:
    """The run fails once more; how many executions are there now?"""
    run.refresh_from_db()
    if run.state == "failed":
        runs.start_again(run, by=factories.make_user(), at=timezone.now())
    runs.finish(run, exit_code=1, by=None, at=timezone.now())
    return Execution.objects.count()


@pytest.fixture
def automation(project: Project) -> Automation:
    return factories.make_automation(project)


def test_ev13_disabling_editing_enabling_and_making_live_rearm_nothing(
    automation: Automation, project: Project, alice: User
) -> None:
    run = factories.make_run(project)
    assert [fail(run), fail(run)] == [1, 1]
    editing.set_enabled(automation, False, by=alice)
    editing.set_enabled(automation, True, by=alice)
    editing.change(automation, by=alice, description="edited", shadow=True)
    editing.make_live(automation, by=alice)
    assert fail(run) == 1


def test_ev13_rearmed_it_fires_again_for_all_runs(automation: Automation, project: Project, alice: User) -> None:
    first, second = factories.make_run(project), factories.make_run(project)
    fail(first)
    assert fail(second) == 2

    assert rearming.rearm(automation, by=alice, at=NOON) == 2
    assert [fail(first), fail(second), fail(second)] == [3, 4, 4]
    automation.refresh_from_db()
    assert (automation.rearmed_by, automation.rearmed_at) == (alice, NOON)


def test_ev13_for_one_run_alone(automation: Automation, project: Project, alice: User) -> None:
    first, second = factories.make_run(project), factories.make_run(project)
    fail(first)
    fail(second)

    assert rearming.rearm(automation, by=alice, at=NOON, run=second) == 1
    assert [fail(first), fail(second)] == [2, 3]


def test_ev13_another_automation_stays_quiet(automation: Automation, project: Project, alice: User) -> None:
    other = factories.make_automation(project, name="other")
    fail(factories.make_run(project))

    rearming.rearm(automation, by=alice, at=NOON)
    assert Cooldown.objects.get().automation == other


def test_ev13_only_who_may_edit_it_rearms_it(automation: Automation, bob: User, charlie: User) -> None:
    for user, refusal in ((bob, PermissionDenied), (charlie, Http404)):
        with pytest.raises(refusal):
            rearming.rearm(automation, by=user, at=NOON)
    automation.refresh_from_db()
    assert automation.rearmed_at is None
