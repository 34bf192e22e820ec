"""Reports of scripts, however often and in whatever pieces they arrive."""

import json
from typing import Any

from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from projects import metrics, reports
from projects.models import Run
from projects.models.history import Stream
from projects.reports import Lines, Report
from tests import factories

LINES = 12


def sent(first: int, end: int) -> Lines:
    return Lines(first=first, batch=metrics.parse_lines([json.dumps({"n": n}) for n in range(first, end)]))


def stored(run: Run, stream: Stream) -> list[tuple[int, Any]]:
    return [
        (chunk.first_line + index, row["n"])
        for chunk in run.chunks.filter(stream=stream).order_by("first_line")
        for index, row in enumerate(metrics.rows_of(chunk))
    ]


class WhateverIsSentAgain(TestCase):  # type: ignore[misc]  # hypothesis ships no types for it
    @settings(deadline=None, max_examples=50)
    @given(st.lists(st.tuples(st.integers(0, LINES), st.integers(0, LINES)), max_size=8))
    def test_each_line_is_kept_once_under_its_number(self, pieces: list[tuple[int, int]]) -> None:
        run = factories.make_run()
        reached = 0
        expected: set[int] = set()
        for first, length in pieces:
            end = min(first + length, LINES)
            report = Report(history=sent(first, end), system=sent(first, end))
            reports.take(run, report, at=timezone.now())
            if end > first:
                expected |= set(range(max(first, reached), end))
                reached = max(reached, end)

        run.refresh_from_db()
        assert stored(run, Stream.HISTORY) == [(n, n) for n in sorted(expected)]
        assert stored(run, Stream.SYSTEM) == stored(run, Stream.HISTORY)
        assert (run.history_lines, run.system_lines) == (reached, reached)
