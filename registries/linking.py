"""Registries, and the links of versions to their collections."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from projects import audit
from projects.models import Organization, Project, Role, User
from registries import curation, labels, protection
from registries.access import memberships_of
from registries.artifacts import HoldsLinks, TypeConflict, add_membership, ensure_collection
from registries.events import LINK_ARTIFACT, UNLINK_ARTIFACT, announce_artifact
from registries.locking import lock_collection, lock_version
from registries.models import Collection, CollectionKind, Membership, Registry, RegistryMember


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
            curation.record(registry, audit.Deed.CREATED, by=by, after=curation.state_of(registry))
    except IntegrityError:
        # Somebody took the name between the look and the write: looking again says so.
        Registry(organization=organization, name=name).full_clean()
        raise
    return registry


def create_collection(registry: Registry, name: str, *, type: str, description: str = "") -> Collection:
    """Make an empty collection in the registry.

    Raises:
        ValidationError: bad or taken name, bad type, or one the registry does not accept.
    """
    collection = Collection(
        registry=registry, name=name, type=type, kind=CollectionKind.PORTFOLIO, description=description
    )
    collection.full_clean(validate_constraints=False)
    curation.require_accepted(registry, type)
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
        sentence = _("There is a collection “%(collection)s” in %(registry)s already. Choose another name.") % {
            "collection": collection.name,
            "registry": collection.registry,
        }
        raise ValidationError({"name": ValidationError(sentence, code="unique")})


def link(
    source: Membership, *, to: Collection, by: User, at: datetime, aliases: Sequence[str] = ()
) -> tuple[Membership, bool]:
    """Link a version to a collection of a registry or of another project, where it gets a number of its own.

    Linking again only adds the aliases. Returns the membership there, and whether it is new.

    Raises:
        ValidationError: the collection is of another organization, its registry does not accept the type, or an
            alias is none.
        TypeConflict: the collection holds another type.
        HoldsLinks: versions are logged in the collection, not linked to it.
        PermissionDenied: an alias is protected.
        Http404: the collection was deleted meanwhile.
    """
    _refuse_misfit(source, to)
    for name in aliases:
        labels.validate_alias(name)
    protection.require_aliases(by, to, aliases)
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


def link_by_name(
    source: Membership,
    *,
    to: Registry | Project,
    name: str,
    by: User,
    at: datetime,
    aliases: Sequence[str] = (),
) -> tuple[Membership, bool]:
    """Link a version to the collection of this name, which is made if there is none yet.

    Raises:
        ValidationError, TypeConflict, HoldsLinks, PermissionDenied, Http404: as `link`.
    """
    home = {"registry": to} if isinstance(to, Registry) else {"project": to}
    with transaction.atomic():
        collection = ensure_collection(name, type=source.collection.type, kind=CollectionKind.PORTFOLIO, **home)
        return link(source, to=collection, by=by, at=at, aliases=aliases)


def _refuse_misfit(source: Membership, to: Collection) -> None:
    if not to.is_linked:
        raise HoldsLinks(to)
    home = source.artifact.collection.project
    assert home is not None  # versions are logged in projects
    # A personal project belongs to no organization: its owner may bring versions into any they may link in.
    if home.team.organization_id not in {None, _organization_of(to)}:
        raise ValidationError(
            _("%(home)s is not of the organization of %(to)s; link within one organization.") % {"home": home, "to": to}
        )
    if to.type != source.collection.type:
        raise TypeConflict(to, source.collection.type)
    if to.registry is not None:
        curation.require_accepted(to.registry, to.type)


def _organization_of(collection: Collection) -> int | None:
    if collection.registry is not None:
        return collection.registry.organization_id
    assert collection.project is not None  # the check constraint says so
    return collection.project.team.organization_id


def unlink(membership: Membership, *, by: User, at: datetime) -> None:
    """Take a linked version out of the collection; where it was logged it stays.

    Raises:
        NotALink: the version was logged here.
        PermissionDenied: it has a protected alias.
        Http404: somebody removed the link meanwhile.
    """
    if not membership.is_link:
        raise NotALink(_("%(membership)s was logged here; only links can be removed.") % {"membership": membership})
    with transaction.atomic():
        membership = lock_version(membership)
        protection.require_aliases(by, membership.collection, membership.alias_names)
        announce_artifact(UNLINK_ARTIFACT, membership, dedupe_key=f"unlink:{membership.pk}", by=by, at=at)
        membership.delete()
