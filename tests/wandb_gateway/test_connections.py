import pytest
from django.core.exceptions import BadRequest
from hypothesis import given
from hypothesis import strategies as st

from projects.models import Project, Team
from tests import factories
from wandb_gateway.connections import MOST_ROWS, connection, position


@given(st.lists(st.integers()), st.integers(1, 7), st.integers(1, 7))
def test_pages_of_any_size_give_every_row_once(rows: list[int], first: int, then: int) -> None:
    seen, after, size = [], None, first
    while True:
        page = connection(rows, first=size, after=after)
        seen += [edge["node"] for edge in page["edges"]]
        if not page["pageInfo"]["hasNextPage"]:
            break
        # The client may go on with another size, from the end or from the last edge.
        after, size = page["pageInfo"]["endCursor"], then
        assert after == page["edges"][-1]["cursor"]
    assert seen == rows


def test_an_empty_list_has_a_page_without_edges() -> None:
    page = connection([], first=10)
    assert page["edges"] == []
    assert page["pageInfo"] == {"endCursor": None, "startCursor": None, "hasNextPage": False, "hasPreviousPage": False}
    assert page["totalCount"](None) == 0


def test_rows_are_shown_as_asked_and_edges_may_say_more() -> None:
    page = connection([1, 2], node=str, version=lambda row: f"v{row}")
    assert [(edge["node"], edge["version"]) for edge in page["edges"]] == [("1", "v1"), ("2", "v2")]


def test_more_than_the_most_is_not_given_at_once() -> None:
    page = connection(range(MOST_ROWS * 2), first=MOST_ROWS * 2)
    assert len(page["edges"]) == MOST_ROWS
    assert page["pageInfo"]["hasNextPage"]


@pytest.mark.parametrize("cursor", ["x", "-1", "1.5", "１", "1" * 16])
def test_a_cursor_of_somebody_else_is_refused(cursor: str) -> None:
    with pytest.raises(BadRequest, match="not a cursor of this list"):
        position(cursor)


def test_a_negative_number_of_rows_is_refused() -> None:
    with pytest.raises(BadRequest, match="0 or more"):
        connection([], first=-1)


def test_a_page_is_one_query_and_the_count_comes_only_when_asked(team: Team, django_assert_num_queries) -> None:  # type: ignore[no-untyped-def]
    for name in ("a", "b", "c"):
        factories.make_project(team, name)
    with django_assert_num_queries(1):
        page = connection(Project.objects.filter(team=team), first=2)
    with django_assert_num_queries(1):
        assert page["totalCount"](None) == 3
