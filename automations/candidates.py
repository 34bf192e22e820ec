"""The automations an event may start, found without reading all of those that listen.

Of each listening automation only its number and the time of its last change are read. What it asks for is known to the
process under these two, once it was read and compiled; so an event that a thousand automations listen to, and one or
none of them waits for, costs a thousand evaluations and not a thousand rows.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

import structlog
from django.db import connection
from django.db.models import TextField
from django.db.models.functions import Cast

from automations.models import Automation, Event
from automations.triggers import InvalidCondition, Rule, Trigger, event_types_listening_to, trigger_for
from projects.events import Scopes

log = structlog.get_logger(__name__)

MOST_RULES = 5_000
# As text, since it is only compared: making a datetime of it would cost more than evaluating the rule.
STAMP = Cast("updated_at", TextField())


@dataclass(frozen=True, slots=True)
class Known:
    """What an automation asks for; nothing, if that cannot be evaluated any more."""

    trigger: Trigger
    rule: Rule | None

    def is_met_by(self, event: Event) -> bool:
        rule = self.rule
        return rule is not None and self.trigger.is_met(rule, event.facts, event.details)


_known: dict[tuple[int, str], Known] = {}
_learning = threading.Lock()


def met_by(event: Event, scopes: Scopes) -> list[Automation]:
    """The automations that listen in these scopes and whose rule the event meets, as they are now, and held so that
    none can be deleted before its execution is written; those that this process does not know yet are learnt on the
    way. Two queries at most, and one more where rows are held."""
    listening = Automation.objects.listening_to(event_types_listening_to(event.kind), scopes)
    to_read = []
    for key in listening.order_by().values_list("pk", STAMP):
        known = _known.get(key)
        if known is None or known.is_met_by(event):
            to_read.append(key[0])
    if not to_read:
        return []
    if connection.features.has_select_for_update:  # elsewhere the transaction is the only one that writes
        # In one order for everybody, so that no two wait for each other; and before they are read: joined to its
        # webhook, a row that was waited for would come with the webhook it had before.
        held = Automation.objects.filter(pk__in=to_read).order_by("pk").select_for_update(no_key=True)
        list(held.values_list("pk"))
    # Unordered: to order by what is selected, Django hashes every column of it.
    read = listening.order_by().filter(pk__in=to_read).annotate(stamp=STAMP).select_related("webhook", "slack_channel")
    # Judged again as they are read now: one may have been edited between the two queries.
    met = [automation for automation in read if _learn(automation, automation.stamp).is_met_by(event)]
    return sorted(met, key=lambda automation: (automation.name, automation.pk))


def forget() -> None:
    """Know nothing, as after a start."""
    with _learning:
        _known.clear()


def _learn(automation: Automation, stamp: str) -> Known:
    key = automation.pk, stamp
    known = _known.get(key)
    if known is None:
        known = _compiled(automation)
        with _learning:
            while len(_known) >= MOST_RULES:
                del _known[next(iter(_known))]
            _known[key] = known
    return known


def _compiled(automation: Automation) -> Known:
    trigger = trigger_for(automation.event_type)
    try:
        return Known(trigger, trigger.compile(automation.condition, automation.filter))
    except InvalidCondition as error:
        # It never matches, instead of failing the change that happened to meet it.
        log.warning("automation_not_evaluable", automation=automation.pk, reason=str(error))
        return Known(trigger, None)
