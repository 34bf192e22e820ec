"""What is different between two rules, field by field, for people to read: versions, and plans of changes as code."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from automations.models.automation import TARGETS
from projects.jsonvalues import same

# In the order in which the wizard asks for them.
ORDER = (
    "name",
    "description",
    "enabled",
    "shadow",
    "scope",
    "event_type",
    "condition",
    "filter",
    "action_kind",
    "webhook",
    "payload",
    "slack_channel",
    "title",
    "message",
    "severity",
)
LABELS = {
    "name": gettext_noop("name"),
    "description": gettext_noop("description"),
    "enabled": gettext_noop("enabled"),
    "shadow": gettext_noop("shadow mode"),
    "scope": gettext_noop("scope"),
    "event_type": gettext_noop("event"),
    "condition": gettext_noop("condition"),
    "filter": gettext_noop("filter"),
    "action_kind": gettext_noop("action"),
    "webhook": gettext_noop("webhook"),
    "payload": gettext_noop("payload"),
    "slack_channel": gettext_noop("Slack channel"),
    "title": gettext_noop("title"),
    "message": gettext_noop("message"),
    "severity": gettext_noop("severity"),
}
# Keys by which a version finds again what it points at; people are told the names.
KEYS = frozenset(f"{field}_{part}" for field in TARGETS.values() for part in ("id", "team"))
# Longer texts are shown as a whole: comparing them line by line could take minutes.
MOST_LINES = 1_000
AROUND = 2


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a text: “+” came, “-” went, “ ” stayed; “…” stands for lines in between that stayed."""

    sign: str
    text: str


@dataclass(frozen=True, slots=True)
class Change:
    """One field that is another one; long texts and documents by `lines`."""

    field: str
    before: Any
    after: Any
    lines: tuple[Line, ...] = ()

    @property
    def label(self) -> str:
        """The field in words: `event`, `condition threshold`."""
        first, _dot, rest = self.field.partition(".")
        return f"{label_of(first)} {rest}".strip()

    @property
    def before_text(self) -> str:
        return written(self.before)

    @property
    def after_text(self) -> str:
        return written(self.after)


def label_of(field: str) -> str:
    """A field of a rule in words."""
    return _(LABELS[field]) if field in LABELS else field


def between(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """What changed from one rule to the other; a field that one of them lacks is empty there."""
    return [change for field in ORDER for change in _of_field(field, before.get(field), after.get(field))]


def _of_field(field: str, before: Any, after: Any) -> Iterator[Change]:
    if field == "scope":
        before, after = (scope and {name: scope[name] for name in ("kind", "name")} for scope in (before, after))
    if same(before, after):
        return
    if field == "condition" and isinstance(before, dict) and isinstance(after, dict):
        for key in [*before, *(key for key in after if key not in before)]:
            if not same(before.get(key), after.get(key)):
                yield Change(f"{field}.{key}", before.get(key), after.get(key))
        return
    yield Change(field, before, after, _lines(field, before, after))


def _lines(field: str, before: Any, after: Any) -> tuple[Line, ...]:
    if field == "filter":
        before, after = (json.dumps(one or {}, indent=2, ensure_ascii=False, sort_keys=True) for one in (before, after))
    if not isinstance(before or "", str) or not isinstance(after or "", str):
        return ()
    old, new = (before or "").splitlines(), (after or "").splitlines()
    return line_difference(old, new) if max(len(old), len(new)) > 1 else ()


def line_difference(before: list[str], after: list[str]) -> tuple[Line, ...]:
    """The lines that went and came, each with two that stayed around it."""
    if max(len(before), len(after)) > MOST_LINES:
        return (*(Line("-", text) for text in before), *(Line("+", text) for text in after))
    lines: list[Line] = []
    for group in difflib.SequenceMatcher(None, before, after).get_grouped_opcodes(AROUND):
        # A group that does not follow the one before, or the beginning, leaves something out.
        if group[0][1] > 0:
            lines.append(Line("…", ""))
        for tag, old_from, old_to, new_from, new_to in group:
            if tag == "equal":
                lines += [Line(" ", text) for text in before[old_from:old_to]]
            else:
                lines += [Line("-", text) for text in before[old_from:old_to]]
                lines += [Line("+", text) for text in after[new_from:new_to]]
    return tuple(lines)


def written(value: Any) -> str:
    """A value of a rule on one line."""
    if value is None or value == "":
        return "—"
    if isinstance(value, str):
        return value
    if isinstance(value, dict) and value.keys() == {"kind", "name"}:
        return f"{value['kind'].replace('_', ' ')} {value['name']}"
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
