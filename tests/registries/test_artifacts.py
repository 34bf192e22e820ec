"""Logging versions: numbers without gaps, all or nothing, one event each."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, transaction

from projects.events import Fact
from projects.models import Project, User
from registries import access, artifacts
from registries.artifacts import TypeConflict
from registries.models import Alias, Artifact, Collection, Membership
from tests import factories

AT = datetime(2026, 1, 1, tzinfo=UTC)


def numbers(collection: Collection) -> list[int]:
    return list(collection.memberships.order_by("pk").values_list("version_index", flat=True))


def test_versions_are_numbered_from_zero(project: Project) -> None:
    """SC1"""
    made = [factories.make_version(project) for _ in range(3)]

    assert [version.version for version in made] == ["v0", "v1", "v2"]
    assert Collection.objects.count() == 1
    assert access.version_for(made[0].collection, "latest") == made[2]


def test_a_number_is_never_given_twice(project: Project) -> None:
    versions = [factories.make_version(project) for _ in range(2)]
    versions[1].artifact.delete()

    assert factories.make_version(project).version == "v2"


def test_a_version_that_is_rolled_back_leaves_no_gap(project: Project) -> None:
    collection = factories.make_version(project).collection
    with transaction.atomic():
        factories.make_version(project)
        transaction.set_rollback(True)
    factories.make_version(project)

    assert numbers(collection) == [0, 1]


@pytest.mark.django_db(transaction=True)
def test_many_scripts_at_once_get_numbers_without_gaps() -> None:
    project, user = factories.make_project(), factories.make_user()

    def log(_: int) -> None:
        try:
            factories.make_version(project, user=user)
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(log, range(12)))

    assert sorted(numbers(Collection.objects.get())) == list(range(12))


def test_a_new_version_is_announced_with_what_conditions_see(project: Project, alice: User, facts: list[Fact]) -> None:
    run = factories.make_run(project)
    facts.clear()
    version = artifacts.log_version(
        project,
        collection="digits-model",
        type="model",
        by=alice,
        at=AT,
        metadata={"accuracy": 0.9, "loss": float("nan")},
        aliases=["best"],
        tags=["nightly"],
        run=run,
    )

    created, aliased, tagged = facts
    assert (created.kind, aliased.kind) == ("CREATE_ARTIFACT", "ADD_ARTIFACT_ALIAS")
    assert (tagged.kind, tagged.facts["tag"]) == ("ADD_ARTIFACT_TAG", ["nightly"])
    assert (created.run, created.artifact_id, created.actor) == (run, version.artifact_id, alice)
    assert created.facts == {
        "alias": ["best"],
        "tag": ["nightly"],
        "collection": "digits-model",
        "type": "model",
        "version": "v0",
        "metadata": {"accuracy": 0.9, "loss": "NaN"},
        "user": "alice",
    }
    assert (created.scopes.project, created.scopes.collection) == (project.pk, version.collection_id)
    assert (created.details["entity"], created.details["project"]) == ("research", "digits")
    assert aliased.details["alias"] == "best"


def test_a_collection_holds_one_type(project: Project) -> None:
    factories.make_version(project, type="model")

    with pytest.raises(TypeConflict, match="holds artifacts of type model, not dataset"):
        factories.make_version(project, type="dataset")

    assert Artifact.objects.count() == 1


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"aliases": ["with space"]}, "aliases"),
        ({"aliases": ["latest"]}, "aliases"),
        ({"aliases": ["v3"]}, "aliases"),
        ({"aliases": [7]}, "aliases"),
        ({"tags": ["no/slash"]}, "tags"),
        ({"metadata": {"text": "a\x00b"}}, "metadata"),
        ({"collection": "a/b"}, "name"),
        ({"type": ""}, "type"),
        ({"digest": "x" * 129}, "digest"),
    ],
)
def test_a_refused_version_leaves_nothing(
    project: Project, facts: list[Fact], fields: dict[str, Any], field: str
) -> None:
    with pytest.raises(ValidationError) as refusal:
        factories.make_version(project, **fields)

    assert list(refusal.value.message_dict) == [field]
    assert not Collection.objects.exists()
    assert not facts


def test_a_run_of_another_project_is_refused(project: Project) -> None:
    run = factories.make_run(factories.make_project(project.team, "other"))

    with pytest.raises(ValidationError, match="is of another project"):
        factories.make_version(project, run=run)


def test_versions_are_found_by_number_alias_or_latest(project: Project) -> None:
    first, second = factories.make_version(project, aliases=["best"]), factories.make_version(project)
    collection = first.collection

    found = [access.version_for(collection, name) for name in ("v0", "best", "v1", "latest")]

    assert found == [first, first, second, second]
    assert Alias.objects.count() == 1
    assert Membership.objects.count() == 2


@pytest.mark.parametrize(
    ("metadata", "words"),
    [
        ({"note": "x" * 1_000_000}, "1,000,011 bytes as JSON; at most 1 MB"),
        ({"layers": {f"layer {number}": 1 for number in range(10_000)}}, "10,001 keys; at most 10,000"),
    ],
)
def test_metadata_is_limited(project: Project, facts: list[Fact], metadata: dict[str, Any], words: str) -> None:
    """It is copied into every event of the version, and from there into what webhooks are sent."""
    with pytest.raises(ValidationError, match=words) as refusal:
        factories.make_version(project, metadata=metadata)

    assert list(refusal.value.message_dict) == ["metadata"]
    assert not Collection.objects.exists()
    assert not facts
