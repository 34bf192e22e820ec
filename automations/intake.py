"""Facts come in here, from `projects.events.announce`, inside the transaction of the change."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from automations import causes, matching, watching
from automations.models import Event
from automations.records import in_english
from projects.events import METRICS_LOGGED, Fact


def hear(sender: type[Fact], *, fact: Fact, **kwargs: Any) -> None:
    """Receive the signal."""
    record(fact)


@in_english
def record(fact: Fact) -> None:
    """Write the event down and start what follows from it. The same occurrence announced twice is recorded once.

    Logged metrics are too frequent for a row each: only a batch that an automation reacts to becomes an event.
    """
    if fact.kind == METRICS_LOGGED:
        watching.judge(fact)
        return
    event = Event(
        dedupe_key=fact.dedupe_key,
        kind=fact.kind,
        occurred_at=fact.occurred_at,
        actor=fact.actor,
        run=fact.run,
        artifact_id=fact.artifact_id,
        facts=dict(fact.facts),
        details=dict(fact.details),
        chain=causes.stored(causes.current()),
        **{f"{kind}_id": pk for kind, pk in asdict(fact.scopes).items()},
    )
    try:
        with transaction.atomic():
            event.save(force_insert=True)
    except IntegrityError:
        # Asked only now: nearly every occurrence is news.
        if Event.objects.filter(dedupe_key=fact.dedupe_key).exists():
            return
        raise
    matching.start_executions(event, fact.scopes, at=timezone.now())
