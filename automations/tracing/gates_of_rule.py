"""What the automation asks: its filter, and the condition of its event type."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.utils.translation import gettext as _

from automations import sentences
from automations.models import Event
from automations.tracing.case import Case
from automations.tracing.gates import Answer, Verdict
from automations.triggers import MetricTrigger, Rule
from automations.triggers.runs import numbers as as_numbers
from automations.windows import ZScore, digits
from projects.jsonvalues import storable

SHOWN = 10


def filter(case: Case) -> Answer:  # noqa: A001 - read as gates_of_rule.filter
    """EV4, EV10: with the clause that decides."""
    rule = case.rule.filter
    explanation = rule.explain(case.found.event.facts)
    clauses = [{**asdict(verdict), "found": storable(verdict.found)} for verdict in explanation.verdicts[:SHOWN]]
    numbers = {"clauses": clauses} if clauses else {}
    if not explanation.holds:
        return Verdict.STOPPED, _("%(reason)s.") % {"reason": explanation.reason}, numbers
    asked = rule.describe()
    return (
        Verdict.PASSED,
        _("It holds: %(asked)s.") % {"asked": asked} if asked else _("There is no filter to meet."),
        numbers,
    )


def condition(case: Case) -> Answer:
    """EV5 to EV9: with the numbers."""
    rule, trigger, event = case.rule, case.trigger, case.found.event
    match = trigger.judge(rule.condition, event.facts, event.details)
    when = case.told(event.occurred_at)
    verdict = Verdict.PASSED if match.matched else Verdict.STOPPED if match.evaluable else Verdict.NOT_EVALUABLE
    if not isinstance(trigger, MetricTrigger):
        return verdict, _("%(reason)s (%(when)s).") % {"reason": sentences.capitalized(match.reason), "when": when}, {}
    told = {"reason": match.reason, "step": digits(float(event.details["step"])), "when": when}
    sentence = _("%(reason)s. At step %(step)s, %(when)s.")
    if verdict is Verdict.STOPPED:
        sentence = _("%(reason)s. That was its nearest, at step %(step)s, %(when)s.")
    return verdict, f"{sentence % told}{_values(rule, event)}", _numbers(trigger, rule, event)


def _values(rule: Rule, event: Event) -> str:
    """`Values: 0.88, 0.90, 0.95.`, of the window that decided."""
    values = as_numbers(event.details["values"])
    if isinstance(rule.condition, ZScore) or len(values) < 2:
        return ""
    shown = ", ".join(digits(value) for value in values[-SHOWN:])
    return " " + _("Values: %(values)s.") % {"values": f"… {shown}" if len(values) > SHOWN else shown}


def _numbers(trigger: MetricTrigger, rule: Rule, event: Event) -> dict[str, Any]:
    judgement = trigger.judgement(rule.condition, event.details)
    return {
        "asked": rule.condition.shorthand(),
        "value": storable(judgement.value),
        "values": event.details["values"][-SHOWN:],
        "window": {"has": len(event.details["values"]), "needs": rule.condition.capacity},
        "step": event.details["step"],
        "line": event.details["line"],
        "at": event.occurred_at.isoformat(),
    }
