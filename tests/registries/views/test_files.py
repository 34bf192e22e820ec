"""Files of a version on its page, and lineage on pages of versions and runs."""

from datetime import UTC, datetime

import pytest
from django.test import Client
from django.urls import reverse

from projects.models import Project, User
from registries import lineage
from registries.models import Membership, Registry
from tests import factories, uploading

AT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def version(project: Project, bob: User) -> Membership:
    """A version with files and a reference."""
    files = {"sub/weights.bin": b"0101", "page.html": b"<script>alert(1)</script>"}
    return uploading.log(project, files, by=bob, references={"data": "s3://bucket/<data>"})


def test_a_version_lists_its_files_and_what_it_refers_to(version: Membership, bob: User, client: Client) -> None:
    client.force_login(bob)
    page = client.get(version.get_absolute_url()).content.decode()
    assert reverse("registries:version_files", args=[version.pk]) in page

    part = client.get(reverse("registries:version_files", args=[version.pk])).content.decode()
    assert reverse("registries:version_file", args=[version.pk, "sub/weights.bin"]) in part
    assert "s3://bucket/&lt;data&gt;" in part
    assert "Page 1" not in part


def test_many_files_come_in_pages(project: Project, bob: User, client: Client) -> None:
    version = uploading.log(project, {f"{number:03}": b"x" for number in range(60)}, by=bob)
    client.force_login(bob)
    first = client.get(reverse("registries:version_files", args=[version.pk])).content.decode()
    last = client.get(reverse("registries:version_files", args=[version.pk]), {"page": 2}).content.decode()
    assert ("000" in first, "059" in first, "Next" in first) == (True, False, True)
    assert ("059" in last, "Previous" in last) == (True, True)


def test_a_file_may_have_any_name_a_script_gives_it(project: Project, bob: User, client: Client) -> None:
    version = uploading.log(project, {"two\nlines": b"x"}, by=bob)
    client.force_login(bob)
    part = client.get(reverse("registries:version_files", args=[version.pk])).content.decode()
    address = reverse("registries:version_file", args=[version.pk, "two\nlines"])
    assert address in part
    assert client.get(address).getvalue() == b"x"


def test_a_file_is_kept_never_run(version: Membership, bob: User, charlie: User, client: Client) -> None:
    address = reverse("registries:version_file", args=[version.pk, "page.html"])
    client.force_login(bob)
    answer = client.get(address)
    assert b"".join(answer.streaming_content) == b"<script>alert(1)</script>"
    assert answer["Content-Disposition"] == 'attachment; filename="page.html"'
    for path in ("data", "nothing"):
        assert client.get(reverse("registries:version_file", args=[version.pk, path])).status_code == 404

    client.force_login(charlie)
    assert client.get(address).status_code == 404
    assert client.get(reverse("registries:version_files", args=[version.pk])).status_code == 404


def test_who_sees_a_link_has_its_files(
    version: Membership, registry: Registry, bob: User, charlie: User, client: Client
) -> None:
    factories.make_organization("acme", member=charlie)
    link = factories.make_link(version, factories.make_collection(registry), user=bob)
    client.force_login(charlie)
    answer = client.get(reverse("registries:version_file", args=[link.pk, "sub/weights.bin"]))
    assert b"".join(answer.streaming_content) == b"0101"


def test_pages_show_what_used_what(project: Project, version: Membership, bob: User, client: Client) -> None:
    run = factories.make_run(project, user=bob, display_name="the reader")
    lineage.use(version.artifact, run=run, at=AT)
    own = factories.make_run(
        factories.make_project(factories.make_user("dana").personal_team), display_name="the secret one"
    )
    lineage.use(version.artifact, run=own, at=AT)
    client.force_login(bob)

    page = client.get(version.get_absolute_url()).content.decode()
    part = client.get(reverse("registries:run_artifacts", args=[run.pk])).content.decode()

    assert ("the reader" in page, "the secret one" in page) == (True, False)
    assert "Used by this run" in part
    assert version.get_absolute_url() in part
