"""The loop guard: automations whose webhooks write back must not call each other for ever."""

from __future__ import annotations

from typing import TYPE_CHECKING

from automations import causes
from automations.causes import LONGEST_CHAIN, Chain
from automations.models import Event, Execution

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from projects.models import User

# Skipping is noted once in a day for each run, as firing is, and apart from it: the guard arms nothing.
QUIET_KEY = "loop"
# Readers need not see every execution of a chain, so these name none; pages list those the reader may see.
AGAIN = (
    "Not carried out, to end a loop: in the chain of executions that led to this event, this automation has already run"
    " for the same {what}."
)
TOO_LONG = (
    f"Not carried out, to end a loop: the chain of executions that led to this event is {LONGEST_CHAIN} long, and no"
    " more may follow one from another."
)


def objection(chain: Chain, automation: int, *, subject: str) -> str:
    """Why an automation must not run at the end of a chain, as a sentence; "" if it may."""
    if any(cause.automation == automation and cause.subject == subject for cause in chain):
        kind = subject.partition(":")[0]
        return AGAIN.format(what="version" if kind == "artifact" else kind)
    return TOO_LONG if len(chain) >= LONGEST_CHAIN else ""


def executions_before(event: Event, *, reader: User | AnonymousUser) -> list[Execution]:
    """The executions that led to an event, the first one first, without those the reader may not see (AZ1)."""
    keys = [cause.execution for cause in causes.chain_of(event)]
    if not keys:
        return []
    found = (
        Execution.objects.visible_to(reader)
        .filter(key__in=keys)
        .select_related(
            "project__team",
            "registry__organization",
            "event__run__project__team",
            "event__collection__project__team",
            "event__collection__registry__organization",
        )
    )
    by_key = {execution.key: execution for execution in found}
    return [by_key[key] for key in keys if key in by_key]
