"""Gates after the rule has held: what holds an execution back, and what came of it."""

from __future__ import annotations

from automations import disclosure
from automations.cooldowns import QUIET_FOR
from automations.models import Cooldown, Status, Webhook
from automations.tracing.case import Case
from automations.tracing.gates import Answer, Verdict
from projects.models import Run


def cooldown(case: Case) -> Answer:
    """EV11"""
    if not isinstance(case.subject, Run):
        return Verdict.PASSED, "Each event of a version is news: none is held back.", {}
    key = case.found.match.key
    row = Cooldown.objects.filter(automation=case.automation, run=case.subject, state=key).first()
    if row is None:
        return Verdict.PASSED, "It had not fired for this run in the 24 hours before.", {}
    until = row.fired_at + QUIET_FOR
    held = f"; {row.surplus:,} held back since" if row.surplus else ""
    sentence = f"It fired {case.told(row.fired_at)}, quiet until {case.told(until)}{held}."
    numbers = {"fired_at": row.fired_at.isoformat(), "quiet_until": until.isoformat(), "held_back": row.surplus}
    holds_back = case.execution is None and row.fired_at <= case.found.at < until
    return Verdict.STOPPED if holds_back else Verdict.PASSED, sentence, numbers


def action(case: Case) -> Answer:
    """Whether what it calls or posts to takes anything; what was sent already was taken or not."""
    target = case.automation.target
    if target is None:
        return Verdict.PASSED, "There is nothing to send.", {}
    if case.execution is not None:
        return Verdict.PASSED, "An execution was started.", {}
    if isinstance(target, Webhook):
        word, said, refuses, why = "webhook", "is paused", target.paused_at, target.paused_reason
    else:
        word, said, refuses, why = "Slack channel", "takes no messages", target.failed_at, target.last_error
    known = disclosure.may_see_target(case.reader, target)
    named = f"{word[0].upper()}{word[1:]} {target}" if known else f"The {word}"
    if refuses:
        return Verdict.STOPPED, f"{named} {said}: {why}" if known else f"{named} {said}.", {}
    return Verdict.PASSED, f"{named} can be used.", {}


def outcome(case: Case) -> Answer:
    """What came of it."""
    execution = case.execution
    if execution is None:
        return Verdict.STOPPED, _nothing_started(case), {}
    numbers = {"execution": str(execution.key), "status": execution.status, "reason_code": execution.reason_code}
    when, said = case.told(execution.created_at), f": {execution.result}" if execution.result else "."
    if execution.status == Status.SKIPPED:
        return Verdict.STOPPED, f"It was skipped {when}{said}", numbers
    if execution.status == Status.FAILED:
        return Verdict.STOPPED, f"It fired {when}, and failed{said}", numbers
    return (
        Verdict.PASSED,
        f"It fired {when}{said}" if execution.is_over else f"It fired {when}, and is under way.",
        numbers,
    )


def _nothing_started(case: Case) -> str:
    when, changed = case.told(case.found.at), case.automation.updated_at
    if changed > case.found.at:
        return (
            f"As the automation is now, it would have fired {when}. It was changed {case.told(changed)}: it was"
            " disabled before, or asked for something else."
        )
    return f"Nothing is recorded of {when}: its execution is no longer in the history, or the automation was disabled."
