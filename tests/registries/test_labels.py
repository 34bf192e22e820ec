"""Aliases and tags (EV2)."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction

from projects.events import Fact
from projects.models import Project, User
from registries import labels
from registries.models import Alias, Membership
from tests import factories

AT = datetime(2026, 1, 1, tzinfo=UTC)


def holders(name: str) -> list[Membership]:
    return [alias.membership for alias in Alias.objects.filter(name=name).select_related("membership")]


def test_an_added_alias_is_announced(project: Project, alice: User, facts: list[Fact]) -> None:
    version = factories.make_version(project, aliases=["best"])
    facts.clear()

    assert labels.add_alias(version, "production", by=alice, at=AT)

    (fact,) = facts
    assert (fact.kind, fact.actor, fact.artifact_id) == ("ADD_ARTIFACT_ALIAS", alice, version.artifact_id)
    assert fact.facts["alias"] == ["production"], "a condition is about the alias that was added, not those there"
    assert fact.details["alias"] == "production"


def test_ev2_an_alias_moves_and_that_is_an_event(project: Project, facts: list[Fact]) -> None:
    first, second = factories.make_version(project, aliases=["production"]), factories.make_version(project)
    facts.clear()

    labels.add_alias(second, "production", by=None, at=AT)

    assert holders("production") == [second]
    assert [fact.artifact_id for fact in facts] == [second.artifact_id]
    labels.add_alias(first, "production", by=None, at=AT)
    assert facts[0].dedupe_key != facts[1].dedupe_key


def test_ev2_re_adding_is_no_event(project: Project, facts: list[Fact]) -> None:
    version = factories.make_version(project, aliases=["production"])
    facts.clear()

    assert not labels.add_alias(version, "production", by=None, at=AT)
    assert not facts


def test_an_alias_is_a_collections_own(project: Project) -> None:
    versions = [factories.make_version(project, collection=name, aliases=["production"]) for name in ("a", "b")]

    assert set(holders("production")) == set(versions)


def test_an_alias_is_held_once_by_the_databases_word(project: Project) -> None:
    first, second = factories.make_version(project, aliases=["production"]), factories.make_version(project)

    with pytest.raises(IntegrityError), transaction.atomic():
        Alias.objects.create(collection=first.collection, membership=second, name="production", created_at=AT)


@pytest.mark.django_db(transaction=True)
def test_of_many_moves_at_once_one_is_last() -> None:
    versions = [factories.make_version() for _ in range(4)]

    def move(version: Membership) -> None:
        try:
            labels.add_alias(version, "production", by=None, at=AT)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(move, versions))

    assert len(holders("production")) == 1


@pytest.mark.parametrize("name", ["", "with space", "a/b", "a:b", "tab\t", "a\x00", "x" * 129, "latest", "v0", "v12"])
def test_what_cannot_be_an_alias_is_refused(project: Project, name: str) -> None:
    version = factories.make_version(project)

    with pytest.raises(ValidationError):
        labels.add_alias(version, name, by=None, at=AT)

    assert not Alias.objects.exists()


@pytest.mark.parametrize("name", ["production", "v1.2", "V1", "latest-good", "本番", "x" * 128])
def test_what_can_be_an_alias(project: Project, name: str) -> None:
    assert labels.add_alias(factories.make_version(project), name, by=None, at=AT)


def test_an_alias_is_removed_from_its_holder_only(project: Project) -> None:
    first, second = factories.make_version(project, aliases=["production"]), factories.make_version(project)

    assert not labels.remove_alias(second, "production", by=None)
    assert labels.remove_alias(first, "production", by=None)
    assert holders("production") == []


def test_tags_are_given_once(project: Project) -> None:
    version = factories.make_version(project)

    assert labels.add_tag(version, "ready for review", by=None, at=AT)
    assert not labels.add_tag(version, "ready for review", by=None, at=AT)
    assert labels.remove_tag(version, "ready for review", by=None, at=AT)
    assert not labels.remove_tag(version, "ready for review", by=None, at=AT)


@pytest.mark.parametrize("name", ["", " a", "a ", "a/b", "x" * 129, "a\n"])
def test_what_cannot_be_a_tag_is_refused(project: Project, name: str) -> None:
    with pytest.raises(ValidationError, match="cannot be a tag"):
        labels.add_tag(factories.make_version(project), name, by=None, at=AT)
