"""How much a Slack channel takes: its noise budget and its quiet hours, and who spends the budget."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count, Q
from django.http import Http404
from django.utils.translation import gettext as _

from automations import auditing, digests
from automations.models import Automation, Execution, SlackChannel, Status
from automations.quiethours import DAYS
from projects.access import Permission, require
from projects.audit import Deed

if TYPE_CHECKING:
    from projects.models import User

MOST_AN_HOUR = 10_000
FIELDS = ("hourly_budget", "quiet_from", "quiet_until", "quiet_zone", "quiet_days", "errors_pass_quiet_hours")


@dataclass(frozen=True, slots=True)
class Limits:
    """What somebody asks for, not checked yet. No budget is no limit; without times there are no quiet hours."""

    hourly_budget: int | None = None
    quiet_from: time | None = None
    quiet_until: time | None = None
    quiet_zone: str = ""
    quiet_days: Sequence[int] = ()
    errors_pass_quiet_hours: bool = True


@dataclass(frozen=True, slots=True)
class Spender:
    """How many of the channel's messages were an automation's, alone or as a line of a digest; `automation` is None
    where it was deleted or is none of the reader's business."""

    automation: Automation | None
    last_hour: int
    last_day: int
    in_digests: int


def set_limits(channel: SlackChannel, limits: Limits, *, by: User, at: datetime) -> SlackChannel:
    """Save how much the channel takes. What waits is looked at again at once.

    Raises:
        ValidationError: by field.
        Http404, PermissionDenied: the user may not; or it was deleted meanwhile.
    """
    require(by, Permission.EDIT_SETTINGS, channel.team)
    _check(limits)
    with transaction.atomic():
        held = SlackChannel.objects.select_for_update(of=("self",)).filter(pk=channel.pk).first()
        if held is None:
            raise Http404(_("There is no Slack channel %(channel)s any more.") % {"channel": channel})
        if limits.hourly_budget is not None and held.hourly_budget is None:
            digests.remember(held, at=at)
        quiet = limits.quiet_from is not None
        saved = {
            "hourly_budget": limits.hourly_budget,
            "quiet_from": limits.quiet_from,
            "quiet_until": limits.quiet_until,
            "quiet_zone": limits.quiet_zone if quiet else "",
            "quiet_days": "".join(map(str, sorted(set(limits.quiet_days)))) if quiet else "",
            "errors_pass_quiet_hours": limits.errors_pass_quiet_hours,
        }
        before = auditing.of_limits(held)
        SlackChannel.objects.filter(pk=held.pk).update(**saved)
        for name, value in saved.items():
            setattr(channel, name, value)
        after = auditing.of_limits(channel)
        auditing.record_slack_channel(channel, Deed.CHANGED, by=by, before=before, after=after)
        digests.reconsider(held, at=at)
    return channel


def limits_of(channel: SlackChannel) -> Limits:
    """How much it takes now."""
    return Limits(**{name: getattr(channel, name) for name in FIELDS} | {"quiet_days": days_of(channel)})


def days_of(channel: SlackChannel) -> list[int]:
    """The days on which its quiet hours begin, 0 for Monday."""
    return [int(day) for day in channel.quiet_days]


def spenders(channel: SlackChannel, *, reader: User, at: datetime) -> list[Spender]:
    """Whose messages the channel was given within a day, the most first."""
    hour, day = at - timedelta(hours=1), at - timedelta(days=1)
    posted = Execution.objects.filter(slack_channel=channel, status=Status.FINISHED, shadow=False, finished_at__gt=day)
    counted = (
        posted.order_by()
        .values("automation")
        .annotate(
            last_day=Count("pk"),
            last_hour=Count("pk", filter=Q(finished_at__gt=hour)),
            in_digests=Count("pk", filter=Q(digest__isnull=False)),
        )
        .order_by("-last_day", "automation")
    )
    rows = list(counted)
    known = Automation.objects.visible_to(reader).in_bulk([row["automation"] for row in rows])
    return [Spender(known.get(row["automation"]), row["last_hour"], row["last_day"], row["in_digests"]) for row in rows]


def _check(limits: Limits) -> None:
    problems: dict[str, str] = {}
    if limits.hourly_budget is not None and not 1 <= limits.hourly_budget <= MOST_AN_HOUR:
        problems["hourly_budget"] = _(
            "Choose from 1 to %(most_an_hour)s messages an hour, or nothing for no limit."
        ) % {"most_an_hour": f"{MOST_AN_HOUR:,}"}
    if (limits.quiet_from is None) is not (limits.quiet_until is None):
        missing = "quiet_from" if limits.quiet_from is None else "quiet_until"
        problems[missing] = _("Quiet hours have a beginning and an end; leave both empty for none.")
    elif limits.quiet_from is not None:
        problems |= _quiet_problems(limits)
    if problems:
        raise ValidationError(problems)


def _quiet_problems(limits: Limits) -> dict[str, str]:
    problems: dict[str, str] = {}
    if limits.quiet_zone not in available_timezones():
        problems["quiet_zone"] = _("“%(quiet_zone)s” is no time zone. Choose one such as Europe/Berlin.") % {
            "quiet_zone": limits.quiet_zone
        }
    if not limits.quiet_days:
        problems["quiet_days"] = _("Choose on which days they begin.")
    elif not set(limits.quiet_days) <= set(range(len(DAYS))):
        problems["quiet_days"] = _("Days are 0 for Monday to 6 for Sunday.")
    elif limits.quiet_from == limits.quiet_until and len(set(limits.quiet_days)) == len(DAYS):
        problems["quiet_days"] = _("All day, every day: nothing would ever be sent. Leave out a day.")
    return problems


def zone_names() -> list[str]:
    """Time zones one may choose, as their names are sorted."""
    return sorted(name for name in available_timezones() if "/" in name or name == "UTC")
