"""Versions over GraphQL: who sees what of them, and how many queries that takes."""

import binascii
from base64 import b64decode
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from projects.models import Project, User
from registries import lineage, versions
from registries.models import Membership, Registry
from tests import factories, uploading
from tests.wandb_gateway.conftest import Asking
from wandb_gateway import ids

Ask = Callable[[User | None], Asking]

# What the client asks of every version.
FIELDS = """
  __typename id versionIndex artifactType { name } description metadata ttlDurationSeconds ttlIsInherited
  artifactSequence { __typename name project { id internalId name entity { name } } }
  tags { __typename id name } historyStep state size digest commitHash fileCount createdAt updatedAt
  aliases { id alias artifactCollection { __typename name project { name entity { name } } } }
"""
BY_ID = f"query ArtifactByID($id: ID!) {{ artifact(id: $id) {{ {FIELDS} }} }}"
BY_NAME = f"""
query ArtifactMembershipByName($entity: String!, $project: String!, $name: String!) {{
  project(name: $project, entityName: $entity) {{
    artifactCollectionMembership(name: $name) {{
      __typename id versionIndex createdAt aliases {{ alias }} artifactCollection {{ __typename name }}
      artifact {{ {FIELDS} }}
    }}
  }}
}}"""
LIST = f"""
query ProjectArtifacts($filters: JSONString, $order: String, $first: Int, $after: String) {{
  project(entityName: "research", name: "digits") {{
    artifactType(name: "model") {{
      artifactCollection(name: "model") {{
        artifacts(filters: $filters, order: $order, first: $first, after: $after) {{
          totalCount pageInfo {{ endCursor hasNextPage }} edges {{ version node {{ {FIELDS} }} }}
        }}
      }}
    }}
  }}
}}"""


def global_id(version: Membership) -> str:
    return ids.encode("Artifact", version.artifact_id)


def listed(graphql: Ask, user: User, **variables: Any) -> list[str]:
    found = graphql(user).data(LIST, **variables)["project"]["artifactType"]["artifactCollection"]["artifacts"]
    return [edge["version"] for edge in found["edges"]]


def test_a_version_is_read_by_its_id(project: Project, alice: User, graphql: Ask) -> None:
    version = uploading.log(
        project, {"w": b"12"}, by=alice, digest="d1", aliases=["best"], tags=["good"], metadata={"loss": float("nan")}
    )
    found = graphql(alice).data(BY_ID, id=global_id(version))["artifact"]

    assert (found["versionIndex"], found["state"], found["size"], found["fileCount"]) == (0, "COMMITTED", 2, 1)
    assert (found["artifactType"], found["metadata"]) == ({"name": "model"}, '{"loss":NaN}')
    assert (found["ttlDurationSeconds"], found["ttlIsInherited"]) == (-2, True)
    assert found["artifactSequence"]["project"]["entity"] == {"name": "research"}
    assert [one["alias"] for one in found["aliases"]] == ["latest", "best"]
    assert [one["name"] for one in found["tags"]] == ["good"]


def test_a_version_is_found_by_every_name_it_has(project: Project, alice: User, graphql: Ask) -> None:
    version = factories.make_version(project, digest="a" * 32, aliases=["best"])
    names = (
        "model",
        "model:latest",
        "model:v0",
        "model:best",
        f"model:{'a' * 32}",
        f"model:{version.artifact.commit_hash}",
    )
    for name in names:
        place = {"entity": "research", "project": "digits", "name": name}
        found = graphql(alice).data(BY_NAME, **place)["project"]["artifactCollectionMembership"]
        assert found["artifact"]["id"] == global_id(version), name
    for name in ("model:v1", "model:nothing", "nothing", "model:\x00", ""):
        place = {"entity": "research", "project": "digits", "name": name}
        assert graphql(alice).data(BY_NAME, **place)["project"]["artifactCollectionMembership"] is None


def test_what_one_may_not_see_is_not_there(project: Project, alice: User, charlie: User, graphql: Ask) -> None:
    version = factories.make_version(project)
    pending = uploading.begin(project, by=alice)
    gone = factories.make_version(project)
    versions.delete(gone.artifact, with_aliases=True, by=alice, at=gone.created_at)

    assert graphql(charlie).data(BY_ID, id=global_id(version)) == {"artifact": None}
    assert graphql(alice).data(BY_ID, id=ids.encode("Artifact", pending.pk)) == {"artifact": None}
    assert graphql(alice).data(BY_ID, id=global_id(gone)) == {"artifact": None}
    assert graphql(alice).data(BY_ID, id="bm9uZQ==") == {"artifact": None}


