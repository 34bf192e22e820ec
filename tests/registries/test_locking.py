"""Versions are linked, unlinked and given aliases at the same time: who comes too late is told so."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.http import Http404

from projects.api import problems
from projects.models import Project, User
from registries import artifacts, labels, linking
from registries.models import Alias, Collection, Membership, Registry
from tests import factories
from tests.rivals import raised_by_loser

AT = datetime(2026, 1, 1, tzinfo=UTC)


def link_that_is_gone(project: Project) -> Membership:
    """A link as somebody read it just before somebody else removed it."""
    link = factories.make_link(factories.make_version(project), factories.make_collection())
    Membership.objects.filter(pk=link.pk).delete()
    return link


@pytest.mark.parametrize(
    "change",
    [
        lambda link, by: labels.add_alias(link, "production", by=by, at=AT),
        lambda link, **_: labels.remove_alias(link, "production", by=None),
        lambda link, by: linking.unlink(link, by=by, at=AT),
    ],
    ids=["add an alias", "remove an alias", "unlink"],
)
def test_a_version_that_was_unlinked_meanwhile_is_not_there(
    project: Project, alice: User, change: Callable[..., object]
) -> None:
    with pytest.raises(Http404, match="classifier:v0 is gone: somebody removed it meanwhile"):
        change(link_that_is_gone(project), by=alice)

    assert not Alias.objects.exists()


def test_a_collection_that_was_deleted_meanwhile_takes_no_link(project: Project, alice: User) -> None:
    shelf = factories.make_collection()
    Collection.objects.filter(pk=shelf.pk).delete()

    with pytest.raises(Http404, match="deleted meanwhile"):
        linking.link(factories.make_version(project), to=shelf, by=alice, at=AT)


def do_something(number: int, *, source: Membership, shelf: Collection, by: User) -> None:
    link = Membership.objects.filter(collection=shelf, artifact=source.artifact_id).first()
    if number % 4 == 0 or link is None:
        linking.link(source, to=shelf, by=by, at=AT, aliases=["production"] if number % 3 else [])
    elif number % 4 == 1:
        linking.unlink(link, by=by, at=AT)
    elif number % 4 == 2:
        labels.add_alias(link, f"a{number % 3}", by=by, at=AT)
    else:
        labels.remove_alias(link, f"a{number % 3}", by=None)


@pytest.mark.django_db(transaction=True)
def test_links_and_aliases_change_hands_at_once_without_a_fault() -> None:
    """Neither a deadlock nor an alias of a version that is gone: a change happens, or its version is not there."""
    alice = factories.make_user()
    shelf = factories.make_collection()
    sources = [factories.make_version() for _ in range(3)]
    factories.make_automation(sources[0].collection.project, "LINK_MODEL")

    def work(number: int) -> Exception | None:
        try:
            do_something(number, source=sources[number % 3], shelf=Collection.objects.get(pk=shelf.pk), by=alice)
        except Http404:
            return None
        except Exception as error:  # noqa: BLE001  whatever it is, it is a fault
            return error
        finally:
            connection.close()
        return None

    # 7 has no factor in common with the kinds of change and the versions: every mixture of them meets.
    numbers = [number * 7 % 120 for number in range(120)]
    with ThreadPoolExecutor(8) as pool:
        faults = [fault for fault in pool.map(work, numbers) if fault is not None]

    assert faults == []
    assert not Alias.objects.exclude(membership__in=Membership.objects.all()).exists()


@pytest.mark.django_db(transaction=True)
def test_versions_with_aliases_are_logged_at_once_without_a_fault() -> None:
    alice, project = factories.make_user(), factories.make_project()
    factories.make_version(project)

    def log(_: int) -> str:
        try:
            return artifacts.log_version(
                Project.objects.get(pk=project.pk), collection="model", type="model", by=alice, at=AT, aliases=["best"]
            ).version
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        versions = list(pool.map(log, range(24)))

    assert sorted(versions, key=lambda name: int(name[1:])) == [f"v{number}" for number in range(1, 25)]
    assert Alias.objects.get().membership.version in versions


@pytest.mark.django_db(transaction=True)
def test_of_two_who_make_the_same_registry_at_once_one_is_told_like_who_comes_later() -> None:
    organization, alice = factories.make_organization(), factories.make_user()

    def make() -> Registry:
        return linking.create_registry(organization, "models", by=alice)

    told = problems.describe(raised_by_loser(make, over=Registry))

    with pytest.raises(ValidationError) as late:
        make()
    assert told == problems.describe(late.value)
    assert told is not None
    assert told["status"] == 409
    assert Registry.objects.get().memberships.get().user == alice


@pytest.mark.django_db(transaction=True)
def test_of_two_who_make_the_same_collection_at_once_one_is_told_like_who_comes_later() -> None:
    registry = factories.make_registry()

    def make() -> Collection:
        return linking.create_collection(registry, "classifier", type="model")

    told = problems.describe(raised_by_loser(make, over=Collection))

    with pytest.raises(ValidationError) as late:
        make()
    assert told == problems.describe(late.value)
    assert told is not None
    assert (told["status"], told["errors"][0]["field"]) == (409, "name")
    assert Collection.objects.count() == 1
