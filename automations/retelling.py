"""What the history keeps as English sentences, in the reader's language: told anew where rule and event are there to
tell it from, else recognised by the sentences that records are made of."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from django.utils.translation import get_language, gettext

from automations import sentences
from automations.models import ActionKind, EventType, Execution
from automations.recordings import NESTED, RECORDED
from automations.records import LANGUAGE
from automations.triggers import InvalidCondition, trigger_for

PLACE: Final = re.compile(r"%\((\w+)\)s")


def because(execution: Execution) -> str:
    """Why the condition held."""
    rule, event = execution.rule, execution.event
    if is_as_kept() or rule.get("event_type") not in EventType.values:
        return execution.matched_because
    trigger = trigger_for(rule["event_type"])
    try:
        compiled = trigger.compile(rule.get("condition"), rule.get("filter"))
    except InvalidCondition:
        return execution.matched_because
    match = trigger.match(compiled, event.facts, event.details)
    # What another version of this server judged otherwise stays as it was said.
    return match.reason if match.matched else execution.matched_because


def summary(rule: Mapping[str, Any]) -> str:
    """The automation as it was, in one sentence."""
    kept = str(rule.get("summary", ""))
    known = rule.get("event_type") in EventType.values and rule.get("action_kind") in ActionKind.values
    if is_as_kept() or not (kept and known):
        return kept
    when = sentences.when_clause(rule["event_type"], rule.get("condition"), rule.get("filter"))
    name = rule.get("webhook") or rule.get("slack_channel")
    # Without a name its reader may not know it.
    hidden = sentences.do_clause(rule["action_kind"], None, hidden=True)
    return sentences.joined(when, sentences.do_named(rule["action_kind"], name) if name else hidden)


def target(kept: str) -> str:
    """Where it went. Addresses are the same in every language."""
    if is_as_kept() or not kept:
        return kept
    channel, inside, workspace = kept.partition(" in ")
    if inside and channel.startswith("#"):
        return gettext("%(channel)s in %(workspace)s") % {"channel": channel, "workspace": workspace}
    return gettext(kept)


def told(sentence: str) -> str:
    """How something ended, or what went wrong. What nobody wrote down as a message stays as it was said."""
    if is_as_kept() or not sentence:
        return sentence
    exact = gettext(sentence)
    if exact != sentence:
        return exact
    for message, pattern in _patterns():
        if found := pattern.fullmatch(sentence):
            values = found.groupdict()
            return gettext(message) % {name: told(said) if name in NESTED else said for name, said in values.items()}
    return sentence


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """How each kind of record reads, those that say most first."""
    with_places = [message for message in RECORDED if "%(" in message]
    by_length = sorted(with_places, key=lambda message: len(PLACE.sub("", message)), reverse=True)
    return tuple((message, _pattern(message)) for message in by_length)


def _pattern(message: str) -> re.Pattern[str]:
    parts = PLACE.split(message)
    texts, names = parts[::2], parts[1::2]
    groups = [f"(?P<{name}>.+?)" for name in names]
    joined = "".join(re.escape(text) + group for text, group in zip(texts, [*groups, ""], strict=True))
    return re.compile(joined, re.DOTALL)


def is_as_kept() -> bool:
    """Whether the reader's language is that of the records."""
    return (get_language() or LANGUAGE).startswith(LANGUAGE)
