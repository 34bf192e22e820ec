"""Printed lines: overwritten, cut into pieces, read in any range."""

import pytest
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from projects import console, reports
from projects.reports import Printed, Report
from tests import factories

CHUNKS = st.lists(st.tuples(st.integers(0, 12), st.lists(st.text("ab", max_size=3), max_size=5)), max_size=8)


class WhateverIsPrinted(TestCase):  # type: ignore[misc]  # hypothesis ships no types for it
    @settings(deadline=None, max_examples=50)
    @given(CHUNKS, st.integers(0, 20), st.integers(0, 20))
    def test_a_later_line_is_the_one_that_is_read(
        self, chunks: list[tuple[int, list[str]]], start: int, end: int
    ) -> None:
        run = factories.make_run()
        expected: list[str] = []
        for first, lines in chunks:
            reports.take(run, Report(printed=Printed(first=first, lines=lines)), at=timezone.now())
            if lines:
                expected += [""] * (first + len(lines) - len(expected))
                expected[first : first + len(lines)] = lines
        run.refresh_from_db()

        assert [line.text for line in console.lines(run, start=start, end=end)] == expected[start:end]
        assert "".join(console.everything(run)) == "".join(f"{line}\n" for line in expected)


@pytest.mark.django_db
def test_lines_are_read_with_what_the_client_says_about_them() -> None:
    run = factories.make_run()
    printed = [
        '{"ts":"2026-11-23T06:32:03.197504","content":"a","level":"error","label":"worker 1"}',
        '{"ts":"no time","content":"b","level":7}',
        '{"content":',
        '{"other":1}',
        '{"ts":"2026-99-99T00:00:00","content":"c\\u0000"}',
    ]
    reports.take(run, Report(printed=Printed(first=0, lines=printed)), at=timezone.now())
    run.refresh_from_db()

    first, second, third, fourth, fifth = console.tail(run, count=10)
    assert (first.text, first.level, first.label) == ("a", "error", "worker 1")
    assert first.printed_at is not None
    assert first.printed_at.isoformat() == "2026-11-23T06:32:03.197504+00:00"
    assert (second.text, second.printed_at, second.level) == ("b", None, "")
    assert (third.text, fourth.text) == ('{"content":', '{"other":1}')
    assert (fifth.text[0], fifth.printed_at) == ("c", None)


@pytest.mark.django_db
def test_the_whole_text_comes_to_an_end_whatever_number_a_line_has() -> None:
    run = factories.make_run()
    for first in (0, 12_001, 2**40):
        reports.take(run, Report(printed=Printed(first=first, lines=["a", "b"])), at=timezone.now())
    run.refresh_from_db()

    whole = "".join(console.everything(run))

    assert whole.split() == ["a", "b"] * 3
    assert whole.count("\n") < 4 * console.LINES_AT_ONCE
