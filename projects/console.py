"""What a script printed: kept as it came, read line by line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
from django.db.models import F
from django.utils.dateparse import parse_datetime

from projects.jsonvalues import mended
from projects.metrics import compress, decompress
from projects.models import ConsoleChunk, Run

LINES_AT_ONCE = 5_000
# A search ends after so many lines, counted from the end.
LINES_SEARCHED = 200_000


@dataclass(frozen=True, slots=True)
class ConsoleLine:
    """One line as it stands now. `level` is “error” for what went to standard error, else empty."""

    number: int
    text: str
    printed_at: datetime | None = None
    level: str = ""
    label: str = ""


def keep(run: Run, lines: Sequence[str], *, first_line: int, at: datetime) -> None:
    """Store lines; those of the same numbers are overwritten."""
    ConsoleChunk.objects.create(
        run=run,
        first_line=first_line,
        line_count=len(lines),
        payload=compress(orjson.dumps(mended(list(lines)))),
        created_at=at,
    )


def lines(run: Run, *, start: int, end: int) -> list[ConsoleLine]:
    """The lines from `start` to before `end`, of which there are as many as the run has; empty where none arrived."""
    start, end = max(start, 0), min(end, run.console_lines)
    written = [""] * max(end - start, 0)
    chunks = ConsoleChunk.objects.filter(run=run, first_line__lt=end, first_line__gt=start - F("line_count"))
    for chunk in chunks.order_by("pk").iterator(chunk_size=20):
        printed: list[str] = orjson.loads(decompress(bytes(chunk.payload)))
        for number, line in enumerate(printed, start=chunk.first_line):
            if start <= number < end:
                written[number - start] = line
    return [_read(line, number) for number, line in enumerate(written, start=start)]


def tail(run: Run, *, count: int) -> list[ConsoleLine]:
    """The last lines."""
    return lines(run, start=run.console_lines - count, end=run.console_lines)


@dataclass(frozen=True, slots=True)
class Found:
    """The last lines in which a text is found, of `searched` lines; `is_all` says whether these were all there are."""

    lines: Sequence[ConsoleLine]
    searched: int
    is_all: bool


def search(run: Run, text: str, *, count: int) -> Found:
    """Up to `count` lines that hold a text, in whatever case, looked for from the end."""
    wanted = text.casefold()
    found: list[ConsoleLine] = []
    end = run.console_lines
    while end > 0 and len(found) < count and run.console_lines - end < LINES_SEARCHED:
        start = max(end - LINES_AT_ONCE, 0)
        held = [line for line in lines(run, start=start, end=end) if wanted in line.text.casefold()]
        found = held + found
        end = start
    return Found(lines=found[-count:], searched=run.console_lines - end, is_all=end == 0 and len(found) <= count)


def everything(run: Run) -> Iterator[str]:
    """The whole text, piece by piece, for whoever wants to keep it."""
    start = _next_piece(run, 0)
    while start is not None:
        yield "".join(f"{line.text}\n" for line in lines(run, start=start, end=start + LINES_AT_ONCE))
        start = _next_piece(run, start + LINES_AT_ONCE)


def _next_piece(run: Run, start: int) -> int | None:
    """Where the next piece begins of which anything arrived. A script numbers its lines as it likes, and nobody could
    read to the end of a trillion missing ones."""
    chunks = ConsoleChunk.objects.filter(run=run, first_line__gt=start - F("line_count"))
    first = chunks.order_by("first_line").values_list("first_line", flat=True).first()
    return None if first is None else max(first, start) // LINES_AT_ONCE * LINES_AT_ONCE


def _read(line: str, number: int) -> ConsoleLine:
    """Clients write a line as an object with its time and level; older ones as it was printed."""
    try:
        told = orjson.loads(line) if line.startswith("{") else None
    except orjson.JSONDecodeError:
        told = None
    if not isinstance(told, dict) or not isinstance(told.get("content"), str):
        return ConsoleLine(number=number, text=line)
    return ConsoleLine(
        number=number,
        text=told["content"],
        printed_at=_moment(told.get("ts")),
        level=_text(told.get("level")),
        label=_text(told.get("label")),
    )


def _moment(text: Any) -> datetime | None:
    try:
        found = parse_datetime(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found and found.tzinfo is None else found


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
