"""The audit log (AZ2): who changed which setting when, and what it was before and after.

Domain functions call `record` in the transaction of their change, so that there is never one without the other. What
may be written down of a thing is an allow-list: names and settings, never the value of a secret.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.db.models import QuerySet
from django.http import Http404
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from projects.access import Permission, require, role_in_organization
from projects.models import AuditRecord, Organization, Role, Team, User

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise as StrPromise

# So many characters of a text are kept: a log is read, and what an automation says exactly is in its versions.
LONGEST_TEXT = 300
PURGED_AT_ONCE = 1_000
# Fields with names like this hold times.
MOMENTS = ("_until", "_at")
READ_AT_ONCE = 1_000
COLUMNS = ("at", "actor", "place", "deed", "kind", "object", "before", "after")


class Deed(StrEnum):
    """What was done to a thing, as a participle: “alice rotated secret TOKEN”."""

    CREATED = "created"
    CHANGED = "changed"
    DELETED = "deleted"
    ENABLED = "enabled"
    DISABLED = "disabled"
    MADE_LIVE = "made live"
    REHEARSED = "put into shadow mode"
    REARMED = "re-armed"
    RESTORED = "restored"
    RESUMED = "resumed"
    SNOOZED = "snoozed"
    WOKEN = "ended the snooze of"
    PROBED = "had tried at once"
    BREAKER_CLOSED = "closed the breaker of"
    ROTATED = "rotated"
    ENDED = "ended the old value of"
    REVOKED = "revoked"
    ADDED = "added"
    REMOVED = "removed"
    ACCEPTED = "accepted"
    CLOSED = "closed"
    ASKED = "asked for"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of thing whose changes are recorded, and what of it may be written down."""

    name: str
    fields: frozenset[str]


KINDS: dict[str, Kind] = {}


def kind(name: str, *fields: str) -> Kind:
    """Make a kind known; the application whose things these are does so once."""
    made = Kind(name, frozenset(fields))
    KINDS[name] = made
    return made


MEMBER = kind("member", "role")
ORGANIZATION_MEMBER = kind("organization member", "role")
TEAM = kind("team", "name", "organization", "members_edit_automations", "language")
ORGANIZATION = kind("organization", "name")
PROJECT = kind("project", "name")
API_KEY = kind("API key", "name", "holder")
SERVICE_ACCOUNT = kind("service account", "role")
INVITATION = kind("invitation", "role", "invited_by")
ADMIN_PAGE = kind("admin page", "change")


class NotForTheLog(Exception):
    """A field that is not on the allow-list of its kind was about to be written down."""

    def __init__(self, what: Kind, fields: set[str]) -> None:
        super().__init__(f"{', '.join(sorted(fields))} of a {what.name} may not be in the audit log.")


