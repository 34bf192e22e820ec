"""Doing what a plan says, in one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from automations import editing
from automations.ascode.planning import Deed, Plan, PlannedChange, plan

if TYPE_CHECKING:
    from projects.models import User


def apply(text: str, *, by: User, prune: bool = False) -> Plan:
    """Make the automations what the text says, all of them or none, and say what was changed.

    Raises:
        UnreadableText: it is no YAML.
        ValidationError: by path; everything that is wrong with it. NameTaken, if somebody else was faster.
        Http404, PermissionDenied: the user may not; or an automation was deleted meanwhile.
    """
    with transaction.atomic():
        made = plan(text, by=by, prune=prune)
        for change in made.changes:
            _do(change, by=by)
    return made


def _do(change: PlannedChange, *, by: User) -> None:
    if change.deed is Deed.DELETE and change.automation is not None:
        editing.delete(change.automation, by=by)
    elif change.automation is not None and change.draft is not None:
        editing.update(change.automation, change.draft, by=by)
    elif change.draft is not None:
        change.automation = editing.create(change.draft, scope=change.scope, by=by)
