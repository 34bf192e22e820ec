"""Gates before the rule is asked: whether the automation listens at all, and whether anything happened."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any

from automations.filters.fields import MISSING, lookup
from automations.models import Automation
from automations.tracing.case import Case
from automations.tracing.gates import Answer, Verdict
from automations.triggers import MetricTrigger
from projects.events import run_scopes
from projects.models import Run
from registries.events import scopes_of


def enabled(case: Case) -> Answer:
    """EV13"""
    if case.automation.enabled:
        return Verdict.PASSED, "It is enabled.", {}
    changed = case.automation.updated_at
    sentence = f"It is disabled, and sees no events. It was changed last {case.told(changed)}."
    return Verdict.STOPPED, sentence, {"changed_at": changed.isoformat()}


def evaluable(case: Case) -> Answer:
    """Whether its condition and filter still mean something."""
    if case.problem:
        return Verdict.NOT_EVALUABLE, f"It cannot be evaluated: {case.problem}", {}
    return Verdict.PASSED, "Its condition and filter can be evaluated.", {}


def scope(case: Case) -> Answer:
    """SC3"""
    subject, trigger, automation = case.subject, case.trigger, case.automation
    if trigger.about_runs is not isinstance(subject, Run):
        other = "runs" if trigger.about_runs else "versions and collections"
        return Verdict.STOPPED, f"It listens to {other}, and this is a {case.word}.", {}
    covers = f"{automation.scope_kind.label.lower()} {automation.scope}"
    scopes = run_scopes(subject) if isinstance(subject, Run) else scopes_of(subject, kind=trigger.listens_to)
    if Automation.objects.covering(scopes).filter(pk=automation.pk).exists():
        return Verdict.PASSED, f"It covers {covers}, which this {case.word} is in.", {}
    place = subject.project if isinstance(subject, Run) else subject.collection
    return Verdict.STOPPED, f"It covers {covers}; this {case.word} is in {place}.", {}


def happened(case: Case) -> Answer:
    """Whether there was anything to react to."""
    metric = case.rule.condition.name if isinstance(case.trigger, MetricTrigger) else ""
    found = case.nearest
    if found is None:
        never = _never_logged(metric, case.subject) if metric and isinstance(case.subject, Run) else _nothing(case)
        return Verdict.STOPPED, never, {"count": 0}
    times = f"{found.count:,} time{'s' if found.count > 1 else ''}, last {case.told(found.last)}."
    if found.cut:
        times = f"more than {found.count:,} times, of which these were looked through, up to {case.told(found.last)}."
    numbers = {"count": found.count, "last_at": found.last.isoformat()}
    return Verdict.PASSED, f"{metric} was logged {times}" if metric else f"It happened {times}", numbers


def made_before(case: Case) -> Answer:
    """Nothing sees what happened before it was there."""
    made, happening = case.automation.created_at, case.found.at
    numbers = {"made_at": made.isoformat(), "happened_at": happening.isoformat()}
    if happening < made:
        sentence = f"This happened {case.told(happening)}, before the automation was made ({case.told(made)})."
        return Verdict.STOPPED, sentence, numbers
    return Verdict.PASSED, f"The automation was made {case.told(made)}; this happened {case.told(happening)}.", numbers


def _nothing(case: Case) -> str:
    return f"Nothing of the kind was recorded for this {case.word}: “{case.trigger.description}”"


def _never_logged(metric: str, run: Run) -> str:
    if lookup(run.summary, metric) is not MISSING:
        return (
            f"{metric} was logged, but not among the first values of this run, which is all there was time to look at."
        )
    names = list(_names(run.system_metrics if metric.startswith("system.") else run.summary))
    close = [name for name in names if name.endswith(f"/{metric}")] or get_close_matches(metric, names, cutoff=0.5)
    logged = f" It logged {', '.join(close[:3])}." if close else ""
    return f"{metric} was never logged by this run.{logged}"


def _names(summary: dict[str, Any], prefix: str = "") -> Iterator[str]:
    for name, value in summary.items():
        if isinstance(value, dict) and value:
            yield from _names(value, f"{prefix}{name}.")
        elif not name.startswith("_"):
            yield f"{prefix}{name}"
