"""Facts about artifacts: which scopes they are in, and what conditions see of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from projects.events import Fact, Scopes, announce
from projects.models import User
from registries.models import Membership

CREATE_ARTIFACT = "CREATE_ARTIFACT"
LINK_ARTIFACT = "LINK_MODEL"
UNLINK_ARTIFACT = "UNLINK_ARTIFACT"
ADD_ARTIFACT_ALIAS = "ADD_ARTIFACT_ALIAS"


def announce_artifact(
    kind: str,
    membership: Membership,
    *,
    dedupe_key: str,
    by: User | None,
    at: datetime,
    aliases: list[str] | None = None,
    **details: Any,
) -> None:
    """Announce something that happened to a version in a collection.

    `aliases` are those conditions are to see: the ones a version was born or linked with, or the one just added.
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
            facts=artifact_facts(membership, aliases=aliases),
            details={
                "entity": entity_name(membership),
                "project": container_name(membership),
                "collection": membership.collection.name,
                "version": membership.version,
                "version_index": membership.version_index,
                "artifact_id": membership.artifact_id,
                "membership_id": membership.pk,
                **details,
            },
        )
    )


def scopes_of(membership: Membership, *, kind: str) -> Scopes:
    """Everything that contains what happened. A link happens in the registry and in the project the version is of."""
    collection = membership.collection
    if collection.project is not None:
        team = collection.project.team
        return Scopes(
            organization=team.organization_id,
            team=team.pk,
            project=collection.project_id,
            collection=collection.pk,
        )
    assert collection.registry is not None  # the check constraint says so
    source = membership.artifact.collection.project
    of_source = kind in {LINK_ARTIFACT, UNLINK_ARTIFACT} and source is not None
    return Scopes(
        organization=collection.registry.organization_id,
        team=source.team_id if of_source and source else None,
        project=source.pk if of_source and source else None,
        registry=collection.registry_id,
        collection=collection.pk,
    )


def artifact_facts(membership: Membership, *, aliases: list[str] | None = None) -> dict[str, Any]:
    """The version as conditions see it: the documented artifact fields of the condition language."""
    artifact = membership.artifact
    return {
        "alias": aliases if aliases is not None else membership.alias_names,
        "tag": sorted(tag.name for tag in artifact.tags.all()),
        "collection": membership.collection.name,
        "type": membership.collection.type,
        "version": membership.version,
        "metadata": artifact.metadata,
        "user": artifact.user.username if artifact.user else None,
    }


def entity_name(membership: Membership) -> str:
    """The team, or for a registry the organization, that owns the collection."""
    collection = membership.collection
    if collection.project is not None:
        return collection.project.team.name
    assert collection.registry is not None  # the check constraint says so
    return collection.registry.organization.name


def container_name(membership: Membership) -> str:
    """The project or registry the collection is in."""
    collection = membership.collection
    return (collection.project or collection.registry).name  # type: ignore[union-attr]  # one of both is set
