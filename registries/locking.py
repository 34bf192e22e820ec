"""One writer a collection at a time: whoever changes versions or aliases of a collection locks its row first."""

from __future__ import annotations

from django.http import Http404
from django.utils.translation import gettext as _

from registries.access import memberships_of
from registries.models import Collection, Membership


def lock_collection(pk: int) -> Collection:
    """Hold the collection until the caller's transaction ends; before anything else of it is read or written.

    Raises:
        Http404: it was deleted meanwhile.
    """
    # FOR NO KEY UPDATE: the rows that point at a collection hold its key, and plain FOR UPDATE would wait for them
    # while they wait for it.
    found = Collection.objects.select_for_update(no_key=True).filter(pk=pk).first()
    if found is None:
        raise Http404(_("The collection was deleted meanwhile."))
    return found


def lock_version(membership: Membership) -> Membership:
    """Hold the version's collection, and read the version as it is now.

    Raises:
        Http404: it is not in the collection any more.
    """
    name = str(membership)
    found = memberships_of(lock_collection(membership.collection_id)).filter(pk=membership.pk).first()
    if found is None:
        raise Http404(_("%(name)s is gone: somebody removed it meanwhile.") % {"name": name})
    return found
