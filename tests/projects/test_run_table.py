"""The table of a project's runs: filtered, sorted, with the values one chooses."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.http import QueryDict

from projects import runs
from projects.models import Project, Run, User
from projects.run_table import choose_columns, columns_in, run_table
from tests import factories

NOW = datetime(2026, 5, 4, 9, 0, tzinfo=UTC)


def names(project: Project, query: str) -> list[str]:
    return [run.display_name for run in run_table(project, QueryDict(query)).page.object_list]


def make(project: Project, name: str, minute: int = 0, **fields: Any) -> Run:
    return factories.make_run(project, display_name=name, at=NOW + timedelta(minutes=minute), **fields)


@pytest.fixture
def several(project: Project) -> Project:
    make(project, "b", 1, summary={"loss": 0.5, "val": {"acc": 3}}, config={"lr": 0.1})
    make(project, "a", 2, summary={"loss": 10, "val.acc": 2}, config={"lr": {"start": 1}})
    make(project, "C", 3, summary={"loss": 2, "val": {"acc": 1}}, config={"lr": 0.01})
    make(project, "none", 4)
    return project


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("", ["none", "C", "a", "b"]),
        ("name", ["a", "b", "C", "none"]),
        ("-started", ["none", "C", "a", "b"]),
        ("started", ["b", "a", "C", "none"]),
        ("loss", ["b", "C", "a", "none"]),
        ("-loss", ["a", "C", "b", "none"]),
        ("val.acc", ["C", "a", "b", "none"]),
    ],
)
def test_runs_are_sorted_by_what_is_asked_for_and_those_without_it_come_last(
    several: Project, sort: str, order: list[str]
) -> None:
    assert names(several, f"sort={sort}") == order


def test_runs_are_sorted_by_config_state_user_and_duration(several: Project) -> None:
    long = make(several, "long", 5, user=factories.make_user("zoe"))
    runs.finish(long, exit_code=0, by=None, at=NOW + timedelta(hours=9))
    assert names(several, "sort=config:lr")[:2] == ["C", "b"]
    assert names(several, "sort=state")[0] == "long"
    assert names(several, "sort=-user")[0] == "long"
    assert names(several, "sort=-duration")[0] == "long"


def test_nonsense_sorts_nothing_and_breaks_nothing(several: Project) -> None:
    for sort in ("-", "config:", "..", "no such key", "loss.x.y", "'; drop table", "損失"):
        assert len(names(several, f"sort={sort}")) == 4, sort


def test_a_pattern_finds_runs_by_name(several: Project) -> None:
    """EV10: on RE2, like every pattern that people write."""
    assert names(several, "q=^[ab]$&pattern=1&sort=name") == ["a", "b"]
    assert names(several, "q=(?i)^c&pattern=1") == ["C"]
    assert names(several, "q=^[ab]$") == []


def test_a_pattern_that_cannot_be_used_is_said_to_be(several: Project) -> None:
    table = run_table(several, QueryDict("q=(&pattern=1"))
    assert len(table.page.object_list) == 0
    assert table.problem.startswith("The pattern cannot be used: missing")


def test_runs_are_found_by_their_values(several: Project) -> None:
    table = run_table(several, QueryDict("where=loss<5&where=config:lr>0.05&page=7&sort=name"))
    assert [run.display_name for run in table.page.object_list] == ["b"]
    assert table.is_filtered
    (_, without_loss), (lr, _) = table.asked
    assert QueryDict(without_loss).getlist("where") == [str(lr)] == ["config:lr > 0.05"]
    assert "page" not in QueryDict(without_loss)


def test_a_comparison_that_cannot_be_read_is_said_to_be_and_left_out(several: Project) -> None:
    table = run_table(several, QueryDict("where=loss<5&where=loss<five&where="))
    assert {run.display_name for run in table.page.object_list} == {"b", "C"}
    assert table.problem == "“five” is no number, and < compares numbers."
    assert [str(one) for one, _ in table.asked] == ["loss < 5"]
    both = run_table(several, QueryDict("where=loss<five&q=(a&pattern=1")).problem
    assert "cannot be used" in both
    assert "“five” is no number" in both


def test_runs_of_one_user_are_found(several: Project) -> None:
    make(several, "hers", 5, user=factories.make_user("zoe"))
    table = run_table(several, QueryDict("user=zoe"))
    assert [run.display_name for run in table.page.object_list] == ["hers"]
    assert table.users == ["alice", "zoe"]


def test_values_of_the_config_are_columns_too(several: Project) -> None:
    table = run_table(several, QueryDict("column=config:lr&column=loss&sort=name"))
    assert [[cell.value for cell in cells] for _, cells in table.rows] == [
        [None, 10],
        [0.1, 0.5],
        [0.01, 2],
        [None, None],
    ]
    assert {"config:lr", "config:lr.start", "loss", "val.acc"} <= set(table.offered)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [("", ["loss"]), ("sort=-val.acc", ["val.acc"]), ("where=config:lr<1", ["config:lr"]), ("sort=name", ["loss"])],
)
def test_where_there_is_room_for_few_columns_what_is_asked_for_stays(
    several: Project, asked: str, expected: list[str]
) -> None:
    table = run_table(several, QueryDict(f"column=loss&column=val.acc&column=config:lr&{asked}"))
    assert {tuple(cell.column for cell in cells if cell.matters) for _, cells in table.rows} == {tuple(expected)}


def test_columns_once_chosen_are_shown_unless_the_address_names_others(
    several: Project, alice: User, bob: User
) -> None:
    choose_columns(several, ["config:lr", "gone"], reader=alice)
    choose_columns(several, [], reader=bob)
    table = run_table(several, QueryDict("sort=name"), reader=alice)

    assert table.columns == ["config:lr", "gone"]
    assert "gone" in table.offered
    assert run_table(several, QueryDict("column=loss"), reader=alice).columns == ["loss"]
    assert run_table(several, QueryDict(), reader=bob).columns == []
    elsewhere = factories.make_project(several.team, "elsewhere")
    assert run_table(elsewhere, QueryDict(), reader=alice).columns == []
    choose_columns(several, ["loss"], reader=alice)
    assert run_table(several, QueryDict(), reader=alice).columns == ["loss"]


def test_a_name_that_no_document_can_hold_is_no_column() -> None:
    """PostgreSQL keeps no NUL, not even in a list of what somebody chose."""
    assert columns_in(QueryDict("column=a%00b&column=loss&column=")) == ["loss"]


def test_heads_sort_the_other_way_when_they_sort_already(several: Project) -> None:
    heads = {head.label: head for head in run_table(several, QueryDict("sort=-loss&page=2&q=a")).heads}
    assert (heads["loss"].query, heads["loss"].order) == ("sort=loss&q=a", "descending")
    assert (heads["Name"].query, heads["Name"].order) == ("sort=name&q=a", "")
    assert heads["Duration"].query == "sort=-duration&q=a"
