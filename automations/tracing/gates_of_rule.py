"""What the automation asks: its filter, and the condition of its event type."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

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
        return Verdict.STOPPED, f"{explanation.reason}.", numbers
    asked = rule.describe()
    return Verdict.PASSED, f"It holds: {asked}." if asked else "There is no filter to meet.", numbers


def condition(case: Case) -> Answer:
    """EV5 to EV9: with the numbers."""
    rule, trigger, event = case.rule, case.trigger, case.found.event
    match = trigger.judge(rule.condition, event.facts, event.details)
    when = case.told(event.occurred_at)
    verdict = Verdict.PASSED if match.matched else Verdict.STOPPED if match.evaluable else Verdict.NOT_EVALUABLE
    if not isinstance(trigger, MetricTrigger):
        return verdict, f"{_capital(match.reason)} ({when}).", {}
    step = digits(float(event.details["step"]))
    place = (
        f"That was its nearest, at step {step}, {when}." if verdict is Verdict.STOPPED else f"At step {step}, {when}."
    )
    return verdict, f"{match.reason}. {place}{_values(rule, event)}", _numbers(trigger, rule, event)


def _values(rule: Rule, event: Event) -> str:
    """`Values: 0.88, 0.90, 0.95.`, of the window that decided."""
    values = as_numbers(event.details["values"])
    if isinstance(rule.condition, ZScore) or len(values) < 2:
        return ""
    return f" Values: {'… ' if len(values) > SHOWN else ''}{', '.join(digits(value) for value in values[-SHOWN:])}."


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


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
