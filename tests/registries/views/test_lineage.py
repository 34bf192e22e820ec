"""The lineage on the pages of versions and runs: a drawing with links, and the same as a table."""

from datetime import UTC, datetime

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from projects.models import Project, Run, User
from registries import lineage
from registries.models import Membership
from tests import factories

AT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def data(project: Project) -> Membership:
    return factories.make_version(project, "images", "dataset")


@pytest.fixture
def run(project: Project, data: Membership) -> Run:
    """Uses the images, logs a model."""
    run = factories.make_run(project, display_name="train")
    lineage.use(data.artifact, run=run, at=AT)
    factories.make_version(project, "model", run=run)
    return run


def page(client: Client, user: User, name: str, pk: int) -> str:
    client.force_login(user)
    return client.get(reverse(f"registries:{name}", args=[pk])).content.decode()


def test_the_drawing_and_the_table_link_to_what_is_around(
    client: Client, bob: User, data: Membership, run: Run
) -> None:
    model = Membership.objects.get(collection__name="model")
    for text in (page(client, bob, "version_lineage", model.pk), page(client, bob, "run_lineage", run.pk)):
        for thing in (data, run, model):
            # In the drawing, and in the table as itself and as a neighbour.
            assert text.count(f'href="{thing.get_absolute_url()}"') >= 3
        assert text.count("<foreignObject") == 3
        assert text.count('aria-current="true"') == 1
        assert "marker-end" in text


def test_what_is_left_out_is_counted(client: Client, bob: User, project: Project, data: Membership) -> None:
    for _ in range(10):
        lineage.use(data.artifact, run=factories.make_run(project), at=AT)
    text = page(client, bob, "version_lineage", data.pk)

    assert text.count("2 more runs") == 2
    assert text.count("<foreignObject") == 10


def test_where_nothing_is_known_the_page_says_so(client: Client, bob: User, project: Project, data: Membership) -> None:
    assert "No run is known that logged or used this version." in page(client, bob, "version_lineage", data.pk)
    alone = factories.make_run(project)
    assert "No version is known that this run used or logged." in page(client, bob, "run_lineage", alone.pk)


def test_strangers_find_no_lineage(client: Client, charlie: User, data: Membership, run: Run) -> None:
    """AZ1"""
    client.force_login(charlie)
    assert client.get(reverse("registries:version_lineage", args=[data.pk])).status_code == 404
    assert client.get(reverse("registries:run_lineage", args=[run.pk])).status_code == 404


def test_drawing_takes_few_queries(
    client: Client, bob: User, run: Run, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    client.force_login(bob)
    client.get("/")
    with django_assert_max_num_queries(14):
        client.get(reverse("registries:run_lineage", args=[run.pk]))
