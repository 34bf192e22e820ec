"""YAML in and out, as far as it is data: no tags, no aliases, and the same bytes for the same values.

Reading goes through libyaml's events rather than PyYAML's constructors, so that every value has a line, and nothing a
file says can make it grow.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import yaml

from projects.jsonvalues import MAX_DEPTH as DEEPEST_VALUE

MOST_CHARACTERS = 1_000_000
MOST_VALUES = 100_000
# A condition or filter stands a few levels deep in its document.
MAX_DEPTH = DEEPEST_VALUE + 10
PLAIN = "tag:yaml.org,2002:"
# What a plain scalar may be; dates and the rest of YAML's types are text.
TYPES = frozenset({"null", "bool", "int", "float", "str"})
NUMBERS = frozenset({f"{PLAIN}int", f"{PLAIN}float"})
# More than any number has that can be compared with.
LONGEST_NUMBER = 400
# Line breaks to YAML, yet not the one that text is written in lines by.
ODD_BREAKS = frozenset("\r\x85\u2028\u2029\ufeff")

Path = tuple[str | int, ...]


class UnreadableText(ValueError):
    """The text is no YAML, or says something that is not understood; with the line, counted from 1."""

    def __init__(self, message: str, *, line: int | None = None) -> None:
        super().__init__(f"Line {line}: {message}" if line else message)
        self.line = line


@dataclass(slots=True)
class Parsed:
    """The documents of a text, and the line of every value in them."""

    documents: list[Any] = field(default_factory=list)
    lines: dict[Path, int] = field(default_factory=dict)

    def line_of(self, path: Path) -> int | None:
        """Where it stands, or else what it would be in."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path)


@dataclass(slots=True)
class _Frame:
    """A list or mapping that is being read; `key` is the one whose value comes next."""

    value: list[Any] | dict[str, Any]
    path: Path
    key: str | None = None


def read(text: str) -> Parsed:
    """The documents of a text; empty ones are left out.

    Raises:
        UnreadableText: it is too long, no YAML, or uses more of YAML than data needs.
    """
    if len(text) > MOST_CHARACTERS:
        raise UnreadableText(f"This has {len(text):,} characters; at most {MOST_CHARACTERS:,} are read at once.")
    builder = _Builder()
    try:
        for event in yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        raise UnreadableText(f"This is not YAML: {error.problem or error.context}.", line=line) from error
    except yaml.YAMLError as error:
        raise UnreadableText("This is not YAML: it has a character that YAML does not allow.") from error
    return builder.parsed


def write(documents: Iterable[Any]) -> str:
    """The documents as YAML, each with its keys in the order they have."""
    return yaml.dump_all(
        documents, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=math.inf, explicit_start=True
    )


class _Builder:
    def __init__(self) -> None:
        self.parsed = Parsed()
        self._stack: list[_Frame] = []
        self._scalars: Any = yaml.SafeLoader("")

    def take(self, event: yaml.Event) -> None:
        line = event.start_mark.line + 1 if event.start_mark else None
        if isinstance(event, yaml.AliasEvent):
            raise UnreadableText("Anchors and aliases (& and *) are not understood here; write it out.", line=line)
        if isinstance(event, yaml.ScalarEvent):
            self._take_scalar(event, line)
        elif isinstance(event, yaml.CollectionStartEvent):
            self._open([] if isinstance(event, yaml.SequenceStartEvent) else {}, event, line)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._stack.pop()

    def _take_scalar(self, event: yaml.ScalarEvent, line: int | None) -> None:
        frame = self._stack[-1] if self._stack else None
        if frame is None or not isinstance(frame.value, dict) or frame.key is not None:
            self._add(self._value(event, line), line)
            return
        # Keys are text as it is written: `on` and `1` are names like any other.
        if event.value in frame.value:
            raise UnreadableText(f"“{event.value[:80]}” is there twice.", line=line)
        frame.key = event.value

    def _open(self, value: Any, event: yaml.CollectionStartEvent, line: int | None) -> None:
        frame = self._stack[-1] if self._stack else None
        if frame and isinstance(frame.value, dict) and frame.key is None:
            raise UnreadableText("A key has to be text.", line=line)
        if len(self._stack) >= MAX_DEPTH:
            raise UnreadableText(f"This is nested over {MAX_DEPTH} levels deep.", line=line)
        if event.tag not in {None, "!", f"{PLAIN}map", f"{PLAIN}seq"}:
            raise UnreadableText(f"The tag {event.tag[:80]} is not understood here.", line=line)
        path = self._add(value, line)
        self._stack.append(_Frame(value, path))

    def _add(self, value: Any, line: int | None) -> Path:
        """Put a value where it belongs, and say where that is."""
        if len(self.parsed.lines) >= MOST_VALUES:
            raise UnreadableText(f"This has more than {MOST_VALUES:,} values; send it in parts.", line=line)
        if not self._stack:
            path: Path = (len(self.parsed.documents),)
            if value is not None:
                self.parsed.documents.append(value)
        else:
            frame = self._stack[-1]
            step: str | int = len(frame.value)
            if isinstance(frame.value, dict):
                step, frame.key = frame.key or "", None
                frame.value[step] = value
            else:
                frame.value.append(value)
            path = (*frame.path, step)
        self.parsed.lines[path] = line or 1
        return path

    def _value(self, event: yaml.ScalarEvent, line: int | None) -> Any:
        tag = event.tag
        if tag is None:
            tag = self._scalars.resolve(yaml.ScalarNode, event.value, event.implicit)
            # Numbers to the base of sixty, such as 12:30, are times: text, like dates.
            is_text = tag.removeprefix(PLAIN) not in TYPES or (tag in NUMBERS and ":" in event.value)
            tag = f"{PLAIN}str" if is_text else tag
        if tag == "!":
            return event.value
        if not tag.startswith(PLAIN) or tag.removeprefix(PLAIN) not in TYPES:
            raise UnreadableText(f"The tag {tag[:80]} is not understood here.", line=line)
        if tag in NUMBERS and (":" in event.value or len(event.value) > LONGEST_NUMBER):
            raise UnreadableText(f"“{event.value[:80]}” cannot be read.", line=line)
        try:
            value = self._scalars.construct_object(yaml.ScalarNode(tag, event.value))
        except (ValueError, LookupError) as error:
            raise UnreadableText(f"“{event.value[:80]}” cannot be read.", line=line) from error
        if isinstance(value, float) and not math.isfinite(value):
            raise UnreadableText("NaN and infinities cannot be compared with; write a number.", line=line)
        return value


class _Dumper(yaml.SafeDumper):
    """Text of several lines in lines, nothing by reference, lists set in."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: FBT001, FBT002  PyYAML's
        super().increase_indent(flow, False)


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = None
    if ODD_BREAKS.intersection(text):
        style = '"'
    elif "\n" in text:
        style = "|"
    return dumper.represent_scalar(f"{PLAIN}str", text, style=style)


_Dumper.add_representer(str, _represent_text)
