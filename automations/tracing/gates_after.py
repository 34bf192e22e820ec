"""Gates after the rule has held: what holds an execution back, and what came of it."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from automations import disclosure, retelling
from automations.cooldowns import QUIET_FOR
from automations.models import Cooldown, ReasonCode, SlackChannel, Status, Webhook
from automations.tracing.case import Case
from automations.tracing.gates import Answer, Verdict
from projects.models import Run

# How an execution ended, where there is something to say of it and where not.
ENDED = {
    Status.SKIPPED: (gettext_noop("It was skipped %(when)s: %(result)s"), gettext_noop("It was skipped %(when)s.")),
    Status.FAILED: (
        gettext_noop("It fired %(when)s, and failed: %(result)s"),
        gettext_noop("It fired %(when)s, and failed."),
    ),
    Status.FINISHED: (gettext_noop("It fired %(when)s: %(result)s"), gettext_noop("It fired %(when)s.")),
}


def snooze(case: Case) -> Answer:
    """Whether it was told to keep still for a time. What fired all the same did so before or after that."""
    until, execution = case.automation.snoozed_until, case.execution
    numbers = {"snoozed_until": until.isoformat()} if until is not None and until > case.at else {}
    if execution is not None and execution.reason_code == ReasonCode.SNOOZED:
        return (
            Verdict.STOPPED,
            _("It was skipped %(when)s: %(result)s")
            % {"when": case.told(execution.created_at), "result": retelling.told(execution.result)},
            numbers,
        )
    if not numbers or until is None:
        return Verdict.PASSED, _("It is not snoozed."), {}
    if execution is not None:
        return (
            Verdict.PASSED,
            _("It is snoozed until %(until)s; this came before.") % {"until": case.told(until)},
            numbers,
        )
    return Verdict.STOPPED, _("It is snoozed until %(until)s.") % {"until": case.told(until)}, numbers


def cooldown(case: Case) -> Answer:
    """EV11"""
    if not isinstance(case.subject, Run):
        return Verdict.PASSED, _("Each event of a version is news: none is held back."), {}
    key = case.found.match.key
    row = Cooldown.objects.filter(automation=case.automation, run=case.subject, state=key).first()
    if row is None:
        return Verdict.PASSED, _("It had not fired for this run in the 24 hours before."), {}
    until = row.fired_at + QUIET_FOR
    told = {"when": case.told(row.fired_at), "until": case.told(until), "held": f"{row.surplus:,}"}
    sentence = _("It fired %(when)s, quiet until %(until)s.")
    if row.surplus:
        sentence = _("It fired %(when)s, quiet until %(until)s; %(held)s held back since.")
    numbers = {"fired_at": row.fired_at.isoformat(), "quiet_until": until.isoformat(), "held_back": row.surplus}
    holds_back = case.execution is None and row.fired_at <= case.found.at < until
    return Verdict.STOPPED if holds_back else Verdict.PASSED, sentence % told, numbers


def action(case: Case) -> Answer:
    """Whether anything is sent to what it calls or posts to; what was sent already was taken or not."""
    target = case.automation.target
    if target is None:
        return Verdict.PASSED, _("There is nothing to send."), {}
    if case.execution is not None:
        return Verdict.PASSED, _("An execution was started."), {}
    known = disclosure.may_see_target(case.reader, target)
    named = _named(target, known=known)
    told = {"named": named, "error": retelling.told(target.last_error)}
    if isinstance(target, Webhook) and target.paused_at is not None:
        told["reason"] = retelling.told(target.paused_reason)
        sentence = _("%(named)s is paused: %(reason)s") if known else _("%(named)s is paused.")
        return Verdict.STOPPED, sentence % told, {}
    sentence = _("%(named)s can be used.")
    if target.failing_since is not None:
        told["since"] = case.told(target.failing_since)
        sentence = _("%(named)s has been failing since %(since)s, and is tried nevertheless.")
        if known:
            sentence = _(
                "%(named)s has been failing since %(since)s, and is tried nevertheless. Its last error: %(error)s"
            )
    return Verdict.PASSED, sentence % told, {}


def _named(target: Webhook | SlackChannel, *, known: bool) -> str:
    if isinstance(target, Webhook):
        return _("Webhook %(name)s") % {"name": target} if known else _("The webhook")
    return _("Slack channel %(name)s") % {"name": target} if known else _("The Slack channel")


def outcome(case: Case) -> Answer:
    """What came of it."""
    execution = case.execution
    if execution is None:
        return Verdict.STOPPED, _nothing_started(case), {}
    numbers = {"execution": str(execution.key), "status": execution.status, "reason_code": execution.reason_code}
    told = {"when": case.told(execution.created_at), "result": retelling.told(execution.result)}
    verdict = Verdict.STOPPED if execution.status in {Status.SKIPPED, Status.FAILED} else Verdict.PASSED
    if not execution.is_over:
        return verdict, _("It fired %(when)s, and is under way.") % told, numbers
    with_result, without = ENDED[Status(execution.status)]
    return verdict, _(with_result if execution.result else without) % told, numbers


def _nothing_started(case: Case) -> str:
    when, changed = case.told(case.found.at), case.automation.updated_at
    if changed > case.found.at:
        return _(
            "As the automation is now, it would have fired %(when)s. It was changed %(changed)s: it was"
            " disabled before, or asked for something else."
        ) % {"when": when, "changed": case.told(changed)}
    return _(
        "Nothing is recorded of %(when)s: its execution is no longer in the history, or the automation was disabled."
    ) % {"when": when}
