"""Where a team's secrets are used (SE3): by which integrations, as what, and through them by which automations."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from automations.access import SCOPES
from automations.models import Automation, SlackChannel, SlackWorkspace, Webhook
from automations.unsealing import SECRET_REFERENCE
from projects.access import Permission, may
from projects.models import Team, User
from secrets_vault.models import Secret


@dataclass(frozen=True, slots=True)
class AutomationUse:
    """An automation that sends with a secret; `in_payload` says that its payload template names it as well."""

    automation: Automation
    in_payload: bool


@dataclass(slots=True)
class Use:
    """An integration that uses a secret: `ways` are what it is there, such as “signing secret”."""

    kind: str
    name: str
    ways: list[str] = field(default_factory=list)
    automations: list[AutomationUse] = field(default_factory=list)

    @property
    def sentence(self) -> str:
        """The integration, what the secret is there, and how many automations use it."""
        count = len(self.automations)
        told = {"kind": self.kind, "name": self.name, "ways": ", ".join(self.ways), "count": count}
        if not count:
            return _("%(kind)s %(name)s (%(ways)s), used by no automation") % told
        return (
            ngettext(
                "%(kind)s %(name)s (%(ways)s), used by %(count)s automation",
                "%(kind)s %(name)s (%(ways)s), used by %(count)s automations",
                count,
            )
            % told
        )


def uses_of(secret: Secret, *, reader: User) -> list[Use]:
    """The uses of one secret."""
    return uses_in(secret.team, secrets=[secret], reader=reader).get(secret.pk, [])


def uses_in(team: Team, *, secrets: Iterable[Secret], reader: User) -> dict[int, list[Use]]:
    """The uses of secrets of the team, by primary key: integrations in the order of their names."""
    wanted = {secret.pk: secret.name for secret in secrets}
    found: dict[int, list[Use]] = defaultdict(list)
    automations = _automations_of(team, reader)
    for webhook in Webhook.objects.filter(team=team).prefetch_related("headers").order_by("name"):
        for pk, ways in _ways(webhook).items():
            if pk in wanted:
                names = {"ACCESS_TOKEN"} if pk == webhook.access_token_id else set()
                names |= {wanted[pk]} if pk == webhook.secret_id else set()
                users = [AutomationUse(one, _names_any(one, names)) for one in automations["webhook", webhook.pk]]
                found[pk].append(Use(_("webhook"), webhook.name, ways, users))
    for channel in SlackChannel.objects.filter(team=team).order_by("channel"):
        if channel.credential_id in wanted:
            users = [AutomationUse(one, in_payload=False) for one in automations["slack_channel", channel.pk]]
            way = channel.get_kind_display().lower()
            found[channel.credential_id].append(Use(_("Slack channel"), str(channel), [way], users))
    for workspace in SlackWorkspace.objects.filter(team=team).order_by("name"):
        if workspace.credential_id in wanted:
            found[workspace.credential_id].append(Use(_("Slack workspace"), str(workspace), [_("bot token")]))
    return found


def _ways(webhook: Webhook) -> dict[int, list[str]]:
    ways: dict[int, list[str]] = defaultdict(list)
    if webhook.access_token_id:
        ways[webhook.access_token_id].append(_("access token"))
    if webhook.secret_id:
        ways[webhook.secret_id].append(_("signing secret"))
    for header in webhook.headers.all():
        if header.secret_id:
            ways[header.secret_id].append(_("header %(name)s") % {"name": header.name})
    return ways


def _automations_of(team: Team, reader: User) -> dict[tuple[str, int], list[Automation]]:
    """The automations that use the team's integrations, of whatever team: its admins are to know them (AC3), others
    know those that they may see (AZ1)."""
    known = may(reader, Permission.EDIT_SETTINGS, team)
    rows = Automation.objects.all() if known else Automation.objects.visible_to(reader)
    rows = rows.select_related(*SCOPES).order_by("name", "pk")
    by_target: dict[tuple[str, int], list[Automation]] = defaultdict(list)
    for automation in rows.filter(webhook__team=team):
        by_target["webhook", automation.webhook_id or 0].append(automation)
    for automation in rows.filter(slack_channel__team=team):
        by_target["slack_channel", automation.slack_channel_id or 0].append(automation)
    return by_target


def _names_any(automation: Automation, names: set[str]) -> bool:
    return bool(names & set(SECRET_REFERENCE.findall(automation.payload)))
