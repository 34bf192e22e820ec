"""Files of runs: addresses for all that may be asked, lists, deletion."""

from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from django.utils import timezone

from projects import runfiles, storage
from projects.models import Project, Run, RunFile, User
from tests import factories
from wandb_gateway import ids

Graphql = Callable[[User | None], Any]
PLACE = {"entityName": "research", "projectName": "digits", "runName": "first"}
CREATE = """mutation Create($input: CreateRunFilesInput!) {
  createRunFiles(input: $input) { runID uploadHeaders files { name uploadUrl } }
}"""
MARK = "mutation M($input: MarkRunFilesUploadedInput!) { markRunFilesUploaded(input: $input) { success } }"
DELETE = "mutation D($files: [ID!]!) { deleteFiles(input: {files: $files, projectId: 1}) { success } }"
FILES = """query F($names: [String], $pattern: String, $first: Int, $after: String, $upload: Boolean) {
  model(name: "digits", entityName: "research") { bucket(name: "first") { fileCount
    files(names: $names, pattern: $pattern, first: $first, after: $after) {
      edges { node { id name url(upload: $upload) } cursor } pageInfo { endCursor hasNextPage } totalCount } } } }"""


@pytest.fixture
def run(project: Project, bob: User) -> Run:
    return factories.make_run(project, user=bob, run_id="first")


def put(run: Run, *names: str) -> None:
    for name in names:
        storage.receive(runfiles.upload_token(run, name), BytesIO(b"x"), length=1, at=timezone.now())


def listed(graphql: Graphql, user: User, **wanted: Any) -> Any:
    return graphql(user).data(FILES, **wanted)["model"]["bucket"]


def names(found: Any) -> list[str]:
    return [edge["node"]["name"] for edge in found["files"]["edges"]]


def test_each_name_gets_an_address_in_the_order_asked(graphql: Graphql, run: Run, bob: User) -> None:
    asked = ["z.txt", "a.txt", "z.txt", "media/images/x y ü.png"]
    found = graphql(bob).data(CREATE, input=PLACE | {"files": asked})["createRunFiles"]
    assert [file["name"] for file in found["files"]] == asked
    assert all(file["uploadUrl"].startswith("http://testserver/storage/") for file in found["files"])
    assert (ids.number(found["runID"], "Run"), found["uploadHeaders"]) == (run.pk, [])
    assert RunFile.objects.count() == 0


@pytest.mark.parametrize(
    "name", ["", "/etc/passwd", "../x", "a/../../x", "a//b", "./a", "a/.", "a\\b", "x" * 1001, "a\x00b", "\ud800"]
)
def test_a_name_that_leads_elsewhere_is_refused(graphql: Graphql, run: Run, bob: User, name: str) -> None:
    answer = graphql(bob)(CREATE, input=PLACE | {"files": ["good.txt", name]})
    assert answer.status == 400
    assert answer.errors


def test_whether_files_arrived(graphql: Graphql, run: Run, bob: User) -> None:
    put(run, "a", "b")

    def arrived(*files: str) -> bool:
        found: bool = graphql(bob).data(MARK, input=PLACE | {"files": files})["markRunFilesUploaded"]["success"]
        return found

    assert (arrived("a"), arrived("a", "b", "a"), arrived("a", "c")) == (True, True, False)


def test_files_are_listed_by_name_and_pattern_and_page(graphql: Graphql, run: Run, bob: User) -> None:
    put(run, "b.json", "a.json", "media/c.png")
    assert names(listed(graphql, bob)) == ["a.json", "b.json", "media/c.png"]
    assert names(listed(graphql, bob, names=["media/c.png", "other"])) == ["media/c.png"]
    assert names(listed(graphql, bob, pattern="%.json")) == ["a.json", "b.json"]
    assert names(listed(graphql, bob, names=[], pattern=None)) == ["a.json", "b.json", "media/c.png"]
    page = listed(graphql, bob, first=2)
    assert (names(page), page["fileCount"], page["files"]["totalCount"]) == (["a.json", "b.json"], 3, 3)
    assert page["files"]["pageInfo"]["hasNextPage"]
    after = page["files"]["edges"][-1]["cursor"]
    assert names(listed(graphql, bob, first=2, after=after)) == ["media/c.png"]


def test_a_file_is_replaced_under_its_upload_address(graphql: Graphql, run: Run, bob: User) -> None:
    put(run, "a")
    [edge] = listed(graphql, bob, upload=True)["files"]["edges"]
    assert graphql(bob).client.put(edge["node"]["url"], b"new", "text/plain").status_code == 200
    assert run.files.get().blob.size == 3


def test_who_may_only_look_gets_no_address_to_replace_a_file_under(
    graphql: Graphql, run: Run, bob: User, charlie: User
) -> None:
    put(run, "a", "b")
    factories.make_team(viewer=charlie)
    assert graphql(charlie)(FILES, upload=True).status == 403
    assert names(listed(graphql, charlie, upload=False)) == ["a", "b"]


def test_addresses_to_replace_files_take_no_query_for_each(
    graphql: Graphql, run: Run, bob: User, django_assert_max_num_queries: Any
) -> None:
    put(run, *(f"{number}.txt" for number in range(20)))
    with django_assert_max_num_queries(18):
        assert len(listed(graphql, bob, upload=True)["files"]["edges"]) == 20


def test_files_are_deleted_by_who_may_log(graphql: Graphql, run: Run, bob: User, charlie: User) -> None:
    put(run, "a", "b")
    numbers = [edge["node"]["id"] for edge in listed(graphql, bob)["files"]["edges"]]
    assert graphql(charlie).data(DELETE, files=numbers) == {"deleteFiles": {"success": False}}
    factories.make_team(viewer=charlie)
    assert graphql(charlie)(DELETE, files=numbers).status == 403
    assert RunFile.objects.count() == 2
    assert graphql(bob).data(DELETE, files=numbers[:1]) == {"deleteFiles": {"success": True}}
    assert [file.name for file in run.files.all()] == ["b"]


@pytest.mark.parametrize("role", ["stranger", "viewer"])
def test_who_may_not_log_may_not_upload(graphql: Graphql, run: Run, charlie: User, role: str) -> None:
    if role == "viewer":
        factories.make_team(viewer=charlie)
    answer = graphql(charlie)(CREATE, input=PLACE | {"files": ["a"]})
    assert answer.status == (404 if role == "stranger" else 403)
