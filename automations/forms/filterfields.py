"""The simple fields of the form and the condition language: one stored document, two ways to write it.

A document is taken apart into the fields that can show it and a rest in JSON, all of which must hold. What the
fields cannot express stays in the rest as it was written, so that no condition is lost by editing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from automations.models import EventType


@dataclass(frozen=True, slots=True)
class FilterField:
    """A form field called `name` that stands for `{key: {operator: value}}`.

    The value of `$in` is a list, that of the others text.
    """

    name: str
    key: str
    operator: str

    def write(self, value: str | list[str]) -> Any:
        """The condition on `key` that this value asks for."""
        return value if self.operator == "$eq" else {self.operator: value}

    def read(self, condition: object) -> str | list[str] | None:
        """The value whose condition this is, or None if this field cannot show it."""
        if isinstance(condition, Mapping):
            if len(condition) != 1:
                return None
            operator, wanted = next(iter(condition.items()))
        else:
            operator, wanted = "$eq", condition
        if self.operator == "$in":
            listed = [wanted] if operator == "$eq" else wanted if operator == "$in" else None
            return listed if isinstance(listed, list) and _is_list(listed) else None
        return wanted if operator == self.operator and isinstance(wanted, str) and _is_typed(wanted) else None


USER = FilterField("user", "user", "$eq")
RUN_NAME = FilterField("run_name", "display_name", "$regex")
ALIAS = FilterField("alias_pattern", "alias", "$regex")
TAG = FilterField("tag_pattern", "tag", "$regex")
ALIASES = FilterField("aliases", "alias", "$in")
COLLECTION = FilterField("collection_name", "collection", "$regex")
TYPE = FilterField("artifact_type", "type", "$eq")

FILTER_FIELDS: Mapping[EventType, tuple[FilterField, ...]] = {
    EventType.RUN_STATE: (USER, RUN_NAME),
    EventType.RUN_METRIC: (USER, RUN_NAME),
    EventType.RUN_METRIC_CHANGE: (USER, RUN_NAME),
    EventType.RUN_METRIC_ZSCORE: (USER, RUN_NAME),
    EventType.RUN_ALERT: (USER, RUN_NAME),
    EventType.RUN_STALL: (USER, RUN_NAME),
    EventType.CREATE_ARTIFACT: (COLLECTION, TYPE, ALIASES),
    EventType.LINK_ARTIFACT: (COLLECTION, TYPE, ALIASES),
    EventType.UNLINK_ARTIFACT: (COLLECTION, TYPE, ALIASES),
    EventType.ADD_ARTIFACT_ALIAS: (ALIAS, COLLECTION, TYPE),
    EventType.ADD_ARTIFACT_TAG: (TAG, COLLECTION, TYPE),
    EventType.REMOVE_ARTIFACT_TAG: (TAG, COLLECTION, TYPE),
    EventType.ADD_COLLECTION_TAG: (TAG, COLLECTION, TYPE),
    EventType.REMOVE_COLLECTION_TAG: (TAG, COLLECTION, TYPE),
    EventType.ARTIFACT_ABSENCE: (),
}

Values = dict[str, str | list[str]]


def split(document: object, fields: Sequence[FilterField]) -> tuple[Values, Any]:
    """What the fields can show of the document, by field name, and the rest, `{}` if that is all."""
    if not isinstance(document, dict):
        return {}, document
    values: Values = {}
    rest: list[dict[str, Any]] = []
    for key, condition in _entries(document):
        for field in fields:
            value = field.read(condition) if field.key == key and field.name not in values else None
            if value is not None:
                values[field.name] = value
                break
        else:
            rest.append({key: condition})
    return values, _together(rest)


def join(values: Mapping[str, str | list[str]], rest: Any, fields: Sequence[FilterField]) -> Any:
    """The document that asks for all of the fields' values and for the rest."""
    asked = [{field.key: field.write(value)} for field in fields if (value := values.get(field.name))]
    if not asked:
        return rest
    return _together([*asked, rest] if rest else asked)


def listed(text: str) -> list[str]:
    """The names of a list with commas, each once."""
    return list(dict.fromkeys(name for part in text.split(",") if (name := part.strip())))


def _entries(document: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Conditions all of which must hold, with the brackets opened that only say so."""
    entries = []
    for key, condition in document.items():
        is_list = isinstance(condition, list) and all(isinstance(one, dict) for one in condition)
        if is_list and (key == "$and" or (key == "$or" and len(condition) <= 1)):
            for one in condition:
                entries.extend(_entries(one))
        else:
            entries.append((key, condition))
    return entries


def _together(conditions: list[Any]) -> Any:
    keys = [key for condition in conditions if isinstance(condition, dict) for key in condition]
    if len(keys) == len(set(keys)) and all(isinstance(condition, dict) for condition in conditions):
        return {key: value for condition in conditions for key, value in condition.items()}
    return {"$and": conditions}


def _is_list(values: list[Any]) -> bool:
    """Whether the values survive being written into a comma-separated list."""
    texts = [value for value in values if isinstance(value, str) and _is_typed(value) and "," not in value]
    return bool(values) and len(set(texts)) == len(values)


def _is_typed(value: str) -> bool:
    """Whether the value survives a field of one line, which has no line breaks and nothing blank around it."""
    return value != "" and value == value.strip() and not set("\r\n") & set(value)
