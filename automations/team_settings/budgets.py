"""The section of a team's settings that says which limits hold for it, and how much of them is used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from automations import digests, limits
from automations.models import Allowance, Automation, SlackChannel
from projects.templatetags.interface import duration

if TYPE_CHECKING:
    from projects.models import Team, User


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit of the server, and the setting by which its operator changes it."""

    name: str
    value: str
    about: str
    setting: str


@dataclass(frozen=True, slots=True)
class Budget:
    """How many messages a channel may take in an hour, and how many it was given in the last one."""

    channel: SlackChannel
    spent: int


def context_of(team: Team, channels: Sequence[SlackChannel], *, viewer: User, at: datetime) -> dict[str, Any]:
    """What the section shows, in two queries."""
    spent = digests.spent_by(team, at=at) if any(channel.hourly_budget for channel in channels) else {}
    return {
        "limits": of_server(),
        "budgets": [Budget(channel, spent.get(channel.pk, 0)) for channel in channels],
        "busiest": busiest(team, viewer=viewer, at=at),
        "hourly_rate": settings.RATE_LIMIT_PER_HOUR,
    }


def busiest(team: Team, *, viewer: User, at: datetime) -> Allowance | None:
    """The team's automation that used the most of what it may fire within an hour."""
    automations = Automation.objects.visible_to(viewer).filter(team=team)
    under_way = Allowance.objects.filter(automation__in=automations, hour_began_at__gt=at - limits.HOUR)
    return under_way.select_related("automation").order_by("-in_hour", "automation__name").first()


def of_server() -> list[Limit]:
    """The limits that hold for every team."""
    a_minute, an_hour = settings.RATE_LIMIT_PER_MINUTE, settings.RATE_LIMIT_PER_HOUR
    return [
        Limit(
            _("How often an automation of a team, a registry or an organization fires"),
            _("%(minute)s a minute, %(hour)s an hour") % {"minute": f"{a_minute:,}", "hour": f"{an_hour:,}"},
            _("What is over that is in the history as Skipped."),
            "RATE_LIMIT_PER_MINUTE, RATE_LIMIT_PER_HOUR",
        ),
        Limit(
            _("How long executions and events are kept"),
            _days(settings.HISTORY_RETENTION_DAYS),
            "",
            "HISTORY_RETENTION_DAYS",
        ),
        Limit(_("How long the audit log is kept"), _days(settings.AUDIT_RETENTION_DAYS), "", "AUDIT_RETENTION_DAYS"),
        Limit(
            _("How long a webhook may take"),
            _("%(connect)s to connect, %(total)s in all")
            % {
                "connect": duration(settings.WEBHOOK_CONNECT_TIMEOUT),
                "total": duration(settings.WEBHOOK_TOTAL_TIMEOUT),
            },
            _("Then it is tried again."),
            "WEBHOOK_CONNECT_TIMEOUT, WEBHOOK_TOTAL_TIMEOUT",
        ),
        Limit(
            _("When a silent run counts as crashed"),
            _("after %(time)s") % {"time": duration(settings.CRASHED_AFTER)},
            "",
            "CRASHED_AFTER",
        ),
        Limit(_("The largest request"), _size(settings.MAX_BODY_BYTES), "", "MAX_BODY_BYTES"),
        Limit(_("The largest file"), _size(settings.MAX_FILE_BYTES), "", "MAX_FILE_BYTES"),
    ]


def _days(days: int) -> str:
    if not days:
        return _("for ever")
    return ngettext("%(count)d day", "%(count)d days", days) % {"count": days}


def _size(count: int) -> str:
    """Bytes in the units of the setting, which counts in thousands."""
    unit, size = ("GB", 10**9) if count >= 10**9 else ("MB", 10**6)
    return f"{round(count / size, 1):g} {unit}"
