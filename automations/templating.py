"""Payload templates: JSON whose strings and keys may hold `${name}`.

The text is parsed first and variables are put into the parsed strings, so no value can break the structure
(PL1). A value is never looked at again: `${x}` or a backslash in it stays as it is. Pure Python.
"""

import difflib
import json
import math
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from automations.words import gettext as _
from automations.words import gettext_noop

MAX_TEXT_BYTES = 64 * 1024
MAX_DEPTH = 50
MAX_NUMBER_LENGTH = 1_000
MAX_WARNINGS = 50
# A template may name a large value many times; what it becomes has to fit in memory and in a request.
MAX_RENDERED_CHARACTERS = 4 * 1024 * 1024

_VARIABLE: Final = re.compile(r"\$\{(artifact_metadata\.[^}]+|[A-Za-z_][A-Za-z0-9_.\-/]*)\}")
_STRAY: Final = re.compile(r"\$\{[^}]{0,80}\}?")
# Strings are consumed whole, also one that never ends, so what else is found is outside of strings.
_TOKEN: Final = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[\]{}]|-?Infinity|NaN|-?[0-9][0-9.eE+\-]*+', flags=re.DOTALL)
# What json.loads says most often of what is no JSON; the rest stays as it says it.
PROBLEMS: Final = (
    gettext_noop("Expecting value"),
    gettext_noop("Expecting ',' delimiter"),
    gettext_noop("Expecting ':' delimiter"),
    gettext_noop("Expecting property name enclosed in double quotes"),
    gettext_noop("Extra data"),
    gettext_noop("Invalid control character"),
    gettext_noop("Unterminated string starting"),
)


