"""What an event is about: its name for people, and the page that shows it while it exists."""

from __future__ import annotations

from django.utils.translation import gettext as _

from automations.models import Event
from projects.models import RunState
from registries.events import UNLINK_ARTIFACT
from registries.models import Membership


def name_of(event: Event) -> str:
    """`baseline`, `digits:v3`, `digits:production`, or the name of a collection."""
    details = event.details
    if "version" in details:
        return f"{details['collection']}:{details.get('alias') or details['version']}"
    if "collection" in details:
        return str(details["collection"])
    return str(event.facts.get("display_name") or (event.run.display_name if event.run else _("a deleted run")))


def state_of(event: Event) -> str:
    """The state its run entered, in words; "" if it is about nothing of the kind."""
    state = event.details.get("state", "")
    return str(RunState(state).label).lower() if state in RunState.values else str(state)


def kind_of(event: Event) -> str:
    """“Run”, “Version” or “Collection”."""
    if "version" in event.details:
        return _("Version")
    return _("Collection") if "collection" in event.details else _("Run")


def address_of(event: Event) -> str:
    """The path of its page, "" if that is gone."""
    if "collection" not in event.details:
        return event.run.get_absolute_url() if event.run else ""
    if event.collection is None:
        return ""
    if "version" not in event.details:
        return event.collection.get_absolute_url()
    if event.artifact_id is None or event.kind == UNLINK_ARTIFACT:
        return ""
    # Where the version is in this collection; the membership itself need not be read for its address.
    there = Membership(collection=event.collection, version_index=event.details["version_index"])
    return there.get_absolute_url()
