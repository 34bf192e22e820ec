"""`save()`, `delete()`, `link()` and `unlink()` over GraphQL: one call each, and sentences for what is refused."""

from collections.abc import Callable
from typing import Any

import pytest

from projects.events import Fact
from projects.models import Project, User
from registries import curation
from registries.models import Alias, Artifact, ArtifactState, Collection, Membership, Registry
from tests import factories, uploading
from tests.wandb_gateway.conftest import Asking
from wandb_gateway import ids

Ask = Callable[[User | None], Asking]

UPDATE = "mutation($input: UpdateArtifactInput!) { updateArtifact(input: $input) { artifact { id description } } }"
ADD = "mutation($input: AddAliasesInput!) { addAliases(input: $input) { success } }"
REMOVE = "mutation($input: DeleteAliasesInput!) { deleteAliases(input: $input) { success } }"
DELETE = "mutation($input: DeleteArtifactInput!) { deleteArtifact(input: $input) { artifact { id } } }"
LINK = """mutation($input: LinkArtifactInput!) { linkArtifact(input: $input) { versionIndex artifactMembership {
    id aliases { alias } artifactCollection { __typename name } } } }"""
UNLINK = "mutation($input: UnlinkArtifactInput!) { unlinkArtifact(input: $input) { success } }"
TAG = """mutation($input: CreateArtifactCollectionTagAssignmentsInput!) {
    createArtifactCollectionTagAssignments(input: $input) { tags { id name } } }"""
UNTAG = """mutation($input: DeleteArtifactCollectionTagAssignmentsInput!) {
    deleteArtifactCollectionTagAssignments(input: $input) { success } }"""


@pytest.fixture
def version(project: Project, bob: User) -> Membership:
    return uploading.log(project, {"w": b"12"}, by=bob, client_id="c1")


@pytest.fixture
def ask(version: Membership, bob: User, graphql: Ask) -> Asking:
    """Asks as a member of the team."""
    return graphql(bob)


def global_id(version: Membership) -> str:
    return ids.encode("Artifact", version.artifact_id)


def alias(name: str, **place: str) -> dict[str, str]:
    found = {"entityName": "research", "projectName": "digits", "artifactCollectionName": "model", "alias": name}
    return found | place


def link(version: Membership, **fields: Any) -> dict[str, Any]:
    return {
        "artifactID": global_id(version),
        "artifactPortfolioName": "shelf",
        "entityName": "acme",
        "projectName": "wandb-registry-models",
        "aliases": [{"artifactCollectionName": "shelf", "alias": "good"}],
        **fields,
    }


def test_saving_changes_everything_at_once(ask: Asking, version: Membership, facts: list[Fact]) -> None:
    both = {"artifactID": global_id(version), "aliases": [alias("best"), alias("latest")]}
    facts.clear()
    assert ask.data(ADD, input=both) == {"addAliases": {"success": True}}
    tags = {"tagsToAdd": [{"tagName": "new"}], "tagsToDelete": [{"tagName": "old"}]}
    change = {"artifactID": global_id(version), "description": "Better", "metadata": '{"a": 1}', **tags}
    assert ask.data(UPDATE, input=change)["updateArtifact"]["artifact"]["description"] == "Better"

    assert [fact.kind for fact in facts] == ["ADD_ARTIFACT_ALIAS", "ADD_ARTIFACT_TAG"]
    assert Artifact.objects.get().metadata == {"a": 1}
    assert ask.data(REMOVE, input=both) == {"deleteAliases": {"success": True}}
    assert not version.aliases.exists()


def test_aliases_are_placed_in_one_order_whatever_order_was_asked(
    ask: Asking, version: Membership, registry: Registry
) -> None:
    """Two who hold collections in two orders would wait for each other."""
    ask.data(LINK, input=link(version, aliases=[]))
    shelf = {"entityName": "acme", "projectName": "wandb-registry-models", "artifactCollectionName": "shelf"}

    ask.data(ADD, input={"artifactID": global_id(version), "aliases": [alias("one"), alias("one", **shelf)]})
    ask.data(ADD, input={"artifactID": global_id(version), "aliases": [alias("two", **shelf), alias("two")]})

    placed = Alias.objects.order_by("pk").values_list("name", "collection__name")
    assert list(placed) == [("one", "model"), ("one", "shelf"), ("two", "model"), ("two", "shelf")]


def test_all_aliases_or_none(ask: Asking, version: Membership) -> None:
    answer = ask(ADD, input={"artifactID": global_id(version), "aliases": [alias("fine"), alias("no good")]})
    assert answer.status == 400
    assert not version.aliases.exists()
    elsewhere = alias("fine", artifactCollectionName="other")
    assert ask(ADD, input={"artifactID": global_id(version), "aliases": [elsewhere]}).status == 404


def test_deleting_needs_a_word_about_aliases(ask: Asking, version: Membership) -> None:
    ask.data(ADD, input={"artifactID": global_id(version), "aliases": [alias("best")]})
    answer = ask(DELETE, input={"artifactID": global_id(version), "deleteAliases": False})
    assert (answer.status, "has aliases: best" in answer.errors[0]) == (409, True)
    ask.data(DELETE, input={"artifactID": global_id(version), "deleteAliases": True})
    assert Artifact.objects.get().state == ArtifactState.DELETED
    assert ask(DELETE, input={"artifactID": global_id(version), "deleteAliases": True}).status == 404


