"""Bytes that scripts upload: streamed to disk while they are measured, kept once a team, gone with their last use.

They live behind Django's storage, so that a bucket takes their place by settings alone. A file in it is written once,
under a name that is never used again: whoever deletes bytes cannot hit those of somebody who uploads the same now.
"""

from __future__ import annotations

import base64
import errno
import hashlib
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from django.conf import settings
from django.core import signing
from django.core.exceptions import ValidationError
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.db import IntegrityError, transaction
from django.db.models import Model, RestrictedError
from django.db.models.signals import post_delete

from projects.models import Blob, RunFile, Team

AT_ONCE = 1024 * 1024
# Clients upload at once and try again for minutes; what people copy out of an answer stays good for a while.
ADDRESS_LASTS = 24 * 60 * 60
# Seconds without another byte after which nobody waits for the rest of an upload.
UNFINISHED_FOR = 24 * 60 * 60
UPLOADS = "projects.storage.uploads"
DOWNLOADS = "projects.storage.downloads"

Subject = Mapping[str, Any]


class FileTooLarge(Exception):
    """The file has more bytes than this server keeps."""

    def __init__(self) -> None:
        super().__init__(f"The file is too large: at most {settings.MAX_FILE_BYTES:,} bytes are kept (MAX_FILE_BYTES).")


class StorageFull(Exception):
    """There is no room for the file, which an operator has to make."""

    def __init__(self) -> None:
        super().__init__("The server's storage is full. Ask its operator to make room; trying again later helps.")


class AddressNotValid(Exception):
    """The address was not given out by this server, or is too old."""

    def __init__(self) -> None:
        super().__init__("This address is not valid, or not any more. Ask for the file again to get a new one.")


class BytesDiffer(ValidationError):
    """What arrived is not what was announced."""


class Stream(Protocol):
    """What bytes are read from."""

    def read(self, size: int = ..., /) -> bytes:
        """The next bytes, none at the end."""


@dataclass(frozen=True, slots=True)
class Purpose:
    """What uploads are for: the team they are kept in, and what is done with them once they are here.

    Both are given the subject of the address, and raise `Http404` if it is gone.
    """

    team: Callable[[Subject], Team]
    attach: Callable[[Subject, Blob, datetime], None]


_purposes: dict[str, Purpose] = {}


def accepts(name: str, purpose: Purpose) -> None:
    """Uploads for this purpose are taken from now on."""
    _purposes[name] = purpose


def upload_token(purpose: str, **subject: Any) -> str:
    """The part of an address under which bytes are taken, for a day, without asking who sends them.

    `md5` in the subject, in base64, is what they must have.
    """
    return signing.dumps({**subject, "purpose": purpose}, salt=UPLOADS, compress=True)


def download_token(blob: Blob, name: str) -> str:
    """The part of an address under which bytes are handed out, for a day, as a file of this name."""
    return signing.dumps({"blob": blob.pk, "name": name}, salt=DOWNLOADS, compress=True)


def announced(token: str) -> Blob:
    """The bytes behind a download address. Its name is in `named`.

    Raises:
        AddressNotValid: or they are gone.
    """
    blob = Blob.objects.filter(pk=_read(token, DOWNLOADS)["blob"]).first()
    if blob is None:
        raise AddressNotValid
    return blob


def named(token: str) -> str:
    """The name of the file behind a download address."""
    return str(_read(token, DOWNLOADS)["name"])


def receive(token: str, stream: Stream, *, length: int, at: datetime) -> Blob:
    """Take bytes for the purpose of an upload address.

    Raises:
        AddressNotValid, FileTooLarge, StorageFull, BytesDiffer: nothing was kept.
        Http404: what they are for is gone.
    """
    subject = _read(token, UPLOADS)
    purpose = _purposes[subject["purpose"]]
    team = purpose.team(subject)
    attach = partial(purpose.attach, subject)
    return keep(stream, length=length, team=team, at=at, md5=subject.get("md5"), attach=attach)


