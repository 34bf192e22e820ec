"""Versions with files, uploaded step by step as the wandb client does it, without the client."""

from __future__ import annotations

import base64
import hashlib
import io
import json
from collections.abc import Mapping
from typing import Any

from django.utils import timezone

from projects import storage
from projects.models import Project, User
from registries import artifacts, commits, uploads
from registries.models import Artifact, Membership


def md5_of(content: bytes) -> str:
    """The digest of bytes as the client writes it."""
    return base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()


def manifest_of(files: Mapping[str, bytes], references: Mapping[str, str] | None = None) -> bytes:
    """The list of files as the client writes it."""
    contents: dict[str, Any] = {
        path: {"digest": md5_of(content), "size": len(content)} for path, content in files.items()
    }
    contents |= {path: {"digest": url, "ref": url, "size": 5} for path, url in (references or {}).items()}
    return json.dumps({"version": 1, "storagePolicy": "wandb-storage-policy-v1", "contents": contents}).encode()


def begin(project: Project, *, by: User, digest: str = "", collection: str = "model", **fields: Any) -> Artifact:
    """A version whose files are still to come."""
    return artifacts.begin_version(
        project, collection=collection, type="model", digest=digest, by=by, at=timezone.now(), **fields
    )


def send(token: str, content: bytes) -> None:
    """Upload bytes to the address of a token."""
    storage.receive(token, io.BytesIO(content), length=len(content), at=timezone.now())


def send_files(artifact: Artifact, files: Mapping[str, bytes]) -> dict[str, str]:
    """Upload the files that the server wants; the tokens of their addresses."""
    tokens = uploads.promise_files(artifact, {path: md5_of(content) for path, content in files.items()})
    for path, token in tokens.items():
        send(token, files[path])
    return tokens


def send_manifest(artifact: Artifact, text: bytes, *, base: Artifact | None = None) -> None:
    """Upload the list of files."""
    send(uploads.manifest_token(uploads.promise_manifest(artifact, md5=md5_of(text), base=base)), text)


def log(
    project: Project,
    files: Mapping[str, bytes],
    *,
    by: User,
    references: Mapping[str, str] | None = None,
    base: Artifact | None = None,
    **fields: Any,
) -> Membership:
    """The next version of a collection, with these files."""
    artifact = begin(project, by=by, **fields)
    send_files(artifact, files)
    send_manifest(artifact, manifest_of(files, references), base=base)
    return commits.commit(artifact, by=by, at=timezone.now())
