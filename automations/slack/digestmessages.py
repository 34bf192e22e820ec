"""A digest as a Slack message: how much was held back and why, by severity and by automation, and where to read it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from django.utils import timezone
from django.utils.translation import gettext as _

from automations.documents import absolute
from automations.models import Digest, Execution, HeldFor, Severity, Status
from automations.slack.messages import Message

MOST_LINES = 20
# The most urgent first.
BY_URGENCY = (Severity.ERROR, Severity.WARN, Severity.INFO)


def message_of(carrier: Execution) -> Message | None:
    """The message of the digest that an execution carries; None if it carries none, or is all there is of it: then its
    own message says more."""
    if carrier.digest_id is None:
        return None
    digest = Digest.objects.select_related("channel").get(pk=carrier.digest_id)
    rows = Execution.objects.filter(digest=digest).exclude(status=Status.SKIPPED)
    held = list(rows.order_by("pk").values_list("rule__name", "rule__severity", "created_at"))
    if len(held) < 2:
        return None
    severities = Counter(str(severity or Severity.INFO) for _name, severity, _at in held)
    worst = next(severity for severity in BY_URGENCY if severities[severity])
    return Message(
        severity=worst.value,
        title=_("%(count)s messages in one") % {"count": f"{len(held):,}"},
        happened=_("%(why)s These came between %(first)s and %(last)s.")
        % {"why": _why(digest), "first": _clock(held[0][2]), "last": _clock(held[-1][2])},
        facts={severity.value: f"{severities[severity]:,}" for severity in BY_URGENCY if severities[severity]},
        text=_lines([(name, str(severity or Severity.INFO)) for name, severity, _at in held]),
        links={_("Open all %(count)s") % {"count": f"{len(held):,}"}: absolute(digest.get_absolute_url())},
    )


def _why(digest: Digest) -> str:
    channel = digest.channel
    if digest.reason == HeldFor.QUIET_HOURS:
        return _("The channel had quiet hours.")
    budget = channel.hourly_budget if channel else None
    if not budget:
        return _("The channel had its messages.")
    return _("The channel takes at most %(budget)s messages an hour.") % {"budget": f"{budget:,}"}


def _lines(held: Sequence[tuple[str, str]]) -> str:
    """`Tell us: 12 (3 ERROR, 9 INFO)`, the most first."""
    by_name: dict[str, Counter[str]] = {}
    for name, severity in held:
        by_name.setdefault(name, Counter())[severity] += 1
    most = sorted(by_name.items(), key=lambda item: (-item[1].total(), item[0]))
    lines = [f"• {name}: {_counted(severities)}" for name, severities in most[:MOST_LINES]]
    if len(most) > MOST_LINES:
        rest = sum(severities.total() for _name, severities in most[MOST_LINES:])
        told = {"others": f"{len(most) - MOST_LINES:,}", "count": f"{rest:,}"}
        lines.append(_("• %(others)s other automations: %(count)s") % told)
    return "\n".join(lines)


def _counted(severities: Counter[str]) -> str:
    parts = [f"{severities[severity]:,} {severity.value}" for severity in BY_URGENCY if severities[severity]]
    return f"{severities.total():,} ({', '.join(parts)})" if len(parts) > 1 else parts[0]


def _clock(moment: object) -> str:
    return f"{timezone.localtime(moment):%Y-%m-%d %H:%M}"  # type: ignore[arg-type]  # of a values_list
