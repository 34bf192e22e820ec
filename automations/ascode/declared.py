"""What a text asks for: scopes, and the automations that each is to have."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError

from automations.ascode import yamltext
from automations.ascode.naming import SCOPES, Named
from automations.ascode.yamltext import Parsed, Path, UnreadableText
from projects.jsonvalues import storable

MOST_PROBLEMS = 50
# Each that changes is checked and saved like any edit, in one transaction.
MOST_AUTOMATIONS = 1_000


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_document(value: Any) -> bool:
    return isinstance(value, dict)


def _is_switch(value: Any) -> bool:
    return isinstance(value, bool)


TEXT = (_is_text, "Write text here, in quotes if it looks like a number, a date or yes and no.")
DOCUMENT = (_is_document, "Write names and values here.")
# What an automation may say, in the words of the REST API and in the order of an export.
KEYS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "name": TEXT,
    "description": TEXT,
    "enabled": (_is_switch, "Write true or false."),
    "shadow": (_is_switch, "Write true or false."),
    "event_type": TEXT,
    "condition": DOCUMENT,
    "filter": DOCUMENT,
    "action_kind": TEXT,
    "webhook": TEXT,
    "payload": TEXT,
    "slack_channel": TEXT,
    "title": TEXT,
    "message": TEXT,
    "severity": TEXT,
}
REQUIRED = ("name", "event_type", "action_kind")
# What a text that does not say it means; exports leave it out.
DEFAULTS: dict[str, Any] = {
    "description": "",
    "enabled": True,
    "shadow": False,
    "condition": {},
    "filter": {},
    "webhook": None,
    "payload": "",
    "slack_channel": None,
    "title": "",
    "message": "",
    "severity": "",
}


class InvalidDeclaration(ValidationError):
    """What a text asks for cannot be: everything that is wrong, by path, each with its line."""

    def __init__(self, problems: dict[str, str]) -> None:
        super().__init__(problems)

    def __str__(self) -> str:
        return "\n".join(f"{path}: {' '.join(messages)}" for path, messages in self.message_dict.items())


@dataclass(frozen=True, slots=True)
class Declared:
    """One automation as a text has it; `scope` is the kind and the name of what it covers."""

    scope: Named
    fields: dict[str, Any]
    path: Path

    @property
    def name(self) -> str:
        name: str = self.fields["name"].strip()
        return name


@dataclass(slots=True)
class Declaration:
    """All of a text: the scopes it names, in order, and the automations in them."""

    parsed: Parsed
    scopes: dict[Named, Path] = field(default_factory=dict)
    automations: list[Declared] = field(default_factory=list)
    problems: dict[str, str] = field(default_factory=dict)

    def refuse(self, path: Path, message: str) -> None:
        """Note what is wrong; the first of each place is told."""
        line = self.parsed.line_of(path)
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.setdefault(written(path), f"{message} (line {line})" if line else message)

    def raise_problems(self) -> None:
        """Stop if anything is wrong.

        Raises:
            InvalidDeclaration: by path.
        """
        if self.problems:
            raise InvalidDeclaration(self.problems)


def read(text: str) -> Declaration:
    """What the text asks for; names are not looked up yet.

    Raises:
        UnreadableText: it is no YAML, or too long.
        InvalidDeclaration: by path.
    """
    declaration = Declaration(yamltext.read(text))
    for index, document in enumerate(declaration.parsed.documents):
        _take_document(declaration, document, (index,))
    declaration.raise_problems()
    if len(declaration.automations) > MOST_AUTOMATIONS:
        raise UnreadableText(
            f"This has {len(declaration.automations):,} automations; at most {MOST_AUTOMATIONS:,} are taken at once."
        )
    _refuse_twice(declaration)
    declaration.raise_problems()
    return declaration


def written(path: Path) -> str:
    """`documents[0].automations[2].condition.threshold`"""
    first, *rest = path
    steps = (f"[{step}]" if isinstance(step, int) else f".{step[:80]}" for step in rest)
    return f"documents[{first}]{''.join(steps)}"


def _take_document(declaration: Declaration, document: Any, path: Path) -> None:
    if not isinstance(document, dict):
        declaration.refuse(path, f"A document names a scope ({', '.join(SCOPES)}) and its automations.")
        return
    kinds = [key for key in document if key in SCOPES]
    for key in document:
        if key not in SCOPES and key != "automations":
            declaration.refuse((*path, key), _not_understood(key, [*SCOPES, "automations"]))
    if len(kinds) != 1:
        declaration.refuse(path, f"A document names exactly one scope: one of {', '.join(SCOPES)}.")
        return
    (kind,) = kinds
    name, automations = document[kind], document.get("automations") or []
    problem = _problem_of(name, TEXT)
    if problem:
        declaration.refuse((*path, kind), problem)
        return
    declaration.scopes.setdefault((kind, name), (*path, kind))
    if not isinstance(automations, list):
        declaration.refuse((*path, "automations"), "Write a list of automations.")
        return
    for index, entry in enumerate(automations):
        place = (*path, "automations", index)
        problems = dict(_problems_of(entry, place))
        for where, message in problems.items():
            declaration.refuse(where, message)
        if not problems:
            declaration.automations.append(Declared((kind, name), entry, place))


def _problems_of(entry: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if not isinstance(entry, dict):
        yield path, "Write the fields of an automation."
        return
    for key, value in entry.items():
        if key not in KEYS:
            yield (*path, key), _not_understood(key, list(KEYS))
        elif problem := _problem_of(value, KEYS[key]):
            yield (*path, key), problem
    missing = [key for key in REQUIRED if key not in entry]
    if missing:
        yield path, f"An automation also says its {' and '.join(missing)}."


def _problem_of(value: Any, shape: tuple[Callable[[Any], bool], str]) -> str:
    """What keeps a value from being used, "" for nothing."""
    fits, otherwise = shape
    if not fits(value):
        return otherwise
    try:
        storable(value)
    except ValidationError as error:
        return str(error.messages[0])
    return ""


def _refuse_twice(declaration: Declaration) -> None:
    first: dict[tuple[Named, str], Declared] = {}
    for one in declaration.automations:
        other = first.setdefault((one.scope, one.name), one)
        if other is not one:
            line = declaration.parsed.line_of(other.path)
            declaration.refuse((*one.path, "name"), f"“{one.name}” is declared at line {line} already.")


def _not_understood(key: str, known: list[str]) -> str:
    return f"“{key[:80]}” is not understood here; known are {', '.join(known)}."


def fields_to_write(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields of an automation that its text has to say, in order."""
    return {key: fields[key] for key in KEYS if key not in DEFAULTS or fields[key] != DEFAULTS[key]}