def test_a_version_is_linked_once(ask: Asking, version: Membership, registry: Registry, facts: list[Fact]) -> None:
    facts.clear()
    first = ask.data(LINK, input=link(version))
    again = ask.data(LINK, input=link(version))
    by_client = ask.data(LINK, input=link(version, artifactID=None, clientID="c1", aliases=None))
    assert first == again
    assert first["linkArtifact"] == {
        "versionIndex": 0,
        "artifactMembership": {
            "id": by_client["linkArtifact"]["artifactMembership"]["id"],
            "aliases": [{"alias": "latest"}, {"alias": "good"}],
            "artifactCollection": {"__typename": "ArtifactPortfolio", "name": "shelf"},
        },
    }
    assert [fact.kind for fact in facts] == ["LINK_MODEL", "ADD_ARTIFACT_ALIAS"]

    portfolio = ids.encode("ArtifactCollection", Collection.objects.get(name="shelf").pk)
    ask.data(LINK, input={"artifactID": global_id(version), "artifactPortfolioID": portfolio})
    ask.data(UNLINK, input={"artifactID": global_id(version), "artifactPortfolioID": portfolio})
    assert ask(UNLINK, input={"artifactID": global_id(version), "artifactPortfolioID": portfolio}).status == 404
    assert facts[-1].kind == "UNLINK_ARTIFACT"


def test_links_that_cannot_be_made_say_why(
    ask: Asking, version: Membership, registry: Registry, charlie: User, graphql: Ask
) -> None:
    curation.protect_alias(registry, "good", by=None)
    refused = ask(LINK, input=link(version))
    assert (refused.status, "only admins of the registry" in refused.errors[0]) == (403, True)
    curation.change_registry(registry, accepts_all_types=False, accept=["dataset"])
    for status, sentence, fields in (
        (400, "does not accept artifacts of type “model”", {"aliases": None}),
        (404, "There is no registry “other” in acme", {"projectName": "wandb-registry-other"}),
        (404, "There is no team “charlie”", {"entityName": "charlie", "projectName": "own"}),
        (404, "There is no such version", {"artifactID": None, "clientID": "unknown"}),
        (
            409,
            "logged, not linked",
            {"entityName": "research", "projectName": "digits", "artifactPortfolioName": "model"},
        ),
        (400, "The name of the collection is missing", {"artifactPortfolioName": ""}),
    ):
        answer = ask(LINK, input=link(version, **fields))
        assert (answer.status, sentence in answer.errors[0]) == (status, True), answer.errors
    assert graphql(charlie)(LINK, input=link(version)).status == 404
    assert Collection.objects.count() == 1


def test_who_sees_a_version_only_in_a_registry_changes_nothing_of_it(
    version: Membership, registry: Registry, charlie: User, graphql: Ask
) -> None:
    factories.make_organization("acme", member=charlie)
    factories.make_link(version, factories.make_collection(registry, "shelf"))
    stranger = graphql(charlie)

    answer = stranger(UPDATE, input={"artifactID": global_id(version), "description": "Mine"})
    assert (answer.status, "may not see the project" in answer.errors[0]) == (404, True)
    assert stranger(DELETE, input={"artifactID": global_id(version), "deleteAliases": True}).status == 404
    here = alias("staging", entityName="acme", projectName="wandb-registry-models", artifactCollectionName="shelf")
    assert stranger.data(ADD, input={"artifactID": global_id(version), "aliases": [here]})
    assert Artifact.objects.get().description == ""


def test_collections_are_edited_moved_and_deleted(
    ask: Asking, version: Membership, charlie: User, graphql: Ask
) -> None:
    collection = ids.encode("ArtifactCollection", version.collection_id)
    update = """mutation($id: ID!) {
        updateArtifactSequence(input: {artifactSequenceID: $id, name: "net", description: "All"}) {
            artifactCollection { __typename name description } } }"""
    move = """mutation($id: ID!) {
        moveArtifactSequence(input: {artifactSequenceID: $id, destinationArtifactTypeName: "net"}) {
            artifactCollection { type: defaultArtifactType { name } } } }"""
    delete = """mutation($id: ID!) { deleteArtifactSequence(input: {artifactSequenceID: $id}) {
        artifactCollection { __typename state } } }"""
    assert [graphql(charlie)(query, id=collection).status for query in (update, move, delete)] == [404, 404, 404]

    changed = ask.data(update, id=collection)["updateArtifactSequence"]["artifactCollection"]
    assert changed == {"__typename": "ArtifactSequence", "name": "net", "description": "All"}
    assert ask.data(move, id=collection)["moveArtifactSequence"]["artifactCollection"]["type"] == {"name": "net"}
    gone = ask.data(delete, id=collection)["deleteArtifactSequence"]["artifactCollection"]
    assert gone == {"__typename": "ArtifactSequence", "state": "DELETED"}
    assert ask(delete, id=collection).status == 404


def test_collections_are_tagged(ask: Asking, facts: list[Fact]) -> None:
    place = {"entityName": "research", "projectName": "digits", "artifactCollectionName": "model"}
    tags = {"tags": [{"tagName": "nightly"}, {"tagName": "kept"}]}
    facts.clear()
    found = ask.data(TAG, input=place | tags)["createArtifactCollectionTagAssignments"]["tags"]
    assert sorted(one["name"] for one in found) == ["kept", "nightly"]
    ask.data(TAG, input=place | tags)
    ask.data(UNTAG, input=place | {"tags": [{"tagName": "nightly"}]})
    assert [fact.kind for fact in facts] == ["ADD_COLLECTION_TAG", "ADD_COLLECTION_TAG", "REMOVE_COLLECTION_TAG"]
