"""Logging a version over GraphQL, step by step as the client does, and what is refused on the way."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from projects.events import Fact
from projects.models import Project, Role, User
from registries.models import Artifact, Membership
from tests import factories, uploading
from tests.uploading import md5_of
from tests.wandb_gateway.conftest import Asking
from wandb_gateway import ids

Ask = Callable[[User | None], Asking]

CREATE = """mutation($input: CreateArtifactInput!) { createArtifact(input: $input) { artifact {
    id state artifactSequence { name latestArtifact { id } } } } }"""
MANIFEST = """mutation($input: CreateArtifactManifestInput!, $includeUpload: Boolean!) {
  createArtifactManifest(input: $input) { artifactManifest { id file {
    id uploadUrl @include(if: $includeUpload) uploadHeaders @include(if: $includeUpload) } } } }"""
FILES = """mutation($input: CreateArtifactFilesInput!) { createArtifactFiles(input: $input) { files { edges { node {
    name storagePath uploadUrl uploadHeaders uploadMultipartUrls { uploadID } artifact { id } } } } } }"""
COMMIT = (
    """mutation($id: ID!) { commitArtifact(input: {artifactID: $id}) { artifact { id digest state versionIndex } } }"""
)
USE = """mutation($input: UseArtifactInput!) { useArtifact(input: $input) { artifact { id } } }"""


def creation(**fields: Any) -> dict[str, Any]:
    """What the client sends for a version, nulls and all."""
    return {
        "entityName": "research",
        "projectName": "digits",
        "runName": None,
        "artifactTypeName": "model",
        "artifactCollectionName": "net",
        "digest": "d1",
        "digestAlgorithm": "MANIFEST_MD5",
        "enableDigestDeduplication": True,
        "aliases": [{"artifactCollectionName": "net", "alias": "latest"}],
        "tags": None,
        "metadata": '{"acc": NaN}',
        "ttlDurationSeconds": None,
        "clientID": "c1",
        **fields,
    }


def manifest(id: str, text: bytes, **fields: Any) -> dict[str, Any]:
    return {
        "artifactID": id,
        "name": "wandb_manifest.json",
        "digest": md5_of(text) if text else "",
        "entityName": "research",
        "projectName": "digits",
        "runName": "r",
        "type": "FULL",
        **fields,
    }


def spec(id: str, name: str, content: bytes) -> dict[str, Any]:
    return {"artifactID": id, "name": name, "md5": md5_of(content)}


def put(client: Client, url: str, content: bytes) -> int:
    return client.put(url.partition("testserver")[2], content, "application/octet-stream").status_code


@pytest.fixture
def ask(project: Project, bob: User, graphql: Ask) -> Asking:
    """Asks as a member of the team."""
    return graphql(bob)


def begun(ask: Asking, **fields: Any) -> str:
    found: str = ask.data(CREATE, input=creation(**fields))["createArtifact"]["artifact"]["id"]
    return found


def test_a_version_is_logged_step_by_step(ask: Asking, client: Client, facts: list[Fact]) -> None:
    run = factories.make_run(Project.objects.get())
    created = ask.data(CREATE, input=creation(runName=run.run_id, ttlDurationSeconds=60))["createArtifact"]["artifact"]
    assert (created["state"], created["artifactSequence"]) == ("PENDING", {"name": "net", "latestArtifact": None})
    begun_id, text = created["id"], uploading.manifest_of({"w": b"12", "v": b"3"})

    ask.data(MANIFEST, input=manifest(begun_id, b""), includeUpload=False)
    edges = ask.data(
        FILES, input={"artifactFiles": [spec(begun_id, "w", b"12"), spec(begun_id, "v", b"3")], "storageLayout": "V2"}
    )
    nodes = [edge["node"] for edge in edges["createArtifactFiles"]["files"]["edges"]]
    assert [(node["name"], node["artifact"]["id"], node["uploadHeaders"]) for node in nodes] == [
        ("w", begun_id, []),
        ("v", begun_id, []),
    ]
    assert put(client, nodes[0]["uploadUrl"], b"xx") == 400, "not what was announced"
    assert [put(client, node["uploadUrl"], content) for node, content in zip(nodes, (b"12", b"3"), strict=True)] == [
        200,
        200,
    ]
    uploaded = ask.data(MANIFEST, input=manifest(begun_id, text), includeUpload=True)["createArtifactManifest"]
    assert put(client, uploaded["artifactManifest"]["file"]["uploadUrl"], text) == 200

    for _ in range(2):  # the client may not have heard the first answer
        committed = ask.data(COMMIT, id=begun_id)["commitArtifact"]["artifact"]
        assert committed == {"id": begun_id, "digest": "d1", "state": "COMMITTED", "versionIndex": 0}
    assert [fact.kind for fact in facts if fact.artifact_id] == ["CREATE_ARTIFACT"]
    stored = Artifact.objects.get()
    assert (stored.run, stored.ttl_seconds, stored.metadata, stored.file_count) == (run, 60, {"acc": "NaN"}, 2)


def test_content_that_is_known_is_neither_logged_nor_sent_again(ask: Asking, project: Project, bob: User) -> None:
    version = uploading.log(project, {"w": b"12"}, by=bob, digest="d1", collection="net")
    again = ask.data(CREATE, input=creation(tags=[{"tagName": "seen"}]))["createArtifact"]["artifact"]
    assert (again["state"], again["id"]) == ("COMMITTED", ids.encode("Artifact", version.artifact_id))

    begun_id = begun(ask, digest="d2")
    files = [spec(begun_id, "new", b"new"), spec(begun_id, "known", b"12")]
    edges = ask.data(FILES, input={"artifactFiles": files})["createArtifactFiles"]["files"]["edges"]
    assert [edge["node"]["uploadUrl"] is None for edge in edges] == [False, True]


def test_the_digest_of_another_teams_file_does_not_save_the_upload(
    ask: Asking, project: Project, bob: User, charlie: User, graphql: Ask
) -> None:
    uploading.log(project, {"w": b"12"}, by=bob)
    stranger = graphql(charlie)
    begun_id = begun(stranger, entityName="charlie", projectName="own")
    edges = stranger.data(FILES, input={"artifactFiles": [spec(begun_id, "w", b"12")]})
    assert edges["createArtifactFiles"]["files"]["edges"][0]["node"]["uploadUrl"] is not None


def test_only_who_may_log_logs(ask: Asking, project: Project, charlie: User, graphql: Ask) -> None:
    begun_id = begun(ask)
    stranger = graphql(charlie)
    for query, variables in (
        (CREATE, {"input": creation()}),
        (MANIFEST, {"input": manifest(begun_id, b""), "includeUpload": False}),
        (FILES, {"input": {"artifactFiles": [spec(begun_id, "w", b"12")]}}),
        (COMMIT, {"id": begun_id}),
    ):
        assert stranger(query, **variables).status == 404
    factories.make_team(viewer=charlie)
    assert stranger(CREATE, input=creation()).status == 403
    answer = stranger(COMMIT, id=begun_id)
    assert (answer.status, "You may not log runs and artifacts" in answer.errors[0]) == (403, True)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"distributedID": "d"}, "several runs write together"),
        ({"digestAlgorithm": "MANIFEST_XXH128"}, "MD5"),
        ({"artifactCollectionName": None}, "name of the artifact is missing"),
        ({"artifactTypeName": "a/b"}, "may not contain"),
        ({"metadata": "[1]"}, "JSON object"),
        ({"aliases": [{"artifactCollectionName": "net", "alias": "v7"}]}, "given automatically"),
        ({"tags": [{"tagName": "a", "tagCategoryName": "c"}]}, "no categories"),
        ({"clientID": "x" * 200}, "128 characters"),
    ],
)
def test_what_cannot_be_logged_is_refused_with_a_sentence(ask: Asking, fields: dict[str, Any], sentence: str) -> None:
    answer = ask(CREATE, input=creation(**fields))
    assert (answer.status, sentence in answer.errors[0]) == (400, True), answer.errors
    assert not Artifact.objects.exists()


def test_text_that_no_database_takes_is_mended(ask: Asking) -> None:
    description = begun(ask, description="before\x00after")
    assert Artifact.objects.get(pk=ids.number(description, "Artifact")).description == "before�after"
    assert ask(CREATE, input=creation(runName="r\x00")).status == 404


def test_a_name_that_holds_something_else_is_a_conflict(ask: Asking, project: Project) -> None:
    factories.make_version(project, "net", "dataset")
    answer = ask(CREATE, input=creation())
    assert (answer.status, "holds artifacts of type dataset" in answer.errors[0]) == (409, True)


def test_what_is_missing_at_the_commit_is_named(ask: Asking) -> None:
    answer = ask(COMMIT, id=begun(ask))
    assert (answer.status, answer.errors) == (400, ["The list of files was not uploaded. Log the artifact again."])
    patch = ask(MANIFEST, input=manifest(begun(ask), b"", type="PATCH"), includeUpload=False)
    assert (patch.status, "no patches" in patch.errors[0]) == (400, True)
    assert ask(COMMIT, id="bm9uZQ==").status == 404


def test_additions_belong_to_the_version_before(ask: Asking, project: Project, bob: User) -> None:
    base = uploading.log(project, {"a": b"1"}, by=bob, collection="net")
    begun_id = begun(ask, digest="d2")
    fields = {"type": "INCREMENTAL", "baseArtifactID": ids.encode("Artifact", base.artifact_id)}
    ask.data(MANIFEST, input=manifest(begun_id, b"", **fields), includeUpload=False)
    assert Artifact.objects.get(pk=ids.number(begun_id, "Artifact")).manifest.base == base.artifact


def test_a_run_uses_a_version(ask: Asking, project: Project, bob: User, charlie: User, graphql: Ask) -> None:
    version: Membership = factories.make_version(project)
    run = factories.make_run(project)
    use = {
        "entityName": "research",
        "projectName": "digits",
        "runName": run.run_id,
        "artifactID": ids.encode("Artifact", version.artifact_id),
    }
    ask.data(USE, input=use)
    ask.data(USE, input=use)
    assert [one.artifact for one in run.artifact_uses.all()] == [version.artifact]
    assert graphql(charlie)(USE, input=use).status == 404
    assert factories.teams.set_role(charlie, team=project.team, role=Role.VIEW_ONLY)
    assert graphql(charlie)(USE, input=use).status == 403
