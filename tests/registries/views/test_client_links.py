"""The addresses that the wandb client prints for linked versions lead to their pages here."""

import pytest
from django.test import Client

from projects.models import Project, User
from registries.models import Membership, Registry
from tests import factories


@pytest.fixture
def link(project: Project, registry: Registry) -> Membership:
    return factories.make_link(factories.make_version(project), factories.make_collection(registry))


def address(registry: str = "models", **query: str) -> tuple[str, dict[str, str]]:
    return f"/orgs/acme/registry/{registry}", query


def test_they_lead_to_the_version_the_collection_or_the_registry(link: Membership, bob: User, client: Client) -> None:
    client.force_login(bob)
    path, collection = address(selectionPath="acme/wandb-registry-models/classifier")
    for query, there in (
        (collection | {"view": "membership", "version": "v0"}, link),
        (collection, link.collection),
        ({}, link.collection.registry),
    ):
        assert there is not None
        assert client.get(path, query)["Location"] == there.get_absolute_url()


def test_they_lead_nowhere_for_strangers_and_to_what_is_not_there(
    link: Membership, bob: User, charlie: User, client: Client
) -> None:
    place = "acme/wandb-registry-models/classifier"
    asked = [
        (charlie, address(selectionPath=place, version="v0")),
        (charlie, address()),
        (bob, address("other")),
        (bob, address(selectionPath=place, version="v7")),
        (bob, address(selectionPath="acme/wandb-registry-models/other")),
    ]
    for user, (path, query) in asked:
        client.force_login(user)
        assert client.get(path, query).status_code == 404
