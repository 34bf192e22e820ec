"""Bytes under signed addresses, as the client sends and fetches them: without a key."""

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.files.storage import default_storage
from django.test import Client

from projects import storage
from projects.models import Project, Run, RunFile, User
from tests import factories

Graphql = Callable[[User | None], Any]
CREATE = """mutation Create($input: CreateRunFilesInput!) {
  createRunFiles(input: $input) { runID uploadHeaders files { name uploadUrl } }
}"""


@pytest.fixture
def run(project: Project, bob: User) -> Run:
    return factories.make_run(project, user=bob, run_id="first")


@pytest.fixture
def address(graphql: Graphql, bob: User, run: Run) -> str:
    """Where to upload `page.html`."""
    place = {"entityName": "research", "projectName": "digits", "runName": "first"}
    [file] = graphql(bob).data(CREATE, input=place | {"files": ["page.html"]})["createRunFiles"]["files"]
    url: str = file["uploadUrl"]
    return url


def put(address: str, content: bytes, **headers: str) -> Any:
    return Client().put(address, content, "text/html", headers=headers)


def test_what_was_put_is_got(address: str, graphql: Graphql, bob: User) -> None:
    assert address.startswith("http://testserver/storage/")
    assert put(address, b"<script>alert(1)</script>").status_code == 200

    query = '{ model(name: "digits", entityName: "research") { bucket(name: "first") { files { edges { node {'
    query += " name directUrl url sizeBytes mimetype md5 } } } } } }"
    [edge] = graphql(bob).data(query)["model"]["bucket"]["files"]["edges"]
    assert (edge["node"]["name"], edge["node"]["sizeBytes"], edge["node"]["mimetype"]) == ("page.html", 25, "text/html")
    assert edge["node"]["url"] == edge["node"]["directUrl"]
    answer = Client().get(edge["node"]["directUrl"])
    assert b"".join(answer.streaming_content) == b"<script>alert(1)</script>"
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"] == 'attachment; filename="page.html"'
    assert answer["Content-Length"] == "25"
    assert (answer["X-Content-Type-Options"], answer["Content-Security-Policy"]) == (
        "nosniff",
        "sandbox; default-src 'none'",
    )


def test_an_upload_that_is_sent_again_is_there_once(address: str) -> None:
    assert [put(address, b"x").status_code for _ in range(3)] == [200, 200, 200]
    assert RunFile.objects.count() == 1


def test_an_upload_address_hands_nothing_out(address: str) -> None:
    put(address, b"x")
    answer = Client().get(address)
    assert answer.status_code == 403
    assert "not valid" in answer.json()["error"]


@pytest.mark.parametrize("token", ["nonsense", "eyJhIjoxfQ:1xWNCK:WmgLwxcAmzz0Lhood9cHZVlLg8EDQ_n3em34pmBQ--A"])
@pytest.mark.django_db
def test_only_addresses_given_out_here_are_good(token: str) -> None:
    assert put(f"/storage/{token}", b"x").status_code == 403
    assert Client().get(f"/storage/{token}").status_code == 403
    assert Client().post(f"/storage/{token}", b"x", "text/plain").status_code == 405


def test_an_upload_without_a_length_is_refused(address: str) -> None:
    chunked = Client().generic("PUT", address, b"", headers={"Transfer-Encoding": "chunked"}, CONTENT_LENGTH="")
    assert chunked.status_code == 411
    assert Client().generic("PUT", address, b"x", CONTENT_LENGTH="many").status_code == 400


def test_a_file_that_is_too_large_is_refused(address: str, settings: LazySettings) -> None:
    settings.MAX_FILE_BYTES = 1_000_000
    answer = put(address, b"x" * 1_000_001)
    assert (answer.status_code, "at most 1,000,000 bytes" in answer.json()["error"]) == (413, True)


def test_a_full_disk_may_have_room_again(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise storage.StorageFull

    monkeypatch.setattr(storage, "receive", full)
    assert put(address, b"x").status_code == 507


def test_an_upload_for_a_run_that_was_deleted_is_over(address: str, run: Run) -> None:
    run.delete()
    assert put(address, b"x").status_code == 404


def test_bytes_that_are_missing_are_no_fault_of_the_client(address: str, run: Run) -> None:
    put(address, b"x")
    blob = run.files.get().blob
    default_storage.delete(blob.path)
    answer = Client().get(f"/storage/{storage.download_token(blob, 'page.html')}")
    assert answer.status_code == 403
