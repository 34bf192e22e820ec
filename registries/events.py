"""Facts about artifacts: which scopes they are in, and what conditions see of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from projects.events import Fact, Scopes, announce
from projects.models import User
from registries.models import Collection, Membership

CREATE_ARTIFACT = "CREATE_ARTIFACT"
LINK_ARTIFACT = "LINK_MODEL"
UNLINK_ARTIFACT = "UNLINK_ARTIFACT"
ADD_ARTIFACT_ALIAS = "ADD_ARTIFACT_ALIAS"
ADD_ARTIFACT_TAG = "ADD_ARTIFACT_TAG"
REMOVE_ARTIFACT_TAG = "REMOVE_ARTIFACT_TAG"
ADD_COLLECTION_TAG = "ADD_COLLECTION_TAG"
REMOVE_COLLECTION_TAG = "REMOVE_COLLECTION_TAG"


def announce_artifact(
    kind: str,
    membership: Membership,
    *,
    dedupe_key: str,
    by: User | None,
    at: datetime,
    aliases: list[str] | None = None,
    tags: list[str] | None = None,
    **details: Any,
) -> None:
    """Announce something that happened to a version in a collection.

    `aliases` and `tags` are those conditions are to see: the ones a version was born or linked with, or the one just
    added or removed.
    """
    announce(
        Fact(
            kind=kind,
            occurred_at=at,
            dedupe_key=dedupe_key,
            scopes=scopes_of(membership, kind=kind),
            actor=by,
            run=membership.artifact.run,
            artifact_id=membership.artifact_id,
            facts=artifact_facts(membership, aliases=aliases, tags=tags),
            details={
                "entity": entity_name(membership.collection),
                "project": container_name(membership.collection),
                "collection": membership.collection.name,
                "version": membership.version,
                "version_index": membership.version_index,
                "artifact_id": membership.artifact_id,
                "membership_id": membership.pk,
                **details,
            },
        )
    )


def announce_collection(
    kind: str, collection: Collection, *, tag: str, dedupe_key: str, by: User | None, at: datetime
) -> None:
    """Announce that a tag of a collection as a whole was added or removed. `project` or `registry` must be loaded."""
    announce(
        Fact(
            kind=kind,
            occurred_at=at,
            dedupe_key=dedupe_key,
            scopes=collection_scopes(collection),
            actor=by,
            facts={
                "tag": [tag],
                "collection": collection.name,
                "type": collection.type,
                "user": by.username if by else None,
            },
            details={
                "entity": entity_name(collection),
                "project": container_name(collection),
                "collection": collection.name,
                "tag": tag,
            },
        )
    )


def scopes_of(membership: Membership, *, kind: str) -> Scopes:
    """Everything that contains what happened. A link happens in the registry and in the project the version is of."""
    scopes = collection_scopes(membership.collection)
    source = membership.artifact.collection.project
    if membership.collection.registry is not None and kind in {LINK_ARTIFACT, UNLINK_ARTIFACT} and source is not None:
        return replace(scopes, team=source.team_id, project=source.pk)
    return scopes


def collection_scopes(collection: Collection) -> Scopes:
    """Everything that contains what happened to a collection, or in it."""
    if collection.project is not None:
        team = collection.project.team
        return Scopes(
            organization=team.organization_id,
            team=team.pk,
            project=collection.project_id,
            collection=collection.pk,
        )
    assert collection.registry is not None  # the check constraint says so
    return Scopes(
        organization=collection.registry.organization_id, registry=collection.registry_id, collection=collection.pk
    )


def artifact_facts(
    membership: Membership, *, aliases: list[str] | None = None, tags: list[str] | None = None
) -> dict[str, Any]:
    """The version as conditions see it: the documented artifact fields of the condition language."""
    artifact = membership.artifact
    return {
        "alias": aliases if aliases is not None else membership.alias_names,
        "tag": tags if tags is not None else sorted(tag.name for tag in artifact.tags.all()),
        "collection": membership.collection.name,
        "type": membership.collection.type,
        "version": membership.version,
        "metadata": artifact.metadata,
        "user": artifact.user.username if artifact.user else None,
    }


def entity_name(collection: Collection) -> str:
    """The team, or for a registry the organization, that owns the collection."""
    if collection.project is not None:
        return collection.project.team.name
    assert collection.registry is not None  # the check constraint says so
    return collection.registry.organization.name


def container_name(collection: Collection) -> str:
    """The project or registry the collection is in."""
    return (collection.project or collection.registry).name  # type: ignore[union-attr]  # one of both is set
