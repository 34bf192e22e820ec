"""Changing and deleting collections, of logged and of linked versions alike."""

from __future__ import annotations

from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from projects.models import User
from registries.artifacts import HoldsLinks
from registries.locking import lock_collection
from registries.models import Collection, Membership
from registries.versions import lock_memberships, take_out


class LinkedElsewhere(Exception):
    """Links hold versions of one type: the type of what they link to cannot change."""


def update(collection: Collection, *, name: str | None = None, description: str | None = None) -> Collection:
    """Change what is given.

    Raises:
        ValidationError: bad or taken name.
    """
    if description is not None:
        collection.description = description
    if name is not None:
        collection.name = name
    collection.clean_fields(exclude=["project", "registry"])
    try:
        with transaction.atomic():
            collection.save(update_fields=["name", "description", "updated_at"])
    except IntegrityError as error:
        sentence = _("There is a collection “%(collection)s” in %(registry)s already. Choose another name.") % {
            "collection": name,
            "registry": collection.registry or collection.project,
        }
        raise ValidationError({"name": ValidationError(sentence, code="unique")}) from error
    return collection


def move(collection: Collection, *, to_type: str) -> Collection:
    """Make the collection's versions be of another type.

    Raises:
        ValidationError: bad type.
        HoldsLinks: what is linked to the collection has the type of where it was logged.
        LinkedElsewhere: a version of it is linked somewhere as what it was.
    """
    if collection.is_linked:
        raise HoldsLinks(collection)
    with transaction.atomic():
        locked = lock_collection(collection.pk)
        locked.type = to_type
        locked.clean_fields(exclude=["project", "registry"])
        links = Membership.objects.filter(artifact__collection=locked).exclude(collection=locked)
        if links.exists():
            raise LinkedElsewhere(
                _("Versions of %(collection)s are linked elsewhere as %(type)s; unlink them first.")
                % {"collection": collection, "type": collection.type}
            )
        locked.save(update_fields=["type", "updated_at"])
    collection.type = to_type
    return collection


def delete(collection: Collection, *, by: User, at: datetime) -> None:
    """Delete the collection. Versions logged in it go wherever they are linked; linked ones stay where they are from.

    Raises:
        PermissionDenied: a version of it has a protected alias.
        Http404: somebody deleted it meanwhile.
    """
    places = Q(collection=collection) | Q(artifact__collection=collection)
    with transaction.atomic():
        take_out(lock_memberships(Membership.objects.filter(places), also=collection), by=by, at=at)
        collection.delete()
