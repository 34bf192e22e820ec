"""Versions, and the collections they are in: named as the client does, and read once for a whole list.

What a version shows of itself depends on where who asks may look: its aliases in every collection they see, and where
it was logged if they see that.
"""

from __future__ import annotations

from django.core.exceptions import BadRequest
from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet, prefetch_related_objects
from django.http import Http404

from projects.models import User
from registries import access
from registries.models import Alias, Artifact, ArtifactState, Collection, Membership, Registry
from wandb_gateway import homes, ids
from wandb_gateway.homes import Home

PLACES = "seen_places"
LATEST = "latest"


def with_places(artifacts: QuerySet[Artifact], user: User) -> QuerySet[Artifact]:
    """The same versions with all that the client reads of each."""
    return artifacts.select_related(
        "collection__project__team__organization", "user", "run__project__team__organization"
    ).prefetch_related("tags", _places("memberships", user))


def memberships_with_places(memberships: QuerySet[Membership], user: User) -> QuerySet[Membership]:
    """The same memberships with all that the client reads of each."""
    return access.with_facts(memberships).prefetch_related(_places("artifact__memberships", user))


def places_of(artifact: Artifact, user: User) -> list[Membership]:
    """Every collection the version is in, as far as the user may see, the one it was logged in first."""
    if not hasattr(artifact, PLACES):
        prefetch_related_objects([artifact], _places("memberships", user))
    places: list[Membership] = getattr(artifact, PLACES)
    return places


def source_of(artifact: Artifact, user: User) -> Membership | None:
    """The version where it was logged; None if the user may not see that."""
    return next((one for one in places_of(artifact, user) if one.collection_id == artifact.collection_id), None)


def shows_source(artifact: Artifact, user: User) -> bool:
    """Whether the user may know where the version was logged; whoever is logging it does."""
    return artifact.state == ArtifactState.PENDING or source_of(artifact, user) is not None


def collection_shown(artifact: Artifact, user: User) -> Collection | None:
    """The collection the user knows the version from: where it was logged, or else where it is linked first of those
    they may see. None if it is nowhere any more."""
    if shows_source(artifact, user):
        return artifact.collection
    return next((one.collection for one in places_of(artifact, user)), None)


def aliases_of(membership: Membership, user: User) -> list[Alias]:
    """The aliases the version has in the collection, the automatic one among them."""
    seen = next((one for one in places_of(membership.artifact, user) if one.pk == membership.pk), None)
    if seen is None:
        return []
    newest = [Alias(name=LATEST, membership=seen, collection=seen.collection)] if seen.is_newest else []  # type: ignore[attr-defined]  # annotated
    return newest + [_of(alias, seen) for alias in seen.aliases.all()]


def home_of(collection: Collection) -> Home:
    """The project or registry the collection is in."""
    home = collection.project or collection.registry
    assert home is not None  # the check constraint says so
    return home


def collections_in(home: Home) -> QuerySet[Collection]:
    """The collections of a project or registry, with all that the client reads of each."""
    of_home = Q(registry=home) if isinstance(home, Registry) else Q(project=home)
    return with_homes(Collection.objects.filter(of_home))


def with_homes(collections: QuerySet[Collection]) -> QuerySet[Collection]:
    """The same collections with all that the client reads of each."""
    return collections.select_related("project__team__organization", "registry__organization").prefetch_related("tags")


def collection_named(home: Home, name: str) -> Collection:
    """The collection of this name in the project or registry.

    Raises:
        Http404: there is none.
    """
    found = None if "\x00" in name else collections_in(home).filter(name=name).first()
    if found is None:
        raise Http404(f"There is no collection “{name}” in {home}.")
    return found


def collection_numbered(user: User, id: str) -> Collection:
    """The collection with this id.

    Raises:
        UnknownId, Http404: there is none the user may see.
    """
    number = ids.number(id, "ArtifactCollection")
    found = with_homes(Collection.objects.visible_to(user)).filter(pk=number).first()
    if found is None:
        raise Http404("There is no such collection.")
    return found


def collection_to_label(user: User, id: str) -> Collection:
    """The collection with this id, for somebody who may change it.

    Raises:
        UnknownId, Http404: there is none the user may see.
        PermissionDenied: the user may only look.
    """
    found = collection_numbered(user, id)
    access.require_labels(user, found)
    return found


def membership_named(home: Home, name: str) -> Membership:
    """The version that `collection:alias` names; without an alias, the latest.

    Raises:
        Http404: there is none.
    """
    collection, _, version = name.partition(":")
    if "\x00" in name:
        raise Http404("There is no such version.")
    return access.version_for(collection_named(home, collection), version or LATEST)


def artifact_numbered(user: User, id: str) -> Artifact:
    """The version with this id, wherever the user sees it.

    Raises:
        UnknownId, Http404: there is none the user may see.
    """
    number = ids.number(id, "Artifact")
    found = with_places(Artifact.objects.visible_to(user), user).filter(pk=number).first()
    if found is None:
        raise Http404("There is no such version.")
    return found


def source_to_change(user: User, id: str) -> Membership:
    """The version with this id where it was logged, for somebody who may change it there.

    Raises:
        UnknownId, Http404: there is none the user may see.
        PermissionDenied: the user may only look.
    """
    artifact = artifact_numbered(user, id)
    source = source_of(artifact, user)
    if source is None:
        raise Http404("You may not see the project this version was logged in, and so not change it.")
    access.require_labels(user, source.collection)
    return access.version_for(source.collection, source.version)


def place_in(user: User, artifact_id: str, *, entity: str, project: str, collection: str) -> Membership:
    """A version in one of its collections, for somebody who may change its aliases there.

    Raises:
        UnknownId, Http404: there is none the user may see.
        PermissionDenied: the user may only look.
    """
    home = collection_named(homes.named(user, entity, project), collection)
    found = access.memberships_of(home).filter(artifact=ids.number(artifact_id, "Artifact")).first()
    if found is None:
        raise Http404(f"This version is not in {home}.")
    access.require_labels(user, home)
    return found


def given(name: str | None, what: str) -> str:
    """What an input must have.

    Raises:
        BadRequest: it has not.
    """
    if not name:
        raise BadRequest(f"{what} is missing.")
    return name


def _places(path: str, user: User) -> Prefetch:
    newer = Membership.objects.filter(collection=OuterRef("collection"), version_index__gt=OuterRef("version_index"))
    seen = (
        Membership.objects.filter(collection__in=Collection.objects.visible_to(user))
        .select_related("collection__project__team__organization", "collection__registry__organization")
        .prefetch_related("aliases")
        .annotate(is_newest=~Exists(newer))
        .order_by("pk")
    )
    return Prefetch(path, seen, to_attr=PLACES)


def _of(alias: Alias, seen: Membership) -> Alias:
    alias.collection = seen.collection
    return alias
