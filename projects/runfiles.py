"""Files that belong to a run: uploaded by its script, listed, downloaded, deleted."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from functools import partial
from itertools import islice

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404

from projects import storage
from projects.jsonvalues import storable
from projects.models import Blob, Run, RunFile, Team

PURPOSE = "run-file"
LONGEST_NAME = 1000
PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".webp")
LARGEST_PICTURE = 10_000_000
PICTURES_SHOWN = 48


def check_name(name: str) -> None:
    """Refuse a name that is no path inside the run, wherever it may be written to later.

    Raises:
        ValidationError: with a sentence.
    """
    storable(name)
    parts = name.split("/")
    if len(name) > LONGEST_NAME or "\\" in name or any(part in {"", ".", ".."} for part in parts):
        raise ValidationError(
            f"“{name[:80]}” is no name of a file: use a path inside the run, such as media/plot.html,"
            f" of at most {LONGEST_NAME:,} characters."
        )


def upload_token(run: Run, name: str) -> str:
    """The part of an address under which a file of the run is taken; see `storage.upload_token`.

    Raises:
        ValidationError: the name is none.
    """
    check_name(name)
    return storage.upload_token(PURPOSE, run=run.pk, name=name)


def of(run: Run, *, names: Collection[str] = ()) -> QuerySet[RunFile]:
    """The run's files, by name; all of them, or those of these names."""
    files = RunFile.objects.filter(run=run).select_related("blob").order_by("name")
    return files.filter(name__in=names) if names else files


def pictures(files: Iterable[RunFile]) -> list[RunFile]:
    """Those among the files that a page may show as pictures. Their bytes are attachments like all others, of which a
    browser draws what it takes for one of these formats; an SVG, which may hold a script, is none."""
    drawn = (file for file in files if file.name.lower().endswith(PICTURES) and file.blob.size <= LARGEST_PICTURE)
    return list(islice(drawn, PICTURES_SHOWN))


def delete(files: QuerySet[RunFile]) -> int:
    """Delete files; the number of those there were."""
    with transaction.atomic():
        return files.delete()[1].get(RunFile._meta.label, 0)


def _team_of(subject: storage.Subject) -> Team:
    run = Run.objects.select_related("project__team").filter(pk=subject["run"]).first()
    if run is None:
        raise Http404("The run this file belongs to was deleted.")
    return run.project.team


def _attach(subject: storage.Subject, blob: Blob, at: datetime) -> None:
    """A file of that name that was there is replaced."""
    run = Run.objects.select_for_update().filter(pk=subject["run"]).first()
    if run is None:
        raise Http404("The run this file belongs to was deleted.")
    before = RunFile.objects.filter(run=run, name=subject["name"]).first()
    if before is None:
        RunFile.objects.create(run=run, name=subject["name"], blob=blob, updated_at=at)
        return
    replaced, before.blob, before.updated_at = before.blob_id, blob, at
    before.save(update_fields=["blob", "updated_at"])
    if replaced != blob.pk:
        # Afterwards: who uploads what is replaced here holds it, and waits for the run.
        transaction.on_commit(partial(storage.release, replaced))


storage.accepts(PURPOSE, storage.Purpose(team=_team_of, attach=_attach))
