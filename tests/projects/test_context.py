"""What the frame shows: teams one may see, the team one is in, the entry of the side bar."""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import RequestFactory
from django.urls import resolve
from pytest_django import DjangoAssertNumQueries

from projects.context import frame
from projects.models import Team, User
from tests import factories


def shown_at(path: str, user: User | AnonymousUser) -> dict[str, object]:
    """The frame's context for this user at this address."""
    request = RequestFactory().get(path)
    request.user = user
    request.resolver_match = resolve(path)
    return frame(request)


def test_nobody_is_shown_no_team_and_costs_no_query(
    django_assert_num_queries: DjangoAssertNumQueries, db: None
) -> None:
    with django_assert_num_queries(0):
        context = shown_at("/", AnonymousUser())
        assert not context["nav_teams"]
        assert not context["current_team"]


def test_teams_cost_one_query_and_none_before_a_page_asks(
    team: Team, bob: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(0):
        context = shown_at("/", bob)
    with django_assert_num_queries(1):
        assert [one.name for one in context["nav_teams"]]  # type: ignore[attr-defined]
        assert context["current_team"] == team


def test_team_of_the_address_is_the_current_one(team: Team, bob: User) -> None:
    other = factories.make_team("vision", member=bob)
    assert shown_at(f"/{other.name}/", bob)["current_team"] == other
    assert shown_at("/", bob)["current_team"] == team


def test_strangers_team_is_neither_listed_nor_current(team: Team, charlie: User) -> None:
    """SC: what one may not see does not exist."""
    context = shown_at(f"/{team.name}/", charlie)
    assert team not in list(context["nav_teams"])  # type: ignore[call-overload]
    assert context["current_team"] != team


@pytest.mark.parametrize(
    ("path", "entry"),
    [
        ("/", "home"),
        ("/projects/", "projects"),
        ("/research/", "projects"),
        ("/research/digits/", "projects"),
        ("/research/digits/artifacts", "projects"),
        ("/research/digits/automations", "projects"),
        ("/registries/", "registries"),
        ("/registries/acme/models/", "registries"),
        ("/teams/research/settings/", "team_settings"),
    ],
)
def test_address_decides_which_entry_is_current(path: str, entry: str, bob: User) -> None:
    assert shown_at(path, bob)["nav"] == entry
