"""The graph around a version or a run: what is on it, what one may not see, and where it ends."""

from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from projects.models import Project, Run, User
from registries import lineage, lineage_graph
from registries.lineage_graph import Lineage, Way, around_run, around_version
from registries.models import Collection, Membership
from tests import factories

AT = datetime(2026, 1, 1, tzinfo=UTC)


def names(found: Lineage) -> set[str]:
    """Everything on the graph, by its name."""
    things = [found.thing(key) for key in found.ways]
    return {thing.display_name if isinstance(thing, Run) else thing.collection.name for thing in things}


def step(project: Project, name: str, *, uses: list[Membership], logs: str = "") -> Membership:
    """A run that uses versions, and the version it logs."""
    run = factories.make_run(project, display_name=name)
    for version in uses:
        lineage.use(version.artifact, run=run, at=AT)
    return factories.make_version(project, logs or f"of {name}", run=run)


@pytest.fixture
def chain(project: Project) -> dict[str, Membership]:
    """raw → prepare → data → train → model → evaluate → report, and another model of the same data."""
    raw = factories.make_version(project, "raw")
    data = step(project, "prepare", uses=[raw], logs="data")
    model = step(project, "train", uses=[data], logs="model")
    step(project, "train another", uses=[data], logs="another")
    report = step(project, "evaluate", uses=[model, data], logs="report")
    return {"raw": raw, "data": data, "model": model, "report": report}


def test_a_version_has_what_led_to_it_and_what_came_of_it(chain: dict[str, Membership], alice: User) -> None:
    found = around_version(chain["model"], alice)

    assert names(found) == {"model", "train", "data", "prepare", "raw", "evaluate", "report"}
    assert {found.thing(key) for key, way in found.ways.items() if way is Way.AFTER} == {
        chain["report"].artifact.run,
        chain["report"],
    }
    # evaluate used the data, too: that is drawn, although the way to the model does not lead over it.
    assert len(found.edges) == 7
    assert not found.ends_early


def test_a_run_has_the_same(chain: dict[str, Membership], alice: User) -> None:
    run = chain["model"].artifact.run
    assert run is not None
    found = around_run(run, alice)

    assert found.thing(found.focus) == run
    assert names(found) == {"train", "data", "prepare", "raw", "model", "evaluate", "report"}


def test_what_one_may_not_see_is_absent(
    chain: dict[str, Membership], project: Project, charlie: User, alice: User
) -> None:
    """AZ1: neither the thing, nor its name, nor that it was counted."""
    own = factories.make_run(factories.make_project(charlie.personal_team, "own"), user=charlie)
    shared = factories.make_version(own.project, "open", user=charlie, run=own)
    lineage.use(chain["model"].artifact, run=own, at=AT)

    assert names(around_run(own, charlie)) == {own.display_name, "open"}
    assert around_version(shared, charlie).hidden == {}
    assert own.display_name not in names(around_version(chain["model"], alice))
    assert around_version(chain["model"], alice).hidden == {}


def test_who_sees_a_version_in_a_registry_alone_sees_it_there(
    chain: dict[str, Membership], bob: User, charlie: User
) -> None:
    organization = factories.make_organization(member=charlie)
    shelf = factories.make_collection(factories.make_registry(organization), "shelf")
    link = factories.make_link(chain["model"], shelf)
    own = factories.make_run(factories.make_project(charlie.personal_team, "own"), user=charlie)
    lineage.use(chain["model"].artifact, run=own, at=AT)

    found = around_run(own, charlie)
    assert names(found) == {own.display_name, "shelf"}
    assert link in found.versions.values()
    # Who sees where it was logged sees it there, unless it is the linked one that the page is about.
    assert "model" in names(around_version(chain["report"], bob))
    assert "shelf" in names(around_version(link, bob))


def test_of_many_neighbours_some_are_shown_and_the_others_counted(project: Project, alice: User) -> None:
    data = factories.make_version(project, "data")
    step(project, "made something", uses=[data])
    for number in range(10):
        lineage.use(data.artifact, run=factories.make_run(project, display_name=f"looked {number}"), at=AT)

    found = around_version(data, alice)
    # Before the newest come those that made something of it.
    expected = {"data", "made something", "of made something"} | {f"looked {number}" for number in range(3, 10)}
    assert names(found) == expected
    assert found.hidden == {(found.focus, Way.AFTER): 3}


def test_a_graph_has_an_end(project: Project, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lineage_graph, "MOST", 5)
    monkeypatch.setattr(lineage_graph, "STEPS", 4)
    version = first = factories.make_version(project, "first")
    for number in range(3):
        version = step(project, f"run {number}", uses=[version])
    for _ in range(3):
        lineage.use(version.artifact, run=factories.make_run(project), at=AT)

    far = around_version(first, alice)
    assert len(far.ways) == 5
    assert far.ends_early
    wide = around_version(version, alice)
    assert len(wide.ways) == 5
    assert wide.hidden == {(wide.focus, Way.AFTER): 3}


def test_a_run_that_uses_what_it_logged_is_on_the_graph_once(project: Project, alice: User) -> None:
    run = factories.make_run(project)
    model = factories.make_version(project, run=run)
    lineage.use(model.artifact, run=run, at=AT)

    found = around_run(run, alice)
    assert len(found.ways) == 2
    assert len(found.edges) == 2
    assert found.hidden == {}


def test_larger_graphs_take_no_more_queries(project: Project, alice: User) -> None:
    def measured(version: Membership) -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            around_version(version, alice)
        return len(queries)

    data = factories.make_version(project, "data")
    step(project, "train 0", uses=[data])
    few = measured(data)
    for number in range(1, 6):
        step(project, f"train {number}", uses=[data])

    assert measured(data) == few <= 12


def test_a_version_that_was_deleted_is_not_on_it(chain: dict[str, Membership], alice: User) -> None:
    Collection.objects.filter(name="data").delete()
    assert names(around_version(chain["model"], alice)) == {"model", "train", "evaluate", "report"}
