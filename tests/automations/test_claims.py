"""Which executions a worker may take: what is asked of the database at every ring, and what it then takes."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from automations import claims
from automations.models import Execution, Status
from tests import factories

pytestmark = pytest.mark.django_db
PAST, FUTURE = timedelta(minutes=-1), timedelta(minutes=1)


@pytest.mark.parametrize("is_due", [True, False])
@pytest.mark.parametrize(
    ("status", "field", "fields"),
    [
        (Status.PENDING, "next_attempt_at", {}),
        (Status.PENDING, "next_attempt_at", {"waits_for_digest": True}),
        (Status.RUNNING, "claimed_until", {}),
    ],
)
def test_the_quick_question_is_answered_as_the_query_for_what_is_due(
    status: Status, field: str, fields: dict[str, Any], is_due: bool
) -> None:
    now = timezone.now()
    automation = factories.make_automation()
    factories.make_execution(automation, status=Status.FINISHED)
    assert not claims._is_anything_due(now)
    factories.make_execution(automation, status=status, **fields, **{field: now + (PAST if is_due else FUTURE)})
    assert claims._is_anything_due(now) == Execution.objects.due(now).exists() == (is_due and not fields)
