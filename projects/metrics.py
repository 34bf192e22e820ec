"""Logged metrics: the hot path. A batch costs one insert and one update, whatever it holds."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import accumulate
from typing import Any

import orjson
import zstandard
from django.db import transaction

from projects import held, runs
from projects.events import METRICS_LOGGED, Fact, announce, run_scopes
from projects.jsonvalues import shallow, storable
from projects.models import MetricChunk, Run, RunState
from projects.models.history import Stream

# More rows than this in one request would hold the database for too long; clients split.
MAX_ROWS = 100_000
# The summary of a run is read and written with every batch: it holds the last values of so many metrics at most.
MAX_METRICS = 10_000
MAX_NAME_LENGTH = 500
MAX_NAMES_LENGTH = 1_000_000
PLAIN_TYPES = frozenset({int, float, bool, type(None)})
# One compressor a thread: sharing one between threads crashes it.
_local = threading.local()


class InvalidRows(ValueError):
    """The batch is not a list of rows of numbers. `path` says where, e.g. `[3].loss`."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(f"{path}: {message}" if path else message)
        self.path = path
        self.message = message


class RunIsOver(Exception):
    """Nothing can be logged to a run that has ended."""

    def __init__(self, run: Run) -> None:
        super().__init__(f"Run {run.run_id} is {run.state}. Start it again to log more.")


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of one upload: parsed, and the JSON array as it was sent."""

    rows: list[dict[str, Any]]
    text: bytes


def parse(body: bytes) -> Batch:
    """Read a JSON list of rows (objects of numbers, possibly nested); bare NaN and Infinity are fine.

    Raises:
        InvalidRows: naming the row and the key.
    """
    try:
        rows = loads(body, whole=_bounded)
    except (ValueError, RecursionError) as error:
        raise InvalidRows("", f"The body is not JSON: {error}.") from error
    if not isinstance(rows, list):
        raise InvalidRows("", 'Send a list of rows, for example [{"loss": 0.5}].')
    if len(rows) > MAX_ROWS:
        raise InvalidRows("", f"{len(rows)} rows in one request; send at most {MAX_ROWS:,}.")
    for index, row in enumerate(rows):
        if type(row) is not dict:
            raise InvalidRows(f"[{index}]", "A row is an object of metric names and numbers.")
        if not PLAIN_TYPES.issuperset(map(type, row.values())):
            _check_nested(row, f"[{index}]")
    return Batch(rows=rows, text=body)


def parse_lines(lines: Sequence[str]) -> Batch:
    """Read rows that come as one JSON text each, and may hold any values beside numbers, such as texts and media.

    Raises:
        InvalidRows: naming the line.
    """
    text = ("[" + ",".join(lines) + "]").encode("utf-8", "replace")
    try:
        rows = orjson.loads(text)
    except orjson.JSONDecodeError:
        # One that has NaN or an infinity must not make all of them slow.
        rows = [_row(line, index) for index, line in enumerate(lines)]
    if len(rows) != len(lines) or not all(type(row) is dict for row in rows):
        raise InvalidRows("", "Each line is one object of names and values.")
    for row in rows:
        if not PLAIN_TYPES.issuperset(map(type, row.values())):
            row.update((key, shallow(value)) for key, value in row.items() if type(value) in {dict, list})
    return Batch(rows=rows, text=text)


def _row(line: str, index: int) -> Any:
    try:
        return loads(line.encode("utf-8", "replace"), whole=_bounded)
    except (ValueError, RecursionError) as error:
        raise InvalidRows(f"[{index}]", f"The line is not JSON: {error}.") from error


def loads(text: bytes, *, whole: Callable[[str], Any] | None = None) -> Any:
    """Parse JSON, quickly when it is strict and patiently when it holds NaN or Infinity; `whole` reads integers then.

    Raises:
        ValueError: it is neither.
    """
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return json.loads(text, parse_int=whole)


def _bounded(digits: str) -> int | float:
    """An integer as orjson reads it: one that needs over 64 bits is a float, so that no value fills the summary."""
    number = int(digits)
    return number if number.bit_length() <= 64 else float(digits)


def _check_nested(row: dict[str, Any], path: str, depth: int = 0) -> None:
    for key, value in row.items():
        where = f"{path}.{key}"
        if type(value) is dict:
            if depth >= 10:
                raise InvalidRows(where, "Metrics nest at most 10 levels deep.")
            _check_nested(value, where, depth + 1)
        elif type(value) not in PLAIN_TYPES:
            shown = f"“{value[:40]}”" if isinstance(value, str) else f"a {type(value).__name__}"
            raise InvalidRows(where, f"A metric's value is a number; this is {shown}.")


def append(run: Run, batch: Batch, *, at: datetime, first_line: int | None = None) -> int:
    """Store a batch, and let automations judge it in the same transaction.

    `first_line` makes a repeated upload harmless: lines that are stored already are left out. Returns the number of
    lines the run has now. A pending run begins with its first batch, a crashed one is running again.

    Raises:
        RunIsOver: the run has ended.
        InvalidRows: `first_line` leaves a gap, or the run would have too many metrics.
    """
    with transaction.atomic():
        run = _awake(run, at=at)
        if first_line is not None and first_line > run.history_lines:
            raise InvalidRows(
                "",
                f"The batch begins at line {first_line}, but the run has {run.history_lines}: lines are missing.",
            )
        batch = unseen(batch, run.history_lines if first_line is None else first_line, stored=run.history_lines)
        if not batch.rows:
            return run.history_lines
        fact = keep(run, batch, stream=Stream.HISTORY, first_line=run.history_lines, at=at)
        if not run.keeps_summary:
            run.summary = _merged(run.summary, batch.rows)
        run.history_lines += len(batch.rows)
        run.heartbeat_at = max(run.heartbeat_at, at)
        run.save(update_fields=["summary", "history_lines", "heartbeat_at"])
        announce(fact)
    return run.history_lines


def keep(run: Run, batch: Batch, *, stream: Stream, first_line: int, at: datetime) -> Fact:
    """Store rows as lines of a stream; what is to be announced once the run is saved, which automations look at."""
    MetricChunk.objects.create(
        run=run,
        stream=stream,
        first_line=first_line,
        line_count=len(batch.rows),
        payload=compress(batch.text),
        created_at=at,
    )
    lines = "lines" if stream is Stream.HISTORY else stream.value
    return Fact(
        kind=METRICS_LOGGED,
        occurred_at=at,
        dedupe_key=f"run:{run.pk}:{lines}:{first_line}",
        scopes=run_scopes(run),
        actor=run.user,
        run=run,
        rows=batch.rows,
        first_line=first_line,
        stream=stream.value,
    )


def _awake(run: Run, *, at: datetime) -> Run:
    locked = held.hold(run.pk)
    if locked.state in {RunState.PENDING, RunState.CRASHED}:
        return runs.start(locked, by=locked.user, at=at)
    if locked.state != RunState.RUNNING:
        raise RunIsOver(locked)
    return locked


def unseen(batch: Batch, first_line: int, *, stored: int) -> Batch:
    """The rows of a batch that are not among the lines stored already."""
    if first_line >= stored:
        return batch
    fresh = batch.rows[stored - first_line :]
    return Batch(rows=fresh, text=json.dumps(fresh, separators=(",", ":")).encode())


def compress(text: bytes) -> bytes:
    """Pack what is kept of an upload; `decompress` unpacks it."""
    compressor: zstandard.ZstdCompressor | None = getattr(_local, "compressor", None)
    if compressor is None:
        compressor = _local.compressor = zstandard.ZstdCompressor(level=1)
    return compressor.compress(text)


def decompress(payload: bytes) -> bytes:
    """What `compress` packed."""
    return zstandard.ZstdDecompressor().decompress(payload)


def _merged(summary: dict[str, Any], rows: list[dict[str, Any]]) -> dict[str, Any]:
    latest = dict(summary)
    nested = False
    for row in rows:
        if not nested and dict not in map(type, row.values()):
            latest.update(row)
        else:
            nested = True
            merge_into(latest, row)
    if nested or len(latest) > len(summary):
        _check_names(latest)
    merged: dict[str, Any] = storable(latest)
    return merged


def _check_names(latest: dict[str, Any]) -> None:
    names = list(_names(latest))
    if len(names) > MAX_METRICS:
        raise InvalidRows("", f"The run would have {len(names):,} metrics; log at most {MAX_METRICS:,} different ones.")
    longest = max(names, key=len, default="")
    if len(longest) > MAX_NAME_LENGTH:
        raise InvalidRows(
            f"{longest[:40]}…",
            f"The name of this metric has {len(longest):,} characters; use at most {MAX_NAME_LENGTH:,}, with the names"
            " it is nested in.",
        )
    if sum(map(len, names)) > MAX_NAMES_LENGTH:
        raise InvalidRows(
            "",
            f"The names of the run's metrics would have over {MAX_NAMES_LENGTH:,} characters together; shorten them.",
        )


def _names(summary: dict[str, Any], prefix: str = "") -> Iterator[str]:
    """The metrics a summary has values of, with their dotted paths."""
    for key, value in summary.items():
        if type(value) is dict and value:
            yield from _names(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}"


def merge_into(target: dict[str, Any], row: dict[str, Any]) -> None:
    """Make a row's values the latest ones; objects in it are merged with those of the same name."""
    for key, value in row.items():
        old = target.get(key)
        if isinstance(value, dict) and isinstance(old, dict):
            target[key] = old = dict(old)
            merge_into(old, value)
        else:
            target[key] = value