def record(
    what: Kind,
    deed: Deed,
    *,
    name: str,
    pk: int | None,
    by: User | None,
    team: Team | None = None,
    organization: Organization | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Write down what was done. Of `before` and `after`, what differs is kept; a change of nothing is none.

    Raises:
        NotForTheLog: a field is not on the allow-list.
        TransactionManagementError: outside of a transaction the record could be there without the change.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("An audit record belongs into the transaction of its change.")
    was, now = dict(before or {}), dict(after or {})
    if foreign := (was.keys() | now.keys()) - what.fields:
        raise NotForTheLog(what, foreign)
    differing = {field for field in was.keys() | now.keys() if was.get(field) != now.get(field)}
    if deed is Deed.CHANGED and not differing:
        return
    place = team or organization
    AuditRecord.objects.create(
        actor=by,
        actor_name=by.username if by else "",
        team=team,
        organization=team.organization if team else organization,
        place=place.name if place else "",
        kind=what.name,
        deed=deed,
        object_name=name[:LONGEST_TEXT],
        object_id=pk,
        before=_readable(was, differing),
        after=_readable(now, differing),
    )


def _readable(fields: dict[str, Any], differing: set[str]) -> dict[str, Any]:
    """What differs, in JSON, long texts cut."""
    return {name: _short(value) for name, value in fields.items() if name in differing}


def _short(value: Any) -> Any:
    if isinstance(value, str):
        return value if len(value) <= LONGEST_TEXT else value[:LONGEST_TEXT] + "…"
    return value if value is None or isinstance(value, bool | int | float | list) else str(value)


def of_team(team: Team, *, reader: User) -> QuerySet[AuditRecord]:
    """What was changed in the team, newest first: for its admins.

    Raises:
        Http404, PermissionDenied: the reader may not.
    """
    require(reader, Permission.EDIT_SETTINGS, team)
    return AuditRecord.objects.filter(team=team)


def of_organization(name: str, *, reader: User) -> tuple[Organization, QuerySet[AuditRecord]]:
    """What was changed in the organization and in all of its teams, newest first: for its admins.

    Raises:
        Http404, PermissionDenied: the reader may not see it, or is none of its admins.
    """
    found = Organization.objects.visible_to(reader).filter(name=name).first()
    if found is None:
        raise Http404(_("There is no organization “%(name)s”.") % {"name": name})
    if role_in_organization(reader, found) is not Role.ADMIN:
        raise PermissionDenied(
            _("Only admins of the organization %(organization)s may read its audit log.") % {"organization": found}
        )
    return found, AuditRecord.objects.filter(organization=found)


def as_rows(records: QuerySet[AuditRecord]) -> Iterator[list[str]]:
    """The records for a file, newest first, by `COLUMNS`; read some at a time."""
    rest = records.order_by("-pk")
    while some := list(rest[:READ_AT_ONCE]):
        yield from map(_as_row, some)
        rest = rest.filter(pk__lt=some[-1].pk)


def _as_row(record: AuditRecord) -> list[str]:
    told = [record.actor_name, record.place, record.deed, record.kind, record.object_name]
    states = [json.dumps(state, ensure_ascii=False) if state else "" for state in (record.before, record.after)]
    return [record.at.isoformat(), *told, *states]


def forget_old(*, before: datetime) -> int:
    """Delete records from before this time, in batches that hold nobody up; how many there were."""
    count = 0
    while True:
        oldest = list(
            AuditRecord.objects.filter(at__lt=before).order_by("at").values_list("pk", flat=True)[:PURGED_AT_ONCE]
        )
        if not oldest:
            return count
        AuditRecord.objects.filter(pk__in=oldest).delete()
        count += len(oldest)


@dataclass(frozen=True, slots=True)
class Wording:
    """How a field is told where its name and “yes” or “no” would not do."""

    label: StrPromise
    yes: StrPromise
    no: StrPromise


# Applications add what their fields mean.
WORDINGS: dict[str, Wording] = {}


@dataclass(frozen=True, slots=True)
class Difference:
    """What a record says of one field, in words; None where it was or is not."""

    field: str
    before: str | None
    after: str | None


def differences(record: AuditRecord) -> list[Difference]:
    """What a record says, field by field."""
    fields = [*record.after, *(name for name in record.before if name not in record.after)]
    return [
        Difference(
            field=str(WORDINGS[name].label) if name in WORDINGS else _(name.replace("_", " ")),
            before=_in_words(name, record.before[name]) if name in record.before else None,
            after=_in_words(name, record.after[name]) if name in record.after else None,
        )
        for name in fields
    ]


def _in_words(field: str, value: Any) -> str:
    if value is None or value in ("", []):
        return _("none")
    if isinstance(value, bool):
        wording = WORDINGS.get(field)
        yes, no = (wording.yes, wording.no) if wording else (_("yes"), _("no"))
        return str(yes if value else no)
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return _moment(value) if field.endswith(MOMENTS) else str(value)


def _moment(value: Any) -> str:
    """A time as pages show times, in their zone."""
    try:
        at = parse_datetime(str(value))
    except ValueError:
        at = None
    return f"{timezone.localtime(at):%Y-%m-%d %H:%M %Z}" if at is not None and timezone.is_aware(at) else str(value)
