"""Registries, and the links of versions to their collections."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from projects.models import Organization, Role, User
from registries import labels
from registries.access import memberships_of
from registries.artifacts import TypeConflict, add_membership
from registries.events import LINK_ARTIFACT, UNLINK_ARTIFACT, announce_artifact
from registries.locking import lock_collection, lock_version
from registries.models import Collection, Membership, Registry, RegistryMember


class NotALink(Exception):
    """The version was logged in this collection, not linked to it."""


def create_registry(organization: Organization, name: str, *, by: User, description: str = "") -> Registry:
    """Make a registry; whoever makes it is its admin.

    Raises:
        ValidationError: bad or taken name.
    """
    registry = Registry(organization=organization, name=name, description=description)
    registry.full_clean()
    try:
        with transaction.atomic():
            registry.save()
            RegistryMember.objects.create(registry=registry, user=by, role=Role.ADMIN)
    except IntegrityError:
        # Somebody took the name between the look and the write: looking again says so.
        Registry(organization=organization, name=name).full_clean()
        raise
    return registry


def create_collection(registry: Registry, name: str, *, type: str, description: str = "") -> Collection:
    """Make an empty collection in the registry.

    Raises:
        ValidationError: bad or taken name, bad type.
    """
    collection = Collection(registry=registry, name=name, type=type, description=description)
    collection.full_clean(validate_constraints=False)
    _refuse_taken(collection)
    try:
        with transaction.atomic():
            collection.save()
    except IntegrityError:
        # Somebody took the name between the look and the write.
        _refuse_taken(collection)
        raise
    return collection


def _refuse_taken(collection: Collection) -> None:
    if Collection.objects.filter(registry=collection.registry, name=collection.name).exists():
        sentence = f"There is a collection “{collection.name}” in {collection.registry} already. Choose another name."
        raise ValidationError({"name": ValidationError(sentence, code="unique")})


def link(
    source: Membership, *, to: Collection, by: User, at: datetime, aliases: Sequence[str] = ()
) -> tuple[Membership, bool]:
    """Link a version to a registry's collection, where it gets a number of its own.

    Linking again only adds the aliases. Returns the membership there, and whether it is new.

    Raises:
        ValidationError: the collection is not a registry's, is of another organization, or an alias is none.
        TypeConflict: the collection holds another type.
        Http404: the collection was deleted meanwhile.
    """
    if to.registry is None:
        raise ValidationError("Versions are linked to collections of a registry, not of a project.")
    home = source.artifact.collection.project
    # A personal project belongs to no organization: its owner may bring versions into any they may link in.
    if home is not None and home.team.organization_id not in {None, to.registry.organization_id}:
        raise ValidationError(f"{home} is not of the organization {to.registry.organization}; link within it.")
    if to.type != source.collection.type:
        raise TypeConflict(to, source.collection.type)
    for name in aliases:
        labels.validate_alias(name)
    with transaction.atomic():
        # One writer a collection at a time: linking twice at once makes one link.
        lock_collection(to.pk)
        existing = Membership.objects.filter(collection=to, artifact=source.artifact_id).first()
        membership = existing or add_membership(to, source.artifact, by=by, at=at)
        moved = labels.place_aliases(membership, list(dict.fromkeys(aliases)), at=at)
        membership = memberships_of(to).get(pk=membership.pk)
        if existing is None:
            announce_artifact(
                LINK_ARTIFACT,
                membership,
                dedupe_key=f"link:{membership.pk}",
                by=by,
                at=at,
                source=f"{source.collection.name}:{source.version}",
            )
        labels.announce_aliases(membership, moved, by=by, at=at)
    return membership, existing is None


def unlink(membership: Membership, *, by: User, at: datetime) -> None:
    """Take a linked version out of the registry's collection; where it was logged it stays.

    Raises:
        NotALink: the version was logged here.
        Http404: somebody removed the link meanwhile.
    """
    if not membership.is_link:
        raise NotALink(f"{membership} was logged here; only links can be removed.")
    with transaction.atomic():
        membership = lock_version(membership)
        announce_artifact(UNLINK_ARTIFACT, membership, dedupe_key=f"unlink:{membership.pk}", by=by, at=at)
        membership.delete()