def rows_of(chunk: MetricChunk) -> list[dict[str, Any]]:
    """The rows of a stored batch, in the order logged."""
    rows: list[dict[str, Any]] = loads(decompress(bytes(chunk.payload)))
    return rows


def value_at(row: dict[str, Any], key: str) -> float | None:
    """The number a row holds under a key, or None. A dot goes into a nested object, unless the key itself has it."""
    value: Any = row.get(key)
    if type(value) is float:  # nearly always
        return value
    if value is None and "." in key:
        value = nested(row, key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


def nested(row: dict[str, Any], key: str) -> Any:
    head, _, rest = key.partition(".")
    while rest:
        inner = row.get(head)
        if isinstance(inner, dict):
            value = inner.get(rest)
            value = nested(inner, rest) if value is None and "." in rest else value
            if value is not None:
                return value
        step, _, rest = rest.partition(".")
        head = f"{head}.{step}"
    return None


@lru_cache(maxsize=10_000)
def places_of(metric: str) -> tuple[str, ...]:
    """Keys of a row under which the metric may be: itself, or an object that holds it."""
    return tuple(accumulate(metric.split("."), "{}.{}".format))


def last_values(run: Run, key: str, *, count: int, before_line: int, stream: str = Stream.HISTORY) -> list[float]:
    """The last `count` values of one metric logged before a line, oldest first; reads chunks from the end."""
    found: list[float] = []
    chunks = run.chunks.filter(stream=stream, first_line__lt=before_line).order_by("-first_line")
    for chunk in chunks.iterator(chunk_size=5):
        values = [value for row in rows_of(chunk) if (value := value_at(row, key)) is not None]
        found = values[-(count - len(found)) :] + found
        if len(found) >= count:
            break
    return found


def last_row(run: Run, stream: Stream) -> dict[str, Any] | None:
    """The row logged last, or None if there is none."""
    chunk = run.chunks.filter(stream=stream).order_by("-first_line").first()
    return rows_of(chunk)[-1] if chunk else None
