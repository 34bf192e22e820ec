"""Reading what a run logged: rows by their steps, samples of them, and which keys there are.

Chunks know their lines but not their steps, and a step is where a script says it is. So each process remembers which
steps are in which chunk of the runs it read last, and goes on where it stopped: chunks are only ever added.
"""

from __future__ import annotations

import threading
from array import array
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import QuerySet

from projects.metrics import MAX_METRICS, nested, rows_of
from projects.models import MetricChunk, Run
from projects.models.history import Stream

STEP = "_step"
MOST_REMEMBERED = 32
# Rows held while sampling, at least: the more, the more even the sample.
LEAST_HELD = 1_000
Row = dict[str, Any]


@dataclass(slots=True)
class KeyUse:
    """How one key was logged: how often with which type of value, and the last number."""

    counts: dict[str, int] = field(default_factory=dict)
    last: float | None = None


@dataclass(frozen=True, slots=True)
class Survey:
    """What is where in a run's history, up to the line `lines`: for each chunk its first line and its steps."""

    lines: int = 0
    first_lines: array[int] = field(default_factory=lambda: array("q"))
    lowest: array[int] = field(default_factory=lambda: array("q"))
    highest: array[int] = field(default_factory=lambda: array("q"))
    keys: Mapping[str, KeyUse] = field(default_factory=dict)

    @property
    def first_step(self) -> int | None:
        """The lowest step of all; None if nothing was logged."""
        return min(self.lowest, default=None)

    @property
    def last_step(self) -> int:
        """The highest step of all; -1 if nothing was logged."""
        return max(self.highest, default=-1)

    def chunks_between(self, first: int, last: int) -> list[int]:
        """First lines of the chunks that may hold steps from `first` to before `last`."""
        return [
            line
            for line, lowest, highest in zip(self.first_lines, self.lowest, self.highest, strict=True)
            if lowest < last and highest >= first
        ]


_remembered: OrderedDict[int, Survey] = OrderedDict()
_lock = threading.Lock()


def forget() -> None:
    """Forget all surveys; for tests, whose runs come and go."""
    with _lock:
        _remembered.clear()


def survey_of(run: Run) -> Survey:
    """The survey of the run's history as it is now."""
    with _lock:
        known = _remembered.get(run.pk, Survey())
    if known.lines > run.history_lines:
        # The caller's run is older than what is known, unless the history was cut off: look again from the start.
        known = Survey()
    if known.lines < run.history_lines:
        known = _extended(known, run.chunks.filter(stream=Stream.HISTORY, first_line__gte=known.lines))
    with _lock:
        _remembered[run.pk] = known
        _remembered.move_to_end(run.pk)
        while len(_remembered) > MOST_REMEMBERED:
            _remembered.popitem(last=False)
    return known


def rows_between(run: Run, first: int, last: int) -> Iterator[Row]:
    """The rows with steps from `first` to before `last`, in the order logged, each with its `_step`."""
    for chunk in _chunks(run, survey_of(run).chunks_between(first, last)):
        for line, row in enumerate(rows_of(chunk), start=chunk.first_line):
            step = step_of(row, line)
            if first <= step < last:
                row[STEP] = step
                yield row


def sampled(run: Run, count: int, *, stream: Stream = Stream.HISTORY) -> Iterator[Row]:
    """Up to `count` rows of the whole stream at even distances, the first and the last among them."""
    starts = list(run.chunks.filter(stream=stream).order_by("first_line").values_list("first_line", flat=True))
    total = run.history_lines if stream == Stream.HISTORY else run.system_lines
    wanted = _evenly(total, count)
    chosen = sorted({starts[bisect_right(starts, line) - 1] for line in wanted}) if starts else []
    lines = frozenset(wanted)
    for chunk in _chunks(run, chosen, stream=stream):
        for line, row in enumerate(rows_of(chunk), start=chunk.first_line):
            if line in lines:
                yield row if stream == Stream.SYSTEM else row | {STEP: step_of(row, line)}


