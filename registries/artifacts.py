"""Logging versions into the collections of a project: at once, or with files that are uploaded before the commit."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils.translation import gettext as _

from projects.jsonvalues import check_size, storable
from projects.models import Project, Run, User
from registries import labels
from registries.access import memberships_of
from registries.events import ADD_ARTIFACT_TAG, CREATE_ARTIFACT, announce_artifact
from registries.locking import lock_collection
from registries.models import Artifact, ArtifactState, Collection, CollectionKind, Membership, Registry


class HoldsLinks(Exception):
    """Versions are linked to the collection, not logged in it; or the other way round."""

    def __init__(self, collection: Collection) -> None:
        sentence = _("The versions of collection %(collection)s are logged, not linked there. Use another collection.")
        if collection.is_linked:
            sentence = _(
                "The versions of collection %(collection)s are linked, not logged there. Use another collection."
            )
        super().__init__(sentence % {"collection": collection})


class TypeConflict(Exception):
    """The collection holds versions of another type."""

    def __init__(self, collection: Collection, wanted: str) -> None:
        super().__init__(
            _("Collection %(collection)s holds artifacts of type %(type)s, not %(wanted)s. Use another collection.")
            % {"collection": collection.name, "type": collection.type, "wanted": wanted}
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
    _refuse_foreign(run, project)
    with transaction.atomic():
        home = ensure_collection(collection, type=type, project=project)
        lock_collection(home.pk)
        artifact = _saved(
            Artifact(
                collection=home,
                digest=digest,
                metadata=fields["metadata"],
                description=description,
                run=run,
                user=by,
                created_at=at,
                commit_hash=new_commit_hash(),
            )
        )
        return publish(artifact, aliases=fields["aliases"], tags=fields["tags"], by=by, at=at)


def begin_version(
    project: Project,
    *,
    collection: str,
    type: str,
    digest: str,
    by: User,
    at: datetime,
    metadata: Mapping[str, Any] | None = None,
    aliases: Sequence[str] = (),
    tags: Sequence[str] = (),
    run: Run | None = None,
    deduplicate: bool = True,
    **more: Any,
) -> Artifact:
    """A version whose files are still to come: nobody sees it before `commits.commit`.

    If the collection has the same content already, that version gets the aliases and tags, and is returned. Beginning
    again with the same `client_id` returns what was begun. `more` are other fields of the model.

    Raises:
        ValidationError, TypeConflict, HoldsLinks, Http404: as `log_version`.
    """
    fields = _cleaned(metadata or {}, aliases, tags)
    _refuse_foreign(run, project)
    wanted = {"aliases": fields["aliases"], "tags": fields["tags"]}
    with transaction.atomic():
        home = ensure_collection(collection, type=type, project=project)
        lock_collection(home.pk)
        same = _same_content(home, digest) if deduplicate else None
        if same is not None:
            _label(same, **wanted, by=by, at=at)
            return same.artifact
        begun = _begun(home, str(more.get("client_id", "")), by=by)
        return begun or _saved(
            Artifact(
                collection=home,
                state=ArtifactState.PENDING,
                digest=digest,
                metadata=fields["metadata"],
                run=run,
                user=by,
                created_at=at,
                labels_at_commit=wanted,
                **more,
            )
        )


def publish(
    artifact: Artifact, *, aliases: Sequence[str], tags: Sequence[str], by: User | None, at: datetime
) -> Membership:
    """Give the version its number, its aliases and its tags, and announce it. The caller has locked the collection."""
    home = artifact.collection
    membership = add_membership(home, artifact, by=by, at=at)
    tagged = labels.place_tags(artifact, tags)
    moved = labels.place_aliases(membership, aliases, at=at)
    membership = memberships_of(home).get(pk=membership.pk)
    announce_artifact(CREATE_ARTIFACT, membership, dedupe_key=f"version:{membership.pk}", by=by, at=at)
    labels.announce_aliases(membership, moved, by=by, at=at)
    labels.announce_tags(ADD_ARTIFACT_TAG, membership, tagged, by=by, at=at)
    return membership


def new_commit_hash() -> str:
    """A name of the version that nobody guesses."""
    return secrets.token_hex(10)


def _label(membership: Membership, *, aliases: Sequence[str], tags: Sequence[str], by: User, at: datetime) -> None:
    labels.tag_version(membership, tags, by=by, at=at)
    for alias in aliases:
        labels.add_alias(membership, alias, by=by, at=at)


def _same_content(home: Collection, digest: str) -> Membership | None:
    if not digest:
        return None
    return memberships_of(home).filter(artifact__collection=home, artifact__digest=digest).first()


def _begun(home: Collection, client_id: str, *, by: User) -> Artifact | None:
    if not client_id:
        return None
    begun = Artifact.objects.filter(collection=home, client_id=client_id, state=ArtifactState.PENDING, user=by)
    return begun.select_related("collection").first()


def _saved(artifact: Artifact) -> Artifact:
    artifact.full_clean(exclude=["collection", "run", "user"])
    artifact.save()
    return artifact


def _refuse_foreign(run: Run | None, project: Project) -> None:
    if run is not None and run.project_id != project.pk:
        raise ValidationError({"run": f"Run {run.run_id} is of another project."})


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
