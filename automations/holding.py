"""Between claiming and sending: what a webhook's breaker, a channel's quiet hours or its noise budget hold back.

A held execution stays Pending, with the reason and the time when it is looked at again. Being held is no attempt.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from django.db.models import F

from automations.models import Execution, ReasonCode, Status


def hold(executions: Iterable[Execution], *, code: ReasonCode | str, result: str, due: datetime, **fields: Any) -> None:
    """Give claimed executions back until then, unless somebody else has them by now."""
    attempts = sorted(executions, key=lambda execution: execution.attempt_count)
    for count, some in groupby(attempts, key=lambda execution: execution.attempt_count):
        mine = Execution.objects.filter(
            pk__in=[execution.pk for execution in some], status=Status.RUNNING, attempt_count=count
        )
        mine.update(
            status=Status.PENDING,
            claimed_until=None,
            attempt_count=F("attempt_count") - 1,
            reason_code=code,
            result=result,
            next_attempt_at=due,
            **fields,
        )


def by_pk(executions: Sequence[Execution]) -> list[Execution]:
    """In the order in which they were matched."""
    return sorted(executions, key=lambda execution: execution.pk)