def test_a_registry_shows_versions_but_not_the_project_they_are_from(
    project: Project, registry: Registry, charlie: User, graphql: Ask
) -> None:
    """The client knows this: a source without a project is one that it may not look at."""
    factories.make_organization("acme", member=charlie)
    run = factories.make_run(project)
    source = factories.make_version(project, aliases=["secret"], run=run)
    factories.make_version(project)
    link = factories.make_link(source, factories.make_collection(registry), aliases=["public"])

    place = {"entity": "acme", "project": "wandb-registry-models", "name": "classifier:public"}
    membership = graphql(charlie).data(BY_NAME, **place)["project"]["artifactCollectionMembership"]
    found = membership["artifact"]

    assert (membership["versionIndex"], found["id"]) == (0, global_id(link))
    assert found["artifactSequence"] == {"__typename": "ArtifactSequence", "name": "hidden", "project": None}
    assert [one["alias"] for one in found["aliases"]] == ["latest", "public"]
    lineage_of = "query($id: ID!) { artifact(id: $id) { createdBy { __typename } usedBy { edges { node { id } } } } }"
    assert graphql(charlie).data(lineage_of, id=global_id(link))["artifact"] == {
        "createdBy": {"__typename": "User"},
        "usedBy": {"edges": []},
    }


def test_the_type_of_a_version_leads_only_where_the_reader_may_look(
    project: Project, registry: Registry, alice: User, charlie: User, graphql: Ask
) -> None:
    factories.make_organization("acme", member=charlie)
    source = factories.make_version(project)
    factories.make_version(project, collection="unreleased")
    link = factories.make_link(source, factories.make_collection(registry, "shown"))
    around = """query($id: ID!) { artifact(id: $id) { artifactType { id name
      artifactCollections { edges { node { name } } } artifactCollection(name: "unreleased") { name } } } }"""

    def seen_by(user: User) -> tuple[list[str], Any]:
        found = graphql(user).data(around, id=global_id(link))["artifact"]["artifactType"]
        assert found["name"] == "model"
        return [edge["node"]["name"] for edge in found["artifactCollections"]["edges"]], found["artifactCollection"]

    assert seen_by(charlie) == (["shown"], None)
    assert seen_by(alice) == (["model", "unreleased"], {"name": "unreleased"})


def test_a_deleted_version_still_says_its_type(project: Project, alice: User, graphql: Ask) -> None:
    version = factories.make_version(project)
    deleting = """mutation($id: ID!) { deleteArtifact(input: {artifactID: $id}) { artifact { artifactType { id name
      artifactCollections { edges { node { name } } } artifactCollection(name: "model") { name } } } } }"""

    found = graphql(alice).data(deleting, id=global_id(version))["deleteArtifact"]["artifact"]["artifactType"]

    nowhere = {"name": "model", "artifactCollections": {"edges": []}, "artifactCollection": None}
    assert found == nowhere | {"id": ids.of_text("ArtifactType", "none:model")}


def test_versions_are_listed_filtered_and_ordered(project: Project, alice: User, graphql: Ask) -> None:
    for number in range(4):
        factories.make_version(project, metadata={"acc": number / 4}, aliases=[f"a{number}"])

    assert listed(graphql, alice, filters='{"state": "COMMITTED"}') == ["v3", "v2", "v1", "v0"]
    assert listed(graphql, alice, order="+version_index") == ["v0", "v1", "v2", "v3"]
    assert listed(graphql, alice, filters='{"$and": [{"state": "COMMITTED"}, {"metadata.acc": {"$gte": 0.5}}]}') == [
        "v3",
        "v2",
    ]
    assert listed(graphql, alice, filters='{"alias": {"$in": ["a1"]}}') == ["v1"]
    assert listed(graphql, alice, first=2, after="1") == ["v2", "v1"]
    assert graphql(alice)(LIST, filters='{"nothing": 1}').status == 400


@pytest.mark.parametrize("count", [2, 12])
def test_a_list_of_versions_takes_the_same_queries_whatever_its_length(
    project: Project, alice: User, graphql: Ask, django_assert_max_num_queries: Any, count: int
) -> None:
    run = factories.make_run(project)
    for number in range(count):
        version = factories.make_version(project, aliases=[f"a{number}"], tags=["t"], run=run)
        lineage.use(version.artifact, run=run, at=version.created_at)
    ask = graphql(alice)
    ask.data(LIST)
    with django_assert_max_num_queries(17):
        ask.data(LIST)
    lists = f"""query {{ project(entityName: "research", name: "digits") {{ run(name: "{run.run_id}") {{
        outputArtifacts {{ totalCount edges {{ node {{ {FIELDS} }} }} }} inputArtifacts {{ edges {{ node {{ id }} }} }}
    }} }} }}"""
    with django_assert_max_num_queries(22):
        found = ask.data(lists)["project"]["run"]
    assert found["outputArtifacts"]["totalCount"] == len(found["inputArtifacts"]["edges"]) == count


