"""Versions with files: begun, uploaded, committed; what is missing is refused, what is repeated changes nothing."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.db import connection
from django.http import Http404

from projects import storage
from projects.events import Fact
from projects.models import Blob, Project, User
from registries import access, commits, uploads
from registries.manifests import InvalidManifest
from registries.models import Artifact, ArtifactFile, ArtifactState, Collection, Membership
from registries.uploads import NotPending
from tests import factories, uploading

AT = datetime(2026, 1, 1, tzinfo=UTC)
FILES = {"weights.bin": b"0101", "conf/run.json": b"{}"}


def test_a_version_appears_when_it_is_committed(project: Project, alice: User, facts: list[Fact]) -> None:
    artifact = uploading.begin(project, by=alice, aliases=["best"], tags=["checked"], metadata={"acc": 0.5})
    uploading.send_files(artifact, FILES)
    uploading.send_manifest(artifact, uploading.manifest_of(FILES, {"data": "s3://bucket/data"}))
    assert (facts, Membership.objects.count(), Artifact.objects.visible_to(alice).count()) == ([], 0, 0)

    version = commits.commit(artifact, by=alice, at=AT)

    assert [fact.kind for fact in facts] == ["CREATE_ARTIFACT", "ADD_ARTIFACT_ALIAS", "ADD_ARTIFACT_TAG"]
    assert facts[0].facts["alias"] == ["best"]
    assert (version.version, version.alias_names) == ("v0", ["best"])
    stored = version.artifact
    assert (stored.state, stored.size, stored.file_count, len(stored.commit_hash)) == ("COMMITTED", 11, 3, 20)
    files = {file.path: (file.size, file.reference, file.blob is not None) for file in stored.files.all()}
    assert files == {
        "conf/run.json": (2, "", True),
        "data": (5, "s3://bucket/data", False),
        "weights.bin": (4, "", True),
    }


def test_committing_again_changes_nothing(project: Project, alice: User, facts: list[Fact]) -> None:
    version = uploading.log(project, FILES, by=alice)
    count = len(facts)
    assert commits.commit(version.artifact, by=alice, at=AT) == version
    begun = Artifact(pk=version.artifact_id, collection=version.collection, state=ArtifactState.PENDING)
    assert commits.commit(begun, by=alice, at=AT) == version
    assert len(facts) == count


def test_the_same_content_is_one_version(project: Project, alice: User, facts: list[Fact]) -> None:
    """Its aliases and tags are given to the version there is; without deduplication it is another one."""
    first = uploading.log(project, FILES, by=alice, digest="abc")
    facts.clear()

    same = uploading.begin(project, by=alice, digest="abc", aliases=["again"], tags=["seen"])
    other = uploading.begin(project, by=alice, digest="abc", deduplicate=False)
    elsewhere = uploading.begin(project, by=alice, digest="abc", collection="other")

    assert (same, same.state) == (first.artifact, ArtifactState.COMMITTED)
    assert {fact.kind for fact in facts} == {"ADD_ARTIFACT_ALIAS", "ADD_ARTIFACT_TAG"}
    assert access.version_for(first.collection, "again") == first
    assert {other.state, elsewhere.state} == {ArtifactState.PENDING}


def test_beginning_again_returns_what_was_begun(project: Project, alice: User, bob: User) -> None:
    begun = uploading.begin(project, by=alice, client_id="c1")
    assert uploading.begin(project, by=alice, client_id="c1") == begun
    assert uploading.begin(project, by=bob, client_id="c1") != begun
    assert uploading.begin(project, by=alice) != uploading.begin(project, by=alice)


def test_what_the_team_has_is_not_uploaded_again(project: Project, alice: User) -> None:
    uploading.log(project, FILES, by=alice)
    artifact = uploading.begin(project, by=alice)

    tokens = uploading.send_files(artifact, FILES | {"new": b"new"})

    assert list(tokens) == ["new"]
    assert artifact.files.count() == 3
    assert Blob.objects.filter(team=project.team).count() == 4


def test_a_digest_opens_nothing_of_another_team(project: Project, alice: User, charlie: User) -> None:
    """Whoever knows what others have is not given it: neither when uploading nor by claiming it in a list of files."""
    uploading.log(project, FILES, by=alice)
    own = factories.make_project(charlie.personal_team)
    artifact = uploading.begin(own, by=charlie)

    assert set(uploads.promise_files(artifact, {"w": uploading.md5_of(b"0101")})) == {"w"}
    uploading.send_manifest(artifact, uploading.manifest_of({"w": b"0101"}))
    with pytest.raises(InvalidManifest, match="“w” was not uploaded"):
        commits.commit(artifact, by=charlie, at=AT)


def test_what_is_missing_is_named(project: Project, alice: User) -> None:
    artifact = uploading.begin(project, by=alice)
    with pytest.raises(InvalidManifest, match="list of files was not uploaded"):
        commits.commit(artifact, by=alice, at=AT)
    uploading.send_manifest(artifact, uploading.manifest_of(FILES))
    with pytest.raises(InvalidManifest, match=r"“conf/run.json” was not uploaded, nor 1 more files"):
        commits.commit(artifact, by=alice, at=AT)

    uploading.send_files(artifact, FILES)
    assert commits.commit(artifact, by=alice, at=AT).version == "v0"


def test_a_list_of_additions_is_completed(project: Project, alice: User) -> None:
    """Of an incremental version the client lists only what is new."""
    first = uploading.log(project, FILES, by=alice)
    second = uploading.log(project, {"weights.bin": b"1111", "more": b"x"}, by=alice, base=first.artifact)

    assert {file.path: file.size for file in second.artifact.files.all()} == {
        "weights.bin": 4,
        "conf/run.json": 2,
        "more": 1,
    }
    with default_storage.open(commits.manifest_of(second.artifact, at=AT).path) as file:
        assert b"conf/run.json" in file.read()
    assert second.artifact.manifest.base is None


def test_a_complete_version_takes_no_more_files(project: Project, alice: User) -> None:
    artifact = uploading.begin(project, by=alice)
    tokens = uploads.promise_files(artifact, {"a": uploading.md5_of(b"a"), "b": uploading.md5_of(b"b")})
    uploading.send(tokens["a"], b"a")
    uploading.send_manifest(artifact, uploading.manifest_of({"a": b"a"}))
    version = commits.commit(artifact, by=alice, at=AT)

    uploading.send(tokens["a"], b"a")  # a repeated upload of what is there
    with pytest.raises(NotPending, match="is complete"):
        uploading.send(tokens["b"], b"b")
    with pytest.raises(NotPending):
        uploads.promise_files(version.artifact, {"c": uploading.md5_of(b"c")})
    with pytest.raises(NotPending):
        uploads.promise_manifest(version.artifact, md5="")
    assert not Blob.objects.filter(md5=uploading.md5_of(b"b")).exists()


def test_files_that_the_list_does_not_name_are_dropped(project: Project, alice: User) -> None:
    artifact = uploading.begin(project, by=alice)
    uploading.send_files(artifact, {"kept": b"kept", "dropped": b"dropped"})
    uploading.send_manifest(artifact, uploading.manifest_of({"kept": b"kept"}))
    version = commits.commit(artifact, by=alice, at=AT)

    assert [file.path for file in version.artifact.files.all()] == ["kept"]
    assert storage.release_unused() == 1
    assert not Blob.objects.filter(md5=uploading.md5_of(b"dropped")).exists()


def test_a_version_logged_without_files_has_an_empty_list(project: Project, alice: User) -> None:
    version = factories.make_version(project)
    blob = commits.manifest_of(version.artifact, at=AT)
    assert commits.manifest_of(version.artifact, at=AT) == blob
    with default_storage.open(blob.path) as file:
        assert b'"contents":{}' in file.read()


def test_only_who_logs_there_finds_what_was_begun(project: Project, alice: User, charlie: User) -> None:
    artifact = uploading.begin(project, by=alice)
    assert access.begun_version(alice, artifact.pk) == artifact
    with pytest.raises(Http404):
        access.begun_version(charlie, artifact.pk)
    with pytest.raises(Http404):
        access.version_for(artifact.collection, "latest")


@pytest.mark.django_db(transaction=True)
def test_commits_at_once_get_numbers_without_gaps() -> None:
    alice = factories.make_user()
    project = factories.make_project(factories.make_team(admin=alice))
    begun = [uploading.begin(project, by=alice, client_id=str(number)) for number in range(6)]
    text = uploading.manifest_of({})
    for artifact in begun:
        uploading.send_manifest(artifact, text)

    def commit(artifact: Artifact) -> Any:
        try:
            return commits.commit(artifact, by=alice, at=AT).version_index
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        numbers = list(pool.map(commit, begun + begun))

    assert sorted(numbers[:6]) == list(range(6))
    assert numbers[:6] == numbers[6:]
    assert Collection.objects.get().next_index == 6


def test_bytes_go_after_the_last_version_that_has_them(project: Project, alice: User) -> None:
    version = uploading.log(project, FILES, by=alice)
    uploading.log(project, {"weights.bin": b"0101"}, by=alice)
    run_file = factories.make_run(project).files.create(
        name="notes", blob=Blob.objects.get(md5=uploading.md5_of(b"{}")), updated_at=AT
    )
    version.artifact.delete()

    assert [file.path for file in ArtifactFile.objects.all()] == ["weights.bin"]
    assert storage.release_unused() == 1, "the list of files; the rest is used elsewhere"
    run_file.delete()
    assert storage.release_unused() == 0, "a run's file is freed at once"
    assert Blob.objects.count() == 2
    assert all(default_storage.exists(blob.path) for blob in Blob.objects.all())
