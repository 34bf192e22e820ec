"""A plan as text, for terminals and reviews."""

from __future__ import annotations

from collections.abc import Iterator

from automations.ascode import naming
from automations.ascode.forecast import DAYS, Forecast
from automations.ascode.planning import Deed, Plan, PlannedChange
from automations.differences import Change

MARKS = {Deed.CREATE: "+", Deed.UPDATE: "~", Deed.DELETE: "-"}
TO_DO = {Deed.CREATE: "to create", Deed.UPDATE: "to update", Deed.DELETE: "to delete"}
DONE = {Deed.CREATE: "created", Deed.UPDATE: "updated", Deed.DELETE: "deleted"}


def text_of(plan: Plan, *, applied: bool = False) -> str:
    """What changes, automation by automation, and how many in all."""
    lines = [line for change in plan.changes for line in (*_lines(change), "")]
    words = DONE if applied else TO_DO
    counts = [f"{plan.count(deed)} {words[deed]}" for deed in Deed]
    return "\n".join([*lines, f"{', '.join(counts)}, {plan.unchanged} unchanged.", ""])


def _lines(change: PlannedChange) -> Iterator[str]:
    kind, name = change.scope_name
    yield f"{MARKS[change.deed]} {naming.word(kind)} {name}: {change.name}"
    if change.summary_before != change.summary_after:
        if change.summary_before:
            yield f"    - {change.summary_before}"
        if change.summary_after:
            yield f"    + {change.summary_after}"
    for difference in change.differences:
        yield from _of_difference(difference)
    if change.fired_before or change.fired_after:
        yield f"    In the last {DAYS} days: {_firings(change)}"


def _of_difference(difference: Change) -> Iterator[str]:
    if not difference.lines:
        yield f"    {difference.label}: {difference.before_text} → {difference.after_text}"
        return
    yield f"    {difference.label}:"
    for line in difference.lines:
        yield f"      {line.sign} {line.text}".rstrip()


def _firings(change: PlannedChange) -> str:
    before, after = change.fired_before, change.fired_after
    parts = [
        f"would have fired {_times(forecast)} {word}"
        for forecast, word in ((before, "before"), (after, "after"))
        if forecast
    ]
    notes = dict.fromkeys(note for forecast in (before, after) if forecast for note in forecast.notes)
    return " ".join([f"{', '.join(parts)}.", *notes])


def _times(forecast: Forecast) -> str:
    if forecast.count is None:
        return "an unknown number of times"
    return f"{forecast.count:,} time{'' if forecast.count == 1 else 's'}"