def test_types_and_collections_are_listed(project: Project, registry: Registry, alice: User, graphql: Ask) -> None:
    for name, kind in (("net", "model"), ("train", "dataset"), ("test", "dataset")):
        factories.make_version(project, name, kind)
    query = """query($entity: String, $name: String, $filters: JSONString) { project(entityName: $entity, name: $name) {
        artifactTypes { edges { node { id name createdAt } } }
        artifactType(name: "dataset") { artifactCollections(filters: $filters, order: "-name") {
          totalCount edges { node { __typename name defaultArtifactType { name } tags { edges { node { name } } } } }
        } }
        artifactCollections { totalCount }
        none: artifactType(name: "nothing") { id }
    } }"""
    found = graphql(alice).data(query, entity="research", name="digits")["project"]
    assert [edge["node"]["name"] for edge in found["artifactTypes"]["edges"]] == ["dataset", "model"]
    assert [edge["node"]["name"] for edge in found["artifactType"]["artifactCollections"]["edges"]] == ["train", "test"]
    assert (found["artifactCollections"]["totalCount"], found["none"]) == (3, None)
    narrowed = graphql(alice).data(query, entity="research", name="digits", filters='{"name": {"$regex": "^tr"}}')
    assert narrowed["project"]["artifactType"]["artifactCollections"]["totalCount"] == 1

    registry.accepts_all_types = False
    registry.save()
    registry.accepted_types.create(name="dataset")
    shelves = graphql(alice).data(query, entity="acme", name="wandb-registry-models")["project"]
    assert [edge["node"]["name"] for edge in shelves["artifactTypes"]["edges"]] == ["dataset"]


def test_files_are_listed_with_where_to_get_them(
    project: Project, alice: User, graphql: Ask, client: Client, django_assert_max_num_queries: Any
) -> None:
    files = {f"{number:02}.txt": str(number).encode() for number in range(12)}
    uploading.log(project, files, by=alice, references={"z": "s3://bucket/z"})
    query = """query($names: [String!]) {
      project(entityName: "research", name: "digits") { artifactCollection(name: "model") {
        artifactMembership(aliasName: "v0") {
          artifact { currentManifest { file { directUrl } } }
          files(names: $names, first: 50) {
            totalCount edges { node { name displayName directUrl sizeBytes storagePath mimetype md5 } } } } } } }"""
    ask = graphql(alice)
    with django_assert_max_num_queries(18):
        found = ask.data(query)["project"]["artifactCollection"]["artifactMembership"]
    nodes = [edge["node"] for edge in found["files"]["edges"]]
    assert (found["files"]["totalCount"], nodes[-1]["directUrl"]) == (13, "s3://bucket/z")
    assert (nodes[3]["name"], nodes[3]["sizeBytes"], nodes[3]["mimetype"]) == ("03.txt", 1, "text/plain")

    def fetched(url: str) -> bytes:
        return b"".join(client.get(url.partition("testserver")[2]).streaming_content)

    assert fetched(nodes[3]["directUrl"]) == b"3"
    assert b'"03.txt"' in fetched(found["artifact"]["currentManifest"]["file"]["directUrl"])
    named = ask.data(query, names=["03.txt", "no\x00ne"])["project"]["artifactCollection"]["artifactMembership"]
    assert [edge["node"]["name"] for edge in named["files"]["edges"]] == ["03.txt"]


def test_one_file_is_fetched_with_a_key(project: Project, alice: User, charlie: User, client: Client) -> None:
    version = uploading.log(project, {"sub/w.bin": b"0101"}, by=alice, references={"r": "s3://b"})
    other = factories.make_version(project)

    def fetch(user: User | None, of: Membership = version, content: bytes = b"0101") -> Any:
        digest = binascii.hexlify(b64decode(uploading.md5_of(content))).decode()
        address = f"/artifactsV2/default/research/digits/model/{global_id(of)}/{global_id(of)}/{digest}/w.bin"
        headers = {"Authorization": f"Bearer {factories.make_api_key(user)}"} if user else {}
        return client.get(address, headers=headers)

    answer = fetch(alice)
    assert (answer.status_code, b"".join(answer.streaming_content)) == (200, b"0101")
    assert [fetch(alice, of=other).status_code, fetch(alice, content=b"else").status_code] == [404, 404]
    assert [fetch(charlie).status_code, fetch(None).status_code] == [404, 401]