class InvalidTemplate(ValueError):
    """Text that is no template; line and column count from 1 (both are 1 where the whole is meant)."""

    def __init__(self, message: str, *, line: int = 1, column: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column


class RenderedTooLarge(ValueError):
    """The values make the document larger than MAX_RENDERED_CHARACTERS."""


@dataclass(frozen=True, slots=True)
class TemplateWarning:
    """Something about a variable that the author may not have meant."""

    name: str
    message: str


@dataclass(frozen=True, slots=True)
class Template:
    """Valid template text; made by parse().

    Where substitution makes two keys of an object the same, the later one stays.
    """

    text: str
    _document: Any = field(repr=False, compare=False)

    def names(self) -> frozenset[str]:
        """The variables used, without `${}`."""
        return frozenset(name for text in _texts(self._document) for name in _VARIABLE.findall(text))

    def strays(self) -> frozenset[str]:
        """`${…}` that are no variables and stay as they are, `${ alias }` for one."""
        return frozenset(stray for text in _texts(self._document) for stray in _STRAY.findall(_VARIABLE.sub("", text)))

    def render(self, values: Mapping[str, str]) -> bytes:
        """Compact UTF-8 JSON with every variable replaced by its value, or by "" where it has none.

        Lone surrogates, which UTF-8 cannot hold, become U+FFFD. Raises RenderedTooLarge.
        """
        room = MAX_RENDERED_CHARACTERS

        def replace(match: re.Match[str]) -> str:
            nonlocal room
            value = values.get(match[1], "")
            room -= len(value)
            if room < 0:
                raise RenderedTooLarge(
                    _("The values make the payload longer than %(most)s characters; use fewer or shorter variables.")
                    % {"most": f"{MAX_RENDERED_CHARACTERS:,}"}
                )
            return value

        return _encode(_substitute(self._document, replace))


def parse(text: str) -> Template:
    """The template that the text is. Raises InvalidTemplate, which says where the JSON is wrong."""
    if not text.strip():
        raise InvalidTemplate(_("The payload is empty; write a JSON document, or choose the default payload."))
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise InvalidTemplate(_("The payload holds lone surrogates, which are no text; remove them.")) from None
    if size > MAX_TEXT_BYTES:
        raise InvalidTemplate(
            _("The payload has more than %(most)s kB; shorten it.") % {"most": MAX_TEXT_BYTES // 1024}
        )
    _check_tokens(text)
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        told = {"problem": _(error.msg.removesuffix(" at")), "line": error.lineno, "column": error.colno}
        raise InvalidTemplate(
            _("The payload is not JSON: %(problem)s at line %(line)s, column %(column)s.") % told,
            line=error.lineno,
            column=error.colno,
        ) from None
    return Template(text, document)


def lint(template: Template, *, known: Collection[str], applicable: Collection[str]) -> list[TemplateWarning]:
    """What is odd about the template's variables, for the editor (PL5); at most MAX_WARNINGS.

    `known` are all variables there are, `applicable` those that the chosen event has. A name that ends in
    `.*` stands for everything below it: `artifact_metadata.*`.
    """
    warnings: list[TemplateWarning] = []
    for name in sorted(template.names()):
        if not _covers(known, name):
            hint = _suggestion(name, {*applicable, *known}) if len(warnings) < MAX_WARNINGS else ""
            warnings.append(TemplateWarning(name, _unknown(name, hint)))
        elif not _covers(applicable, name):
            warnings.append(
                TemplateWarning(
                    name,
                    _("%(variable)s does not apply to this event; it will always be empty.")
                    % {"variable": f"${{{name}}}"},
                )
            )
    warnings.extend(
        TemplateWarning(stray, _("%(stray)s is not a variable and stays as it is; write ${name}.") % {"stray": stray})
        for stray in sorted(template.strays())
    )
    return warnings[:MAX_WARNINGS]


def _suggestion(name: str, names: set[str]) -> str:
    near = difflib.get_close_matches(name, sorted(names), n=1) if len(name) <= 100 else []
    return f"${{{near[0].replace('.*', '.KEY')}}}" if near else ""


def _unknown(name: str, hint: str) -> str:
    told = {"variable": f"${{{name}}}", "other": hint}
    if hint:
        return _("There is no variable %(variable)s; it will be empty. Did you mean %(other)s?") % told
    return _("There is no variable %(variable)s; it will be empty.") % told


def _check_tokens(text: str) -> None:
    """Refuses what json.loads takes though it is no strict JSON, or what would exhaust it."""
    depth = 0
    for match in _TOKEN.finditer(text):
        piece = match[0]
        if piece in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise _at(
                    match,
                    _("The payload is nested more than %(most)s deep (line %(line)s, column %(column)s)."),
                    most=MAX_DEPTH,
                )
        elif piece in "]}":
            depth -= 1
        elif piece[0] != '"' and (piece[-1] in "yN" or len(piece) > MAX_NUMBER_LENGTH or _overflows(piece)):
            shown = piece if len(piece) <= 20 else piece[:20] + "…"
            raise _at(
                match,
                _("The payload holds %(shown)s, which is no number in JSON (line %(line)s, column %(column)s)."),
                shown=shown,
            )


def _at(match: re.Match[str], problem: str, **told: object) -> InvalidTemplate:
    before = match.string[: match.start()]
    line, column = before.count("\n") + 1, match.start() - before.rfind("\n")
    return InvalidTemplate(problem % {**told, "line": line, "column": column}, line=line, column=column)


def _overflows(piece: str) -> bool:
    """Whether a number becomes infinite when it is read; what is no number at all is left to json.loads."""
    if piece.lstrip("-").isdigit():
        return False
    try:
        return math.isinf(float(piece))
    except ValueError:
        return False


def _texts(document: Any) -> Iterator[str]:
    """Every string and key."""
    if isinstance(document, str):
        yield document
    elif isinstance(document, list):
        for one in document:
            yield from _texts(one)
    elif isinstance(document, dict):
        for key, one in document.items():
            yield key
            yield from _texts(one)


def _covers(names: Collection[str], name: str) -> bool:
    return name in names or any(
        one.endswith(".*") and name.startswith(one[:-1]) and len(name) >= len(one) for one in names
    )


def _substitute(document: Any, replace: Any) -> Any:
    if isinstance(document, str):
        return _VARIABLE.sub(replace, document)
    if isinstance(document, list):
        return [_substitute(one, replace) for one in document]
    if isinstance(document, dict):
        return {_VARIABLE.sub(replace, key): _substitute(one, replace) for key, one in document.items()}
    return document


def _encode(document: Any) -> bytes:
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()
