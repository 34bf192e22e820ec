"""Automations as the client writes them and as they are stored: pure translation, in which nothing is lost.

The client knows no `condition`: what an event asks for travels in one text, its `eventFilter`. For events of runs the
conditions on the run are JSON inside of that JSON. Answers differ from what was sent in one place: what is asked of an
event on artifacts or collections stands under `filter`, and the client takes it out again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Protocol

from django.core.exceptions import BadRequest

from automations.models import EventType

# The part of a run event's filter that says what is asked of the metric or the state, which is our condition.
METRIC_PARTS: Mapping[str, str] = {
    EventType.RUN_METRIC: "threshold_filter",
    EventType.RUN_METRIC_CHANGE: "change_filter",
    EventType.RUN_METRIC_ZSCORE: "zscore_filter",
}
RUN_EVENTS = frozenset({*METRIC_PARTS, EventType.RUN_STATE})
# All that the client knows: its list of automations breaks on any other.
KNOWN_EVENTS = RUN_EVENTS | {
    EventType.CREATE_ARTIFACT,
    EventType.LINK_ARTIFACT,
    EventType.UNLINK_ARTIFACT,
    EventType.ADD_ARTIFACT_ALIAS,
    EventType.ADD_ARTIFACT_TAG,
    EventType.REMOVE_ARTIFACT_TAG,
    EventType.ADD_COLLECTION_TAG,
    EventType.REMOVE_COLLECTION_TAG,
}
# Of the comparisons of a threshold: “equal”, “not equal” and “is NaN or infinite” are ours alone.
COMPARISONS = frozenset({"$gt", "$gte", "$lt", "$lte"})

# What `expressible` reads of an automation.
JUDGED = ("event_type", "filter", "condition", "payload")

Document = dict[str, Any]


class Rule(Protocol):
    """What is translated: an automation, or the draft of one."""

    event_type: str
    filter: Document
    condition: Document
    payload: str


def event_filter(rule: Rule) -> str:
    """What is asked of the event, as the client reads it."""
    if rule.event_type not in RUN_EVENTS:
        return _text({"filter": _text(rule.filter)})
    asked: Document = {"run_filter": _text(rule.filter)}
    if rule.event_type == EventType.RUN_STATE:
        asked["run_state_filter"] = rule.condition
    else:
        asked["run_metric_filter"] = {METRIC_PARTS[rule.event_type]: rule.condition}
        asked["metric_filter"] = None
    return _text(asked)


def asked_of(event_type: str, text: str) -> dict[str, Any]:
    """The `filter` and the `condition` in what the client writes.

    Raises:
        BadRequest: it has not the form that goes with the event.
    """
    document = _object(text, "eventFilter")
    if event_type not in RUN_EVENTS:
        return {"filter": document, "condition": {}}
    if event_type == EventType.RUN_STATE:
        _refuse_other_keys(document, "run_filter", "run_state_filter")
        condition = _object(document.get("run_state_filter"), "run_state_filter")
    else:
        _refuse_other_keys(document, "run_filter", "run_metric_filter", "metric_filter")
        part = METRIC_PARTS[event_type]
        asked = _object(document.get("run_metric_filter"), "run_metric_filter")
        _refuse_other_keys(asked, part)
        condition = _object(asked.get(part), part)
    return {"filter": _object(document.get("run_filter", {}), "run_filter"), "condition": condition}


def expressible(rule: Rule) -> bool:
    """Whether the client can show it, and save it again without changing what it means.

    What it does not know it refuses together with the whole list, or reads as “everything matches” (IF5).
    """
    if rule.event_type not in KNOWN_EVENTS:
        return False
    if rule.event_type == EventType.RUN_METRIC and rule.condition.get("cmp_op") not in COMPARISONS:
        return False
    if rule.payload.strip() and not _is_object(rule.payload):
        return False
    if rule.event_type in RUN_EVENTS:
        return _survives(rule.filter) and _survives_simplifying(rule.filter)
    return _survives(rule.filter)


def _is_object(payload: str) -> bool:
    """A payload that turned invalid after it was saved is none either."""
    try:
        return isinstance(json.loads(payload), dict)
    except (ValueError, RecursionError):
        return False


def _survives(document: Document) -> bool:
    """Whether the client writes a filter as it read it: it makes a list of several operators under one `$not`."""
    return all(
        all(map(_survives, _children(key, value))) if key.startswith("$") else _turns_one_operator(value)
        for key, value in document.items()
    )


def _turns_one_operator(comparisons: object) -> bool:
    if not isinstance(comparisons, dict) or "$not" not in comparisons:
        return True
    turned = comparisons["$not"]
    return len(turned) == 1 and _turns_one_operator(turned)


def _survives_simplifying(document: Document, *, inside: bool = False, turned: bool = False) -> bool:
    """Whether a filter on runs still means the same after the client took what it believes to be idle out of it.

    It reads the `$nor` of one condition as the condition itself, puts a `$nor` inside of a `$nor` or `$not` on one
    level with it, and drops an `$or` of nothing, which means “everything”, from what is around it. `inside` says
    whether anything is around it but `$and`, `turned` whether that is a negation.
    """
    for key, value in map(_as_nor, document, document.values()):
        if key == "$nor" and (turned or len(value) < 2):
            return False
        if key == "$or" and not value and inside:
            return False
        around = {"inside": inside or key != "$and", "turned": turned or key in {"$nor", "$not"}}
        if not all(_survives_simplifying(one, **around) for one in _children(key, value)):
            return False
    return True


def _as_nor(key: str, value: Any) -> tuple[str, Any]:
    """`$not` of an `$or` is a `$nor`, and the client makes it one."""
    return ("$nor", value["$or"]) if key == "$not" and set(value) == {"$or"} else (key, value)


def _children(key: str, value: Any) -> list[Document]:
    """The conditions inside of a logical operator; a field has none."""
    if key == "$not":
        return [value]
    return value if key in {"$and", "$or", "$nor"} else []


def _text(document: Document) -> str:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def _object(value: object, name: str) -> Document:
    """An object, or the JSON text of one.

    Raises:
        BadRequest: it is neither.
    """
    if isinstance(value, str):
        try:
            value = json.loads(value, parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as error:
            raise BadRequest(f"{name} is not JSON: {error}.") from error
    if not isinstance(value, dict):
        raise BadRequest(f"{name} is a JSON object, and says what is asked of the event.")
    return value


def _refuse_constant(constant: str) -> None:
    raise ValueError(f"{constant} is no number in JSON")


def _refuse_other_keys(document: Document, *known: str) -> None:
    strange = sorted(key for key, value in document.items() if key not in known and value is not None)
    if strange:
        raise BadRequest(f"“{strange[0][:80]}” is not part of this event's filter; it has {', '.join(known)}.")
