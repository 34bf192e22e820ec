"""Gates before the rule is asked: whether the automation listens at all, and whether anything happened."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from automations.filters.fields import MISSING, lookup
from automations.models import Automation
from automations.tracing.case import Case
from automations.tracing.gates import Answer, Verdict
from automations.tracing.occurrences import Occurrence
from automations.triggers import MetricTrigger
from projects.events import run_scopes
from projects.models import Run
from registries.events import scopes_of


def enabled(case: Case) -> Answer:
    """EV13"""
    if case.automation.enabled:
        return Verdict.PASSED, _("It is enabled."), {}
    changed = case.automation.updated_at
    sentence = _("It is disabled, and sees no events. It was changed last %(changed)s.") % {
        "changed": case.told(changed)
    }
    return Verdict.STOPPED, sentence, {"changed_at": changed.isoformat()}


def evaluable(case: Case) -> Answer:
    """Whether its condition and filter still mean something."""
    if case.problem:
        return Verdict.NOT_EVALUABLE, _("It cannot be evaluated: %(problem)s") % {"problem": case.problem}, {}
    return Verdict.PASSED, _("Its condition and filter can be evaluated."), {}


def scope(case: Case) -> Answer:
    """SC3"""
    subject, trigger, automation = case.subject, case.trigger, case.automation
    if trigger.about_runs is not isinstance(subject, Run):
        if trigger.about_runs:
            return Verdict.STOPPED, _("It listens to runs, and this is a version."), {}
        return Verdict.STOPPED, _("It listens to versions and collections, and this is a run."), {}
    kind = automation.scope_kind.label.lower()
    covers = _("%(kind)s %(name)s") % {"kind": kind, "name": automation.scope}
    scopes = run_scopes(subject) if isinstance(subject, Run) else scopes_of(subject, kind=trigger.listens_to)
    if Automation.objects.covering(scopes).filter(pk=automation.pk).exists():
        return (
            Verdict.PASSED,
            _("It covers %(covers)s, which this %(word)s is in.") % {"covers": covers, "word": case.word},
            {},
        )
    place = subject.project if isinstance(subject, Run) else subject.collection
    return (
        Verdict.STOPPED,
        _("It covers %(covers)s; this %(word)s is in %(place)s.")
        % {"covers": covers, "word": case.word, "place": place},
        {},
    )


def happened(case: Case) -> Answer:
    """Whether there was anything to react to."""
    metric = case.rule.condition.name if isinstance(case.trigger, MetricTrigger) else ""
    found = case.nearest
    if found is None:
        never = _never_logged(metric, case.subject) if metric and isinstance(case.subject, Run) else _nothing(case)
        return Verdict.STOPPED, never, {"count": 0}
    told = {"metric": metric, "count": f"{found.count:,}", "last": case.told(found.last)}
    numbers = {"count": found.count, "last_at": found.last.isoformat()}
    return Verdict.PASSED, _times(found, metric=metric) % told, numbers


def _times(found: Occurrence, *, metric: str) -> str:
    if found.cut and metric:
        return _("%(metric)s was logged more than %(count)s times, of which these were looked through, up to %(last)s.")
    if found.cut:
        return _("It happened more than %(count)s times, of which these were looked through, up to %(last)s.")
    if metric:
        return ngettext(
            "%(metric)s was logged %(count)s time, last %(last)s.",
            "%(metric)s was logged %(count)s times, last %(last)s.",
            found.count,
        )
    return ngettext(
        "It happened %(count)s time, last %(last)s.", "It happened %(count)s times, last %(last)s.", found.count
    )


def made_before(case: Case) -> Answer:
    """Nothing sees what happened before it was there."""
    made, happening = case.automation.created_at, case.found.at
    numbers = {"made_at": made.isoformat(), "happened_at": happening.isoformat()}
    if happening < made:
        sentence = _("This happened %(happening)s, before the automation was made (%(made)s).") % {
            "happening": case.told(happening),
            "made": case.told(made),
        }
        return Verdict.STOPPED, sentence, numbers
    return (
        Verdict.PASSED,
        _("The automation was made %(made)s; this happened %(happening)s.")
        % {"made": case.told(made), "happening": case.told(happening)},
        numbers,
    )


def _nothing(case: Case) -> str:
    return _("Nothing of the kind was recorded for this %(word)s: “%(about)s”") % {
        "word": case.word,
        "about": case.trigger.about,
    }


def _never_logged(metric: str, run: Run) -> str:
    if lookup(run.summary, metric) is not MISSING:
        return _(
            "%(metric)s was logged, but not among the first values of this run, which is all there was time to look at."
        ) % {"metric": metric}
    names = list(_names(run.system_metrics if metric.startswith("system.") else run.summary))
    close = [name for name in names if name.endswith(f"/{metric}")] or get_close_matches(metric, names, cutoff=0.5)
    if not close:
        return _("%(metric)s was never logged by this run.") % {"metric": metric}
    told = {"metric": metric, "names": ", ".join(close[:3])}
    return _("%(metric)s was never logged by this run. It logged %(names)s.") % told


def _names(summary: dict[str, Any], prefix: str = "") -> Iterator[str]:
    for name, value in summary.items():
        if isinstance(value, dict) and value:
            yield from _names(value, f"{prefix}{name}.")
        elif not name.startswith("_"):
            yield f"{prefix}{name}"
