"""What a kind of trigger is: it validates what is asked, says it in words, and judges events by it.

Triggers are pure: they see an event's facts and details as plain mappings, so that matching, explaining and replaying
history are one piece of code.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

from django.utils.translation import gettext
from django.utils.translation import gettext as _

from automations import filters
from automations.models import EventType, ScopeKind
from automations.models.automation import FITTING_SCOPES


class InvalidCondition(ValueError):
    """What is asked cannot be saved: `field` is `filter` or `condition`, with a path into it; `message` a sentence."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message


@dataclass(frozen=True, slots=True)
class Match:
    """A trigger's answer to an event.

    Not matching and not being evaluable are different: consumers read `.matched`, people read `.reason`. `key` is what
    a run event fires once for in 24 hours, beside the run itself: the state, for run states.
    """

    matched: bool
    reason: str
    evaluable: bool = True
    key: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """What one automation asks, validated and compiled: its filter, and what its event type alone asks for."""

    filter: filters.Filter
    condition: Any


@dataclass(frozen=True, slots=True)
class Clause:
    """A rule in words: what happens, `a run fails`, and what its filter asks, `run name matches ^prod-`, or ""."""

    happening: str
    where: str = ""


class Trigger(ABC):
    """One event type: subclasses say what it listens to and how its `condition` is checked and judged."""

    event_type: ClassVar[EventType]
    listens_to: ClassVar[str]
    description: ClassVar[str]
    fields: ClassVar[filters.Fields]
    variables: ClassVar[tuple[str, ...]]
    # How often it fires for the same thing, as words; "" if as often as that happens.
    fires_once: ClassVar[str] = ""

    @property
    def label(self) -> str:
        return str(self.event_type.label)

    @property
    def about(self) -> str:
        """What the event is, as a sentence in the reader's language."""
        return gettext(self.description)

    @property
    def how_often(self) -> str:
        return gettext(self.fires_once) if self.fires_once else ""

    @property
    def scopes(self) -> frozenset[ScopeKind]:
        return FITTING_SCOPES[self.event_type]

    @property
    def about_runs(self) -> bool:
        """Whether its events are about runs, for which an automation fires once a day, or about versions."""
        return self.fields is filters.RUN_FIELDS

    def compile_condition(self, condition: Mapping[str, Any]) -> Any:
        """Check what this event type alone asks for; by default nothing may be asked.

        Raises:
            InvalidCondition: with the field and a sentence.
        """
        if condition:
            raise InvalidCondition(
                "condition", _("“%(label)s” has no conditions beside its filter.") % {"label": self.label}
            )
        return None

    @abstractmethod
    def judge(self, condition: Any, facts: Mapping[str, Any], details: Mapping[str, Any]) -> Match:
        """Judge the compiled condition alone; the filter was met."""

    @abstractmethod
    def condition_clause(self, condition: Any) -> str:
        """What happens, as a clause: `a run fails`."""

    def compile(self, condition: object, filter: object) -> Rule:
        """Validate what is asked.

        Raises:
            InvalidCondition: with the field and a sentence.
        """
        if not isinstance(condition, dict):
            raise InvalidCondition("condition", _("The condition is an object."))
        try:
            text = json.dumps([condition, filter], sort_keys=True)
        except (TypeError, ValueError, RecursionError) as error:
            raise InvalidCondition("filter", _("The filter is not JSON: %(error)s.") % {"error": error}) from error
        return _compiled(self, text)

    def is_met(self, rule: Rule, facts: Mapping[str, Any], details: Mapping[str, Any]) -> bool:
        """What `match` says, without a word of why: most events are not what most automations wait for."""
        return rule.filter.matches(facts) and self.judge(rule.condition, facts, details).matched

    def match(self, rule: Rule, facts: Mapping[str, Any], details: Mapping[str, Any]) -> Match:
        """Whether an event is what the rule asks for, and why or why not."""
        if not rule.filter.matches(facts):
            return Match(False, rule.filter.explain(facts).reason)
        match = self.judge(rule.condition, facts, details)
        described = rule.filter.describe() if match.matched else ""
        if described:
            reason = gettext("%(reason)s; %(condition)s") % {"reason": match.reason, "condition": described}
            return Match(True, reason, match.evaluable, match.key)
        return match

    def clause(self, condition: object, filter: object) -> Clause:
        """The rule as a clause after “When”."""
        rule = self.compile(condition, filter)
        return Clause(self.condition_clause(rule.condition), rule.filter.describe())


# Small, as a rule may hold some megabytes of patterns and values.
@lru_cache(maxsize=2_000)
def _compiled(trigger: Trigger, text: str) -> Rule:
    condition, document = json.loads(text)
    try:
        compiled = filters.compile(document, fields=trigger.fields)
    except filters.InvalidFilter as error:
        where = f" ({error.path})" if error.path else ""
        raise InvalidCondition("filter", f"{error.message}{where}") from error
    return Rule(filter=compiled, condition=trigger.compile_condition(condition))
