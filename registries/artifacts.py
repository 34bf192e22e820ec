"""Logging versions into the collections of a project."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F

from projects.jsonvalues import check_size, storable
from projects.models import Project, Run, User
from registries import labels
from registries.access import memberships_of
from registries.events import CREATE_ARTIFACT, announce_artifact
from registries.locking import lock_collection
from registries.models import Artifact, Collection, CollectionKind, Membership, Registry


class HoldsLinks(Exception):
    """Versions are linked to the collection, not logged in it; or the other way round."""

    def __init__(self, collection: Collection) -> None:
        what = "linked, not logged" if collection.is_linked else "logged, not linked"
        super().__init__(f"The versions of collection {collection} are {what} there. Use another collection.")


class TypeConflict(Exception):
    """The collection holds versions of another type."""

    def __init__(self, collection: Collection, wanted: str) -> None:
        super().__init__(
            f"Collection {collection.name} holds artifacts of type {collection.type}, not {wanted}."
            " Use another collection."
        )


def log_version(
    project: Project,
    *,
    collection: str,
    type: str,
    by: User,
    at: datetime,
    metadata: Mapping[str, Any] | None = None,
    aliases: Sequence[str] = (),
    tags: Sequence[str] = (),
    description: str = "",
    digest: str = "",
    run: Run | None = None,
) -> Membership:
    """Add the next version to a collection of the project, which is made if there is none yet.

    Raises:
        ValidationError: by field.
        TypeConflict: the collection is of another type.
        HoldsLinks: versions are linked to the collection, not logged in it.
        Http404: the collection was deleted meanwhile.
    """
    fields = _cleaned(metadata or {}, aliases, tags)
    if run is not None and run.project_id != project.pk:
        raise ValidationError({"run": f"Run {run.run_id} is of another project."})
    with transaction.atomic():
        home = ensure_collection(collection, type=type, project=project)
        lock_collection(home.pk)
        artifact = Artifact(
            collection=home,
            digest=digest,
            metadata=fields["metadata"],
            description=description,
            run=run,
            user=by,
            created_at=at,
        )
        artifact.full_clean(exclude=["collection", "run", "user"])
        artifact.save()
        membership = add_membership(home, artifact, by=by, at=at)
        labels.tag_version(artifact, fields["tags"])
        moved = labels.place_aliases(membership, fields["aliases"], at=at)
        membership = memberships_of(home).get(pk=membership.pk)
        announce_artifact(CREATE_ARTIFACT, membership, dedupe_key=f"version:{membership.pk}", by=by, at=at)
        labels.announce_aliases(membership, moved, by=by, at=at)
    return membership


def ensure_collection(
    name: str,
    *,
    type: str,
    project: Project | None = None,
    registry: Registry | None = None,
    kind: CollectionKind = CollectionKind.SEQUENCE,
) -> Collection:
    """The collection of this name, type and kind, made if there is none yet.

    Raises:
        ValidationError: bad name or type.
        TypeConflict: there is one of another type.
        HoldsLinks: there is one of the other kind.
    """
    home = {"project": project} if project is not None else {"registry": registry}
    found = Collection.objects.filter(**home, name=name).first()
    if found is None:
        fresh = Collection(**home, name=name, type=type, kind=kind)
        fresh.full_clean(exclude=["project", "registry"], validate_unique=False, validate_constraints=False)
        try:
            with transaction.atomic():
                fresh.save()
        except IntegrityError:
            # Another process made it between the look and the insert.
            found = Collection.objects.get(**home, name=name)
        else:
            return fresh
    if found.kind != kind:
        raise HoldsLinks(found)
    if found.type != type:
        raise TypeConflict(found, type)
    return found


def add_membership(collection: Collection, artifact: Artifact, *, by: User | None, at: datetime) -> Membership:
    """Give the artifact the collection's next version number. Runs in the caller's transaction."""
    # The UPDATE holds the collection's row until the transaction ends: numbers have neither gaps nor doubles.
    Collection.objects.filter(pk=collection.pk).update(next_index=F("next_index") + 1)
    index = Collection.objects.values_list("next_index", flat=True).get(pk=collection.pk) - 1
    return Membership.objects.create(
        collection=collection, artifact=artifact, version_index=index, user=by, created_at=at
    )


def _cleaned(metadata: Mapping[str, Any], aliases: Sequence[str], tags: Sequence[str]) -> dict[str, Any]:
    problems: dict[str, Any] = {}
    cleaned: dict[str, Any] = {"aliases": [], "tags": [], "metadata": {}}
    for field, names, validate in (
        ("aliases", aliases, labels.validate_alias),
        ("tags", tags, labels.validate_tag),
    ):
        try:
            for name in names:
                validate(name)
            cleaned[field] = list(dict.fromkeys(names))
        except ValidationError as error:
            problems[field] = error.messages
    try:
        cleaned["metadata"] = storable(dict(metadata))
        check_size(cleaned["metadata"])
    except ValidationError as error:
        problems["metadata"] = error.messages
    if problems:
        raise ValidationError(problems)
    return cleaned