def with_keys(run: Run, keys: Sequence[str], *, first: int = 0, last: int | None = None, count: int) -> list[Row]:
    """Up to `count` of the rows with steps from `first` to before `last` that have all keys, reduced to these keys.

    However many there are, a few times `count` are held at once: of too many, every other one is let go.
    """
    last = survey_of(run).last_step + 1 if last is None else last
    kept: list[Row] = []
    stride = 1
    latest: Row | None = None
    for number, found in enumerate(_having(rows_between(run, first, last), keys)):
        latest = found
        if number % stride == 0:
            kept.append(found)
        if len(kept) > max(4 * count, LEAST_HELD):
            kept = kept[::2]
            stride *= 2
    if latest is not None and kept[-1] is not latest:
        kept.append(latest)
    return [kept[index] for index in _evenly(len(kept), count)]


def value_in(row: Row, key: str) -> Any:
    """What a row holds under a key, whatever it is, or None. A dot goes into nested objects."""
    value = row.get(key)
    return nested(row, key) if value is None and "." in key else value


def step_of(row: Row, line: int) -> int:
    """Where the script says it was; rows that do not say it are as far as their line."""
    step = row.get(STEP)
    if isinstance(step, bool) or not isinstance(step, int | float) or not abs(step) < 2**63:
        return line
    return int(step)


def _having(rows: Iterator[Row], keys: Sequence[str]) -> Iterator[Row]:
    for row in rows:
        found = {key: value_in(row, key) for key in keys}
        if None not in found.values():
            yield found


def _evenly(total: int, count: int) -> list[int]:
    """Up to `count` numbers below `total` at even distances, the first and the last among them."""
    if count >= total:
        return list(range(total))
    if count < 2:
        return [total - 1] * count
    return [number * (total - 1) // (count - 1) for number in range(count)]


def _chunks(run: Run, first_lines: Sequence[int], *, stream: Stream = Stream.HISTORY) -> Iterator[MetricChunk]:
    """The chunks that begin with these lines, a few at a time."""
    for start in range(0, len(first_lines), 100):
        wanted = first_lines[start : start + 100]
        rows = run.chunks.filter(stream=stream, first_line__in=wanted).order_by("first_line")
        yield from rows.iterator(chunk_size=5)


def _extended(known: Survey, chunks: QuerySet[MetricChunk]) -> Survey:
    # Copies: others may be reading what is known.
    first_lines, lowest, highest = known.first_lines[:], known.lowest[:], known.highest[:]
    keys = {key: KeyUse(dict(use.counts), use.last) for key, use in known.keys.items()}
    lines = known.lines
    for chunk in chunks.order_by("first_line").iterator(chunk_size=5):
        rows = rows_of(chunk)
        steps = [step_of(row, line) for line, row in enumerate(rows, start=chunk.first_line)]
        first_lines.append(chunk.first_line)
        lowest.append(min(steps))
        highest.append(max(steps))
        for row in rows:
            _note(row, keys)
        lines = chunk.first_line + len(rows)
    return Survey(lines, first_lines, lowest, highest, keys)


def _note(row: Row, keys: dict[str, KeyUse], prefix: str = "") -> None:
    for name, value in row.items():
        key = prefix + name
        kind = type(value)
        if kind is dict and "_type" not in value:
            _note(value, keys, f"{key}.")
            continue
        use = keys.get(key)
        if use is None:
            if len(keys) >= MAX_METRICS:
                continue
            use = keys[key] = KeyUse()
        word = "number" if kind is float or kind is int else _type_of(value)
        use.counts[word] = use.counts.get(word, 0) + 1
        if kind is float or kind is int:
            use.last = value


def _type_of(value: Any) -> str:
    if isinstance(value, dict):
        return str(value["_type"])[:100]
    if isinstance(value, bool):
        return "boolean"
    if value is None:
        return "nil"
    return "string" if isinstance(value, str) else "list"
