"""Labels that come and go, and links that are taken back, from the change to the execution (EV1, EV2)."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from automations import matching
from automations.models import Event, EventType, Execution
from automations.variables import values_of
from projects.models import Project, User
from registries import labels, linking
from registries.models import Collection, Membership, Registry
from tests import factories

pytestmark = pytest.mark.django_db


def fired() -> list[str]:
    return [execution.rule["event_type"] for execution in Execution.objects.order_by("pk")]


@pytest.fixture
def version(project: Project, alice: User) -> Membership:
    return factories.make_version(project, "digits", user=alice)


@pytest.fixture
def linked(version: Membership, registry: Registry, alice: User) -> Membership:
    return factories.make_link(version, factories.make_collection(registry, "classifier"), user=alice)


def now(by: User) -> dict[str, Any]:
    return {"by": by, "at": timezone.now()}


def test_ev1_a_tag_that_is_added_and_removed_fires_each_once(version: Membership, alice: User) -> None:
    for event_type in (EventType.ADD_ARTIFACT_TAG, EventType.REMOVE_ARTIFACT_TAG):
        factories.make_automation(version.collection, event_type, name=event_type, filter={"tag": {"$regex": "^ok"}})

    for _ in range(2):
        labels.add_tag(version, "ok", **now(alice))
    labels.add_tag(version, "not ok", **now(alice))
    for _ in range(2):
        labels.remove_tag(version, "ok", **now(alice))
    labels.remove_tag(version, "not ok", **now(alice))

    assert fired() == ["ADD_ARTIFACT_TAG", "REMOVE_ARTIFACT_TAG"]
    added, removed = Execution.objects.order_by("pk")
    assert added.matched_because == "tag ok was added to digits:v0; tag matches ^ok"
    assert removed.matched_because == "tag ok was removed from digits:v0; tag matches ^ok"
    values = values_of(added.event, added.rule)
    assert (values["tag"], values["artifact_version_string"]) == ("ok", "research/digits/digits:v0")


def test_ev2_a_tag_that_comes_back_is_an_event_again(version: Membership, alice: User) -> None:
    factories.make_automation(version.collection, EventType.ADD_ARTIFACT_TAG)

    labels.add_tag(version, "ok", **now(alice))
    labels.remove_tag(version, "ok", **now(alice))
    labels.add_tag(version, "ok", **now(alice))

    assert fired() == ["ADD_ARTIFACT_TAG"] * 2


def test_tags_a_version_is_born_with_are_added(project: Project) -> None:
    factories.make_automation(project, EventType.ADD_ARTIFACT_TAG)

    factories.make_version(project, tags=["nightly", "checked", "nightly"])

    assert {execution.event.details["tag"] for execution in Execution.objects.all()} == {"nightly", "checked"}


def test_a_tag_is_added_where_it_was_set(
    project: Project, registry: Registry, linked: Membership, version: Membership, alice: User
) -> None:
    """A version that is linked has one set of tags; the event is in the collection it was tagged in."""
    factories.make_automation(project, EventType.ADD_ARTIFACT_TAG, name="project")
    factories.make_automation(registry, EventType.ADD_ARTIFACT_TAG, name="registry")

    labels.add_tag(linked, "from the registry", **now(alice))
    labels.add_tag(version, "from the project", **now(alice))
    labels.add_tag(linked, "from the project", **now(alice))

    assert [execution.rule["name"] for execution in Execution.objects.order_by("pk")] == ["registry", "project"]


@pytest.mark.parametrize("kind", ["collection", "project", "team", "organization"])
def test_ev1_tags_of_a_collection_fire_in_every_scope(
    version: Membership, project: Project, alice: User, kind: str
) -> None:
    scope = {
        "collection": version.collection,
        "project": project,
        "team": project.team,
        "organization": project.team.organization,
    }[kind]
    for event_type in (EventType.ADD_COLLECTION_TAG, EventType.REMOVE_COLLECTION_TAG):
        factories.make_automation(scope, event_type, name=event_type, filter={"tag": "gold", "user": "alice"})

    assert labels.tag_collection(version.collection, ["gold", "plain", "gold"], **now(alice)) == ["gold", "plain"]
    assert labels.tag_collection(version.collection, ["gold"], **now(alice)) == []
    assert labels.untag_collection(version.collection, ["gold", "unknown"], **now(alice)) == ["gold"]

    assert fired() == ["ADD_COLLECTION_TAG", "REMOVE_COLLECTION_TAG"]
    event = Execution.objects.order_by("pk")[0].event
    assert event.facts == {"tag": ["gold"], "collection": "digits", "type": "model", "user": "alice"}
    assert (event.artifact, event.collection) == (None, version.collection)
    values = values_of(event, {"name": "n", "event_type": event.kind})
    assert values == {
        "automation_name": "n",
        "event_type": "ADD_COLLECTION_TAG",
        "event_author": "alice",
        "entity_name": "research",
        "project_name": "digits",
        "artifact_collection_name": "digits",
        "tag": "gold",
    }


def test_tags_of_a_registrys_collection_fire_in_the_registry(registry: Registry, alice: User) -> None:
    collection: Collection = factories.make_collection(registry)
    factories.make_automation(registry, EventType.ADD_COLLECTION_TAG)

    labels.tag_collection(collection, ["gold"], **now(alice))

    assert Event.objects.get().registry == registry
    assert Execution.objects.get().event.details["entity"] == "acme"


def test_ev1_unlinking_fires_in_the_registry_and_in_the_project(
    project: Project, registry: Registry, linked: Membership, alice: User
) -> None:
    factories.make_automation(registry, EventType.UNLINK_ARTIFACT, name="registry")
    factories.make_automation(project, EventType.UNLINK_ARTIFACT, name="project")

    linking.unlink(linked, **now(alice))

    assert fired() == ["UNLINK_ARTIFACT"] * 2
    assert Execution.objects.all()[0].matched_because == "classifier:v0 was unlinked"


def test_a_collection_event_asks_for_no_fields_of_versions(version: Membership, alice: User) -> None:
    automation = factories.make_automation(
        version.collection, EventType.ADD_COLLECTION_TAG, filter={"alias": "production"}
    )
    labels.tag_collection(version.collection, ["gold"], **now(alice))

    assert not Execution.objects.exists()
    assert not matching.judge(automation, Event.objects.get(kind="ADD_COLLECTION_TAG")).evaluable
