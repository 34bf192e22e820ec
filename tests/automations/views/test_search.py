"""The search of the top bar: by name, over everything one may see and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from automations.models import EventType
from automations.views import search
from tests import factories

if TYPE_CHECKING:
    from projects.models import Project, User
    from registries.models import Registry

    Browser = Callable[[User], Client]

pytestmark = pytest.mark.django_db


def found(user: User, text: str, *, count: int = 5) -> dict[str, list[tuple[str, str]]]:
    return {
        section.label: [(hit.name, hit.aside) for hit in section.hits]
        for section in search.found(user, text, count=count)
    }


@pytest.fixture
def swans(project: Project, registry: Registry, alice: User) -> None:
    """One of everything, with “swan” in its name."""
    factories.make_project(project.team, name="swans")
    factories.make_registry(registry.organization, name="swan-models", admin=alice)
    factories.make_version(project, collection="swan-net")
    factories.make_automation(project, name="A swan sings")
    factories.make_automation(registry, EventType.ADD_ARTIFACT_ALIAS, name="Swan lands")
    factories.make_run(project, user=alice, display_name="black swan")


@pytest.mark.usefixtures("swans")
def test_everything_of_that_name_is_found_by_kind(alice: User, registry: Registry) -> None:
    assert found(alice, "SWAN") == {
        "Projects": [("swans", "research")],
        "Registries": [("swan-models", "acme")],
        "Artifacts": [("swan-net", "digits")],
        "Automations": [("Swan lands", f"acme/{registry.name}"), ("A swan sings", "research/digits")],
        "Runs": [("black swan", "research/digits")],
    }


@pytest.mark.usefixtures("swans")
def test_az1_a_stranger_finds_nothing(charlie: User) -> None:
    """AZ1"""
    assert found(charlie, "swan") == {}


def test_a_run_is_found_by_its_id(alice: User, project: Project) -> None:
    run = factories.make_run(project, user=alice, display_name="night")
    assert found(alice, run.run_id) == {"Runs": [("night", "research/digits")]}


def test_exact_names_come_before_beginnings_and_those_before_the_rest(alice: User, project: Project) -> None:
    for name in ("my-net", "net-2", "net"):
        factories.make_project(project.team, name=name)
    assert [name for name, _ in found(alice, "net")["Projects"]] == ["net", "net-2", "my-net"]


def test_what_is_left_out_is_said(browser: Browser, alice: User, project: Project) -> None:
    for number in range(search.SHOWN + 1):
        factories.make_automation(project, name=f"guard {number}")
        factories.make_run(project, user=alice, display_name=f"guarded {number}")
    panel = browser(alice).get("/search", {"q": "guard"}, HTTP_HX_REQUEST="true", HTTP_HX_TARGET="top-results")
    page = panel.content.decode()
    assert "<html" not in page
    assert "/automations/?q=guard" in page
    assert "There are more; type more of the name." in page
    assert page.count("guarded") == search.SHOWN * 2  # as name and as title


@pytest.mark.parametrize("text", ["", "   ", "%", "_", "x" * 5000, "漢字", "<script>"])
def test_any_text_is_searched_for(browser: Browser, alice: User, project: Project, text: str) -> None:
    page = browser(alice).get("/search", {"q": text})
    assert page.status_code == 200
    assert "<script>" not in page.content.decode().split("<main", 1)[1]


def test_nobody_is_sent_to_sign_in(client: Client, db: None) -> None:
    assert client.get("/search", {"q": "a"}).headers["Location"].startswith("/login")


@pytest.mark.usefixtures("swans")
def test_searching_costs_the_same_for_few_and_many(alice: User, project: Project) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            search.found(alice, "swan", count=25)
        return len(captured)

    few = queries()
    for number in range(10):
        factories.make_project(project.team, name=f"swan-{number}")
        factories.make_run(project, user=alice, display_name=f"swan {number}")
        factories.make_automation(project, name=f"swan {number}")
        factories.make_version(project, collection=f"swan-net-{number}")
    assert queries() == few
