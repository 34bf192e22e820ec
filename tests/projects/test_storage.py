"""Bytes: measured on their way, kept once a team, gone with their last use."""

import errno
from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
import time_machine
from django.conf import LazySettings
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.db import transaction
from django.http import Http404
from django.utils import timezone

from projects import runfiles, runs, storage
from projects.models import Blob, Run, RunFile, Team
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)
NOW = timezone.now()


@pytest.fixture(autouse=True)
def files_of_this_test(settings: LazySettings, tmp_path: Path) -> Iterator[None]:
    incoming = tmp_path / "incoming"
    incoming.mkdir()
    settings.FILE_UPLOAD_TEMP_DIR = str(incoming)
    default = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path)}}
    settings.STORAGES = settings.STORAGES | {"default": default}
    yield
    assert list(incoming.iterdir()) == [], "an upload left something behind"


@pytest.fixture
def run() -> Run:
    return factories.make_run()


def upload(run: Run, content: bytes, name: str = "model.bin") -> Blob:
    token = runfiles.upload_token(run, name)
    return storage.receive(token, BytesIO(content), length=len(content), at=timezone.now())


def kept() -> list[str]:
    """Names of all bytes in the storage."""
    root = Path(default_storage.path(""))
    return [str(path.relative_to(root)) for path in root.rglob("*-*") if path.is_file()]


def test_bytes_are_kept_as_they_came_with_their_digests(run: Run) -> None:
    blob = upload(run, b"hello")
    with default_storage.open(blob.path) as content:
        assert content.read() == b"hello"
    assert blob.md5 == "XUFAKrxLKna5cZ2REBfFkg=="
    assert blob.sha256.startswith("2cf24dba")
    assert [(file.name, file.blob) for file in runfiles.of(run)] == [("model.bin", blob)]
    assert oct(Path(default_storage.path(blob.path)).stat().st_mode & 0o777) == "0o600"


def test_the_same_bytes_are_kept_once_a_team_and_never_shared_between_teams(run: Run) -> None:
    other = factories.make_run(factories.make_project(factories.make_team("other"), "p"))
    first = upload(run, b"same", "a")
    assert upload(run, b"same", "b") == first
    assert upload(other, b"same") != first
    assert len(kept()) == Blob.objects.count() == 2

    team: Team = run.project.team
    with transaction.atomic():
        assert storage.known(team, md5=first.md5) == first
        assert storage.known(factories.make_team("third"), md5=first.md5) is None


def test_bytes_go_with_their_last_use(run: Run) -> None:
    upload(run, b"same", "a")
    upload(run, b"same", "b")
    runfiles.delete(runfiles.of(run, names=["a"]))
    assert len(kept()) == 1
    runfiles.delete(runfiles.of(run))
    assert (kept(), Blob.objects.count()) == ([], 0)


def test_a_file_that_is_uploaded_again_is_replaced(run: Run) -> None:
    upload(run, b"old")
    new = upload(run, b"new")
    assert [file.blob for file in runfiles.of(run)] == [new]
    assert kept() == [new.path]


def test_what_is_replaced_is_let_go_only_once_the_run_is(run: Run) -> None:
    """Whoever uploads the same bytes again holds them while waiting for the run: to want both is a deadlock."""
    upload(run, b"old")
    with transaction.atomic():
        new = upload(run, b"new")
        assert Blob.objects.count() == 2
    assert (list(Blob.objects.all()), kept()) == ([new], [new.path])


@pytest.mark.parametrize("what", ["run", "project", "team"])
def test_whoever_deletes_a_run_or_what_it_is_in_deletes_its_bytes(run: Run, what: str) -> None:
    upload(run, b"one", "a")
    upload(run, b"one", "b")
    upload(run, b"two", "c")
    if what == "run":
        runs.delete(run)
    else:
        {"project": run.project, "team": run.project.team}[what].delete()
    assert (kept(), Blob.objects.count(), RunFile.objects.count()) == ([], 0, 0)


def test_what_arrives_in_part_is_not_kept(run: Run) -> None:
    token = runfiles.upload_token(run, "a")
    with pytest.raises(storage.BytesDiffer, match="3 of 10 bytes arrived"):
        storage.receive(token, BytesIO(b"abc"), length=10, at=NOW)
    assert (kept(), RunFile.objects.count()) == ([], 0)


def test_bytes_other_than_announced_are_not_kept(run: Run) -> None:
    token = storage.upload_token(runfiles.PURPOSE, run=run.pk, name="a", md5="XUFAKrxLKna5cZ2REBfFkg==")
    with pytest.raises(storage.BytesDiffer, match="not XUFAKrxLKna5cZ2REBfFkg=="):
        storage.receive(token, BytesIO(b"hallo"), length=5, at=NOW)
    assert kept() == []
    assert storage.receive(token, BytesIO(b"hello"), length=5, at=NOW).size == 5


def test_a_file_over_the_limit_is_refused_before_it_is_read(run: Run, settings: LazySettings) -> None:
    settings.MAX_FILE_BYTES = 1_000_000
    stream = BytesIO(b"x" * 1_000_001)
    with pytest.raises(storage.FileTooLarge, match="at most 1,000,000 bytes"):
        storage.receive(runfiles.upload_token(run, "a"), stream, length=1_000_001, at=NOW)
    assert stream.tell() == 0


def test_a_full_disk_is_said_so(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(TemporaryUploadedFile, "write", full, raising=False)
    with pytest.raises(storage.StorageFull, match="storage is full"):
        upload(run, b"hello")


@pytest.mark.parametrize("token", ["", "nonsense", "eyJydW4iOjF9:1xWNCK:WmgLwxcAmzz0Lhood9cHZVlLg8EDQ_n3em34pmBQ--A"])
def test_only_addresses_given_out_here_are_good(run: Run, token: str) -> None:
    with pytest.raises(storage.AddressNotValid):
        storage.receive(token, BytesIO(b""), length=0, at=NOW)
    with pytest.raises(storage.AddressNotValid):
        storage.announced(token)
    with pytest.raises(storage.AddressNotValid):
        storage.announced(runfiles.upload_token(run, "a"))


def test_addresses_become_too_old(run: Run) -> None:
    token = runfiles.upload_token(run, "a")
    blob = upload(run, b"x")
    download = storage.download_token(blob, "a")
    assert (storage.announced(download), storage.named(download)) == (blob, "a")
    with (
        time_machine.travel(timezone.now() + timedelta(days=1, minutes=1), tick=False),
        pytest.raises(storage.AddressNotValid),
    ):
        storage.receive(token, BytesIO(b"x"), length=1, at=NOW)


def test_what_an_upload_is_for_may_be_gone(run: Run) -> None:
    token = runfiles.upload_token(run, "a")
    run.delete()
    with pytest.raises(Http404, match="deleted"):
        storage.receive(token, BytesIO(b"x"), length=1, at=NOW)
    assert kept() == []


def test_what_killed_processes_left_is_removed_after_a_day(settings: LazySettings) -> None:
    left = Path(settings.FILE_UPLOAD_TEMP_DIR) / "abc.upload"
    left.write_text("half")
    assert storage.forget_unfinished(at=timezone.now()) == 0
    assert storage.forget_unfinished(at=timezone.now() + timedelta(days=2)) == 1
    assert not left.exists()
