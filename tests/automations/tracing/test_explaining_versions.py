"""HI6: why an automation did not fire for a version, wherever it is."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from automations import silence, tracing
from automations.models import Automation, EventType
from automations.tracing import Trace, Verdict
from projects.models import User
from registries import labels
from registries.models import Membership, Visibility
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def reader(db: object) -> User:
    return factories.make_user("operator", superuser=True)


def asked(automation: Automation, version: Membership, reader: User) -> Trace:
    return tracing.explain(automation, version, reader=reader, at=timezone.now())


def stop(trace: Trace) -> tuple[str, str]:
    assert trace.stopped_by is not None
    return trace.stopped_by.code, trace.stopped_by.sentence


def test_hi6_an_alias_that_does_not_match_is_named(reader: User) -> None:
    project = factories.make_project()
    automation = factories.make_automation(
        project, EventType.ADD_ARTIFACT_ALIAS, filter={"alias": {"$regex": "^production$"}}
    )
    version = factories.make_version(project)
    code, sentence = stop(asked(automation, version, reader))
    assert (code, sentence) == (
        "event",
        "Nothing of the kind was recorded for this version: “An alias is added to a version, or moved to it.”",
    )
    labels.add_alias(version, "staging", by=None, at=timezone.now())
    assert stop(asked(automation, version, reader)) == ("filter", 'alias ["staging"] does not match ^production$.')


def test_hi6_of_several_events_the_one_that_came_furthest_is_explained(reader: User) -> None:
    project = factories.make_project()
    automation = factories.make_automation(project, EventType.ADD_ARTIFACT_ALIAS, filter={"alias": "production"})
    version = factories.make_version(project)
    for alias in ("production", "staging"):
        labels.add_alias(version, alias, by=None, at=timezone.now())
    trace = asked(automation, version, reader)
    assert trace.stopped_by is None
    assert [gate.numbers["count"] for gate in trace.gates if gate.code == "event"] == [2]
    assert trace.headline.startswith("It fired ")


def test_hi6_a_link_is_told_in_registry_and_project(reader: User) -> None:
    version = factories.make_version()
    registry = factories.make_registry()
    project = version.collection.project
    assert project is not None
    here = factories.make_automation(registry, EventType.LINK_ARTIFACT, name="registry")
    there = factories.make_automation(project, EventType.LINK_ARTIFACT, name="project")
    linked = factories.make_link(version, factories.make_collection(registry))
    for automation, subject in ((here, linked), (there, version), (there, linked)):
        assert asked(automation, subject, reader).stopped_by is None
    assert stop(asked(here, version, reader))[0] == "scope"


def test_hi6_az1_what_happened_in_a_hidden_registry_is_not_told(bob: User) -> None:
    version = factories.make_version()
    project = version.collection.project
    assert project is not None
    factories.make_team(member=bob)
    organization = factories.make_organization(member=bob)
    vault = factories.make_registry(organization, "vault")
    vault.visibility = Visibility.RESTRICTED
    vault.save()
    linked = factories.make_link(version, factories.make_collection(vault))
    automation = factories.make_automation(organization, EventType.ADD_ARTIFACT_ALIAS)
    labels.add_alias(linked, "production", by=None, at=timezone.now())
    trace = asked(automation, version, bob)
    assert stop(trace)[0] == "event"
    assert trace.executions == []


def test_hi6_runs_and_versions_are_not_mixed_up(reader: User) -> None:
    version = factories.make_version()
    project = version.collection.project
    assert project is not None
    failing = factories.make_automation(project)
    assert stop(asked(failing, version, reader)) == ("scope", "It listens to runs, and this is a version.")
    created = factories.make_automation(project, EventType.CREATE_ARTIFACT, name="created")
    run = factories.make_run(project)
    trace = tracing.explain(created, run, reader=reader, at=timezone.now())
    assert stop(trace) == ("scope", "It listens to versions and collections, and this is a run.")
    assert tracing.subjects_for(created, reader=reader) == [version]


def test_hi6_a_collections_tag_is_asked_about_by_any_of_its_versions(reader: User) -> None:
    version = factories.make_version()
    automation = factories.make_automation(version.collection, EventType.ADD_COLLECTION_TAG, filter={"tag": "checked"})
    labels.tag_collection(version.collection, ["checked"], by=None, at=timezone.now())
    trace = asked(automation, version, reader)
    assert {gate.verdict for gate in trace.gates if gate.code != "outcome"} == {Verdict.PASSED}


def test_hi6_what_was_done_about_the_whole_collection_is_told_of_its_versions(reader: User) -> None:
    version = factories.make_version()
    waiting = factories.make_automation(version.collection, EventType.ARTIFACT_ABSENCE)
    at = timezone.now() + timedelta(days=2)
    assert silence.detect(at=at) == 1
    trace = tracing.explain(waiting, version, reader=reader, at=at)
    assert trace.executions == list(waiting.executions.all())
    assert trace.gates[-1].numbers["execution"] == str(trace.executions[0].key)