def keep(
    stream: Stream,
    *,
    length: int,
    team: Team,
    at: datetime,
    md5: str | None = None,
    attach: Callable[[Blob, datetime], None] = lambda _blob, _at: None,
) -> Blob:
    """Store bytes for a team, and use them (`attach`) in the same transaction.

    Raises:
        FileTooLarge, StorageFull, BytesDiffer: nothing was kept.
    """
    if length > settings.MAX_FILE_BYTES:
        raise FileTooLarge
    try:
        with TemporaryUploadedFile("upload", "application/octet-stream", length, None) as incoming:
            found = _measured(stream, incoming, length=length, team=team, at=at)
            if md5 is not None and md5 != found.md5:
                raise BytesDiffer(f"The bytes that arrived have the MD5 {found.md5}, not {md5}. Send them again.")
            found.path = default_storage.save(f"{team.pk}/{found.sha256[:2]}/{found.path}", incoming)
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise StorageFull from error
        raise
    return _placed(found, attach, at=at)


def _measured(stream: Stream, incoming: TemporaryUploadedFile, *, length: int, team: Team, at: datetime) -> Blob:
    sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
    size = 0
    while size < length and (piece := stream.read(min(AT_ONCE, length - size))):
        size += len(piece)
        sha256.update(piece)
        md5.update(piece)
        incoming.write(piece)
    if size != length:
        raise BytesDiffer(f"{size:,} of {length:,} bytes arrived. Send the file again.")
    incoming.flush()
    incoming.seek(0)
    digest = sha256.hexdigest()
    return Blob(
        team=team,
        sha256=digest,
        md5=base64.b64encode(md5.digest()).decode(),
        size=size,
        path=f"{digest}-{secrets.token_hex(8)}",
        created_at=at,
    )


def _placed(fresh: Blob, attach: Callable[[Blob, datetime], None], *, at: datetime) -> Blob:
    try:
        with transaction.atomic():
            blob = _held(fresh) or _made(fresh)
            attach(blob, at)
    except BaseException:
        default_storage.delete(fresh.path)
        raise
    if blob.path != fresh.path:
        default_storage.delete(fresh.path)
    return blob


def _held(like: Blob) -> Blob | None:
    """The team's bytes of this digest, which nobody deletes before this transaction ends."""
    return Blob.objects.select_for_update().filter(team=like.team, sha256=like.sha256).first()


def _made(fresh: Blob) -> Blob:
    try:
        with transaction.atomic():
            fresh.save(force_insert=True)
    except IntegrityError:
        # Somebody uploads the same in this moment.
        return Blob.objects.select_for_update().get(team=fresh.team, sha256=fresh.sha256)
    return fresh


def known(team: Team, *, md5: str) -> Blob | None:
    """Bytes the team has already, held until the transaction ends; those of other teams do not count, because a
    digest is no proof that its owner may see them."""
    return Blob.objects.select_for_update().filter(team=team, md5=md5).order_by("pk").first()


def release(number: int) -> None:
    """Delete the bytes of this primary key unless something still uses them; runs in the caller's transaction."""
    with transaction.atomic():
        # Held first: an upload of the same bytes that is under way has then either used them or not found them.
        for blob in Blob.objects.select_for_update().filter(pk=number):
            try:
                with transaction.atomic():
                    blob.delete()
            except RestrictedError:
                continue


def forget_unfinished(*, at: datetime) -> int:
    """Delete what is left of uploads that a killed process never finished; how many there were."""
    cutoff = at.timestamp() - UNFINISHED_FOR
    removed = 0
    for path in Path(settings.FILE_UPLOAD_TEMP_DIR).glob("*.upload*"):
        # Another host, or the upload itself, may remove it at the same time.
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < cutoff:
                path.unlink()
                removed += 1
    return removed


def frees(model: type[Model]) -> None:
    """Deleting a row of this model, which has a `blob`, also deletes bytes that nothing uses any more."""
    post_delete.connect(_release_after, sender=model, dispatch_uid=f"storage.frees.{model._meta.label}")


def _release_after(instance: Any, **_: Any) -> None:
    release(instance.blob_id)


def _remove_bytes(instance: Blob, **_: Any) -> None:
    transaction.on_commit(partial(default_storage.delete, instance.path))


post_delete.connect(_remove_bytes, sender=Blob, dispatch_uid="storage.bytes")
frees(RunFile)


def _read(token: str, salt: str) -> dict[str, Any]:
    try:
        found: dict[str, Any] = signing.loads(token, salt=salt, max_age=ADDRESS_LASTS)
    except signing.BadSignature as error:
        raise AddressNotValid from error
    return found
