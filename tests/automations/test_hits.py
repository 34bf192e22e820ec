"""What the patterns of a form match now (UI2)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone

from automations import hits
from automations.hits import Hits
from automations.models import EventType
from projects import alerts
from projects.models import AlertLevel
from registries import labels
from tests import factories

if TYPE_CHECKING:
    from pytest_django import DjangoAssertNumQueries

    from automations.access import Scope
    from projects.models import Project, User


def asked(scope: Scope, reader: User, event_type: EventType, **typed: str) -> dict[str, Hits]:
    return hits.hits_in({name: [text] for name, text in typed.items()}, event_type, scope, reader=reader)


def test_a_run_name_lists_the_newest_runs_it_matches(alice: User, project: Project) -> None:
    for number in range(10):
        factories.make_run(project, user=alice, display_name=f"prod-{number}")
    factories.make_run(project, user=alice, display_name="night-1")

    found = asked(project, alice, EventType.RUN_STATE, run_name="^prod-")["run_name"]

    assert found.sentence == "Matches 10 of 11 runs."
    assert found.names == tuple(f"prod-{number}" for number in range(9, 1, -1))
    assert found.more == 2


def test_a_pattern_that_re2_cannot_run_is_told_as_saving_would_tell_it(alice: User, project: Project) -> None:
    found = asked(project, alice, EventType.RUN_STATE, run_name="(?=x)")["run_name"]

    assert found.problem.startswith("RE2 cannot run this pattern:")
    assert found.names == ()


def test_a_scope_without_any_says_so(alice: User, project: Project) -> None:
    assert asked(project, alice, EventType.RUN_STATE, run_name="x")["run_name"] == Hits("There are no runs here yet.")


def test_empty_fields_and_fields_of_other_events_are_not_looked_at(
    alice: User, project: Project, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(0):
        found = asked(project, alice, EventType.RUN_STATE, run_name=" ", alias_pattern="x", alert_title="x", user="bob")

    assert found == {}


def test_only_the_newest_are_looked_at(alice: User, project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(hits.NAMES, "run_name", replace(hits.NAMES["run_name"], most=2))
    for name in ("a", "b", "c"):
        factories.make_run(project, user=alice, display_name=name)

    found = asked(project, alice, EventType.RUN_STATE, run_name="[ab]")["run_name"]

    assert found == Hits("Matches 1 of 2 runs. Only the newest are looked at.", ("b",))


def test_aliases_types_and_collections_are_those_of_the_scope(
    alice: User, project: Project, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    now = timezone.now()
    net = factories.make_version(project, "net", "model", user=alice)
    data = factories.make_version(project, "digits", "dataset", user=alice)
    for version, alias in ((net, "production"), (data, "production"), (data, "staging")):
        labels.add_alias(version, alias, by=alice, at=now)

    with django_assert_num_queries(3):
        found = asked(
            project,
            alice,
            EventType.ADD_ARTIFACT_ALIAS,
            alias_pattern="^prod",
            collection_name="i",
            artifact_type="model",
        )

    assert found == {
        "alias_pattern": Hits("Matches 1 of 2 aliases.", ("production",)),
        "collection_name": Hits("Matches 1 of 2 collections.", ("digits",)),
        "artifact_type": Hits("Matches 1 of 2 collections.", ("net",)),
    }
    listed = asked(project, alice, EventType.CREATE_ARTIFACT, aliases="staging, nowhere")
    assert listed["aliases"] == Hits("Matches 1 of 2 aliases.", ("staging",))


def test_tags_are_those_of_versions_or_of_collections_as_the_event_says(alice: User, project: Project) -> None:
    now = timezone.now()
    version = factories.make_version(project, user=alice)
    labels.add_tag(version, "approved", by=alice, at=now)
    labels.tag_collection(version.collection, ["vision"], by=alice, at=now)

    of_versions = asked(project, alice, EventType.ADD_ARTIFACT_TAG, tag_pattern="i|a")["tag_pattern"]
    of_collections = asked(project, alice, EventType.ADD_COLLECTION_TAG, tag_pattern="i|a")["tag_pattern"]

    assert (of_versions.names, of_collections.names) == (("approved",), ("vision",))


def test_alerts_are_found_by_title_and_by_text(alice: User, project: Project) -> None:
    run = factories.make_run(project, user=alice)
    alerts.raise_alert(
        run, title="Diverged", text="loss is NaN", level=AlertLevel.ERROR, by=alice, at=timezone.now(), wait=timedelta()
    )

    found = asked(project, alice, EventType.RUN_ALERT, alert_title="over", alert_text="NaN")

    assert found["alert_title"] == Hits("Matches 0 of 1 alert.")
    assert found["alert_text"] == Hits("Matches 1 of 1 alert.", ("Diverged",))


def test_az1_names_of_others_are_neither_shown_nor_counted(alice: User, charlie: User, project: Project) -> None:
    factories.make_run(project, user=alice, display_name="secret")
    team = factories.make_team("charlies", admin=charlie)
    factories.make_run(factories.make_project(team), user=charlie, display_name="secret too")

    assert (
        asked(project, charlie, EventType.RUN_STATE, run_name="s")["run_name"].sentence == "There are no runs here yet."
    )
    organization = project.team.organization
    assert organization is not None
    assert asked(organization, charlie, EventType.RUN_STATE, run_name="s")["run_name"].names == ("secret too",)
