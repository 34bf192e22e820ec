"""Files of runs: where to upload them, what there is, deleting them."""

from __future__ import annotations

import mimetypes
from typing import Any

from ariadne import MutationType, ObjectType
from graphql import GraphQLResolveInfo

from projects import access, runfiles
from projects.access import Permission
from projects.models import Run, RunFile
from wandb_gateway import ids
from wandb_gateway.connections import connection
from wandb_gateway.files import address, download_address
from wandb_gateway.likeness import like

run = ObjectType("Run")
mutation = MutationType()


def _run_named(info: GraphQLResolveInfo, input: dict[str, Any]) -> Run:
    path = {"team": input["entityName"], "project": input["projectName"], "run_id": input["runName"]}
    return access.run_to_log_to(info.context.user, **path)


@mutation.field("createRunFiles")
def create_run_files(_root: None, info: GraphQLResolveInfo, input: dict[str, Any]) -> dict[str, Any]:
    """Addresses to upload to, one for each name in the order asked; the files exist once they are uploaded."""
    found = _run_named(info, input)
    request = info.context.request
    files = [
        {"name": name, "uploadUrl": address(request, runfiles.upload_token(found, name))} for name in input["files"]
    ]
    return {"runID": ids.encode("Run", found.pk), "uploadHeaders": [], "files": files}


@mutation.field("markRunFilesUploaded")
def mark_run_files_uploaded(_root: None, info: GraphQLResolveInfo, input: dict[str, Any]) -> dict[str, bool]:
    """The uploads themselves came here: whether all of these files did."""
    names = set(input["files"])
    return {"success": runfiles.of(_run_named(info, input), names=names).count() == len(names)}


@mutation.field("deleteFiles")
def delete_files(_root: None, info: GraphQLResolveInfo, input: dict[str, Any]) -> dict[str, bool]:
    numbers = [ids.number(text, "File") for text in input["files"]]
    files = RunFile.objects.filter(pk__in=numbers, run__in=Run.objects.visible_to(info.context.user))
    for team in {file.run.project.team for file in files.select_related("run__project__team")}:
        access.require(info.context.user, Permission.LOG, team)
    return {"success": runfiles.delete(files) > 0}


@run.field("fileCount")
def file_count(found: Run, _info: GraphQLResolveInfo) -> int:
    return runfiles.of(found).count()


@run.field("files")
def files_of(
    found: Run,
    info: GraphQLResolveInfo,
    *,
    names: list[str] | None = None,
    pattern: str | None = None,
    first: int | None = None,
    after: str | None = None,
) -> dict[str, Any]:
    files = runfiles.of(found, names=names or ())
    if pattern:
        fits = like(pattern)
        every = files.values_list("pk", "name")
        files = files.filter(pk__in=[number for number, name in every if fits(name)])
    return connection(files, first=first, after=after, node=lambda file: _shown(file, found, info))


def _shown(file: RunFile, found: Run, info: GraphQLResolveInfo) -> dict[str, Any]:
    request = info.context.request
    url = download_address(request, file.blob, file.name)

    def url_for(_info: GraphQLResolveInfo, upload: bool = False) -> str:  # noqa: FBT001, FBT002  # called by the schema
        if not upload:
            return url
        _require_to_log(found, info)
        return address(request, runfiles.upload_token(found, file.name))

    return {
        "__typename": "File",
        "id": ids.encode("File", file.pk),
        "name": file.name,
        "displayName": file.name,
        "url": url_for,
        "directUrl": url,
        "uploadHeaders": [],
        "sizeBytes": file.blob.size,
        "mimetype": mimetypes.guess_type(file.name)[0] or "application/octet-stream",
        "updatedAt": file.updated_at,
        "digest": file.blob.md5,
        "md5": file.blob.md5,
    }


def _require_to_log(found: Run, info: GraphQLResolveInfo) -> None:
    """An address to upload to is a permission: only who may log gets one. Looked up once for all files of a list.

    Raises:
        PermissionDenied: the user may only look.
    """
    team = found.project.team
    allowed: set[int] = info.context.memory.setdefault("teams logged to", set())
    if team.pk not in allowed:
        access.require(info.context.user, Permission.LOG, team)
        allowed.add(team.pk)


BINDABLES = (run, mutation)
