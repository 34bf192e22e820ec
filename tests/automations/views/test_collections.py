"""Parts of the pages of collections: what waits for them, how often it acted, and the history of one collection."""

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from automations.models import EventType
from projects.models import Project, User
from registries.models import Collection
from tests import factories


@pytest.fixture
def model(project: Project) -> Collection:
    return factories.make_version(project, "model").collection


@pytest.fixture
def counts() -> str:
    return reverse("automations:executions_in_collections")


def test_what_waits_for_a_collection_is_told_with_its_condition(
    client: Client, project: Project, model: Collection, bob: User
) -> None:
    automation = factories.make_automation(
        project, EventType.ADD_ARTIFACT_ALIAS, name="Deploy", filter={"alias": "production"}, enabled=False
    )
    client.force_login(bob)
    text = client.get(reverse("automations:watching_collection", args=[model.pk])).content.decode()

    assert f'href="{automation.get_absolute_url()}"' in text
    assert "alias production is added" in text.replace("\n", " ")
    assert "disabled" in text


def test_of_many_the_first_are_listed(client: Client, project: Project, model: Collection, bob: User) -> None:
    for number in range(23):
        factories.make_automation(project, EventType.CREATE_ARTIFACT, name=f"Number {number}")
    client.force_login(bob)
    text = client.get(reverse("automations:watching_collection", args=[model.pk])).content.decode()

    assert text.count("<li>") == 20
    assert "3 more" in text


def test_where_nothing_waits_the_page_says_so(client: Client, model: Collection, bob: User) -> None:
    client.force_login(bob)
    page = client.get(reverse("automations:watching_collection", args=[model.pk]))
    assert "No automation waits for it." in page.content.decode()


def test_strangers_learn_nothing(client: Client, model: Collection, charlie: User, counts: str) -> None:
    """AZ1"""
    client.force_login(charlie)
    assert client.get(reverse("automations:watching_collection", args=[model.pk])).status_code == 404
    assert client.get(counts, {"in": model.pk}).content.decode().strip() == ""


def test_counts_lead_to_the_history_of_the_collection(
    client: Client, project: Project, model: Collection, bob: User, counts: str
) -> None:
    automation = factories.make_automation(project, EventType.CREATE_ARTIFACT, name="Count")
    here = factories.make_execution(automation, factories.make_event(collection=model))
    other = factories.make_version(project, "other").collection
    there = factories.make_execution(automation, factories.make_event(collection=other))
    client.force_login(bob)
    text = client.get(counts, {"in": [model.pk, "x", "9" * 30]}).content.decode()

    address = f"{project.get_absolute_url()}history?collection=model"
    assert f'id="executions-{model.pk}"' in text
    assert f'href="{address}"' in text
    page = client.get(address).content.decode()
    assert here.get_absolute_url() in page
    assert there.get_absolute_url() not in page
    # The filter goes on when another is chosen, and with the export.
    assert 'name="collection" value="model"' in page
    assert "export.csv?collection=model" in page


def test_many_collections_are_counted_at_once(
    client: Client, project: Project, bob: User, counts: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    made = [factories.make_version(project, f"number {number}").collection.pk for number in range(12)]
    client.force_login(bob)
    with django_assert_max_num_queries(6):
        assert client.get(counts, {"in": made}).content.decode().count("<span id=") == 12
