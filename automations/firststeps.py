"""How a new team begins: from a script that logs to a first delivery that arrived. Each step looks at what is there."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from django.conf import settings
from django.urls import reverse

from automations.access import may_edit
from automations.models import ActionKind, Automation, EventType, SlackChannel, Webhook
from automations.models.automation import TARGETS
from projects import listing
from projects.access import Permission, may
from projects.models import Project, Role, Run, Team, User

if TYPE_CHECKING:
    from collections.abc import Sequence

NAME_OF_WEBHOOK = "alerts"
NAME_OF_AUTOMATION = "Run finished or failed"


@dataclass(frozen=True, slots=True)
class FirstSteps:
    """Which steps are done, and what the next one needs. `team` is where they are taken."""

    team: Team
    has_runs: bool
    has_target: bool
    has_automation: bool
    has_delivery: bool
    may_connect: bool
    may_automate: bool
    webhook_url: str
    automation_url: str
    history_url: str
    train_command: str
    curl_command: str

    @property
    def done(self) -> Sequence[bool]:
        """Step by step."""
        return (self.has_runs, self.has_target, self.has_automation, self.has_delivery)

    @property
    def count(self) -> int:
        """How many are done."""
        return sum(self.done)

    @property
    def current(self) -> int:
        """The number of the first one that is not; 0 once all are."""
        return next((number for number, done in enumerate(self.done, start=1) if not done), 0)


def of(user: User, projects: Sequence[Project]) -> FirstSteps:
    """The steps for this user: whatever they may see counts, whoever made it."""
    team = listing.teams_where(user, least_rank=Role.MEMBER.rank).first() or user.home
    sending = Automation.objects.visible_to(user).filter(action_kind__in=list(TARGETS))
    delivered = sending.filter(last_success_at__isnull=False).order_by("pk").first()
    webhook = Webhook.objects.visible_to(user).filter(team=team).order_by("pk").first()
    channel = SlackChannel.objects.visible_to(user).filter(team=team).order_by("pk").first()
    newest = delivered or sending.order_by("-pk").first()
    return FirstSteps(
        team=team,
        has_runs=Run.objects.visible_to(user).exists(),
        has_target=bool(webhook or channel) or _is_connected(user),
        has_automation=newest is not None,
        has_delivery=delivered is not None,
        may_connect=may(user, Permission.EDIT_SETTINGS, team),
        may_automate=may_edit(user, team),
        webhook_url=_asked(
            reverse("team_settings_create_webhook", args=[team.name]), name=NAME_OF_WEBHOOK, then="home"
        ),
        automation_url=_automation_url(team, webhook, channel),
        history_url=newest.get_absolute_url() if newest else "",
        **_commands(team, projects),
    )


def _is_connected(user: User) -> bool:
    return Webhook.objects.visible_to(user).exists() or SlackChannel.objects.visible_to(user).exists()


def _automation_url(team: Team, webhook: Webhook | None, channel: SlackChannel | None) -> str:
    """The form, filled in up to the button that creates the automation."""
    asked: dict[str, str | list[str]] = {"event": EventType.RUN_STATE.value, "states": ["FINISHED", "FAILED"]}
    asked["name"] = NAME_OF_AUTOMATION
    if webhook is not None:
        asked |= {"action": ActionKind.WEBHOOK.value, "webhook": str(webhook.pk)}
    elif channel is not None:
        asked |= {"action": ActionKind.SLACK.value, "slack_channel": str(channel.pk)}
    return _asked(reverse("automations:team_new_automation", args=[team.name]), **asked)


def _asked(address: str, **values: str | list[str]) -> str:
    return f"{address}?{urlencode(values, doseq=True)}"


def _commands(team: Team, projects: Sequence[Project]) -> dict[str, str]:
    """What makes a run in the user's most recent project of the team, else in one that the run will make."""
    place = next((project for project in projects if project.team_id == team.pk), None)
    names = (team.name, place.name if place else "digits")
    server = settings.PUBLIC_URL
    runs = f"{server}/api/projects/{'/'.join(quote(name) for name in names)}/runs/"
    headers = '-H "Authorization: Bearer $AUTOMATIONS_API_KEY" -H "Content-Type: application/json"'
    return {
        "curl_command": (
            "RUN=first-$(date +%s)\n"
            f"curl -sS {runs} \\\n  {headers} \\\n"
            """  -d '{"run_id": "'$RUN'", "display_name": "first run", "config": {"lr": 0.01}}'\n"""
            f"curl -sS {runs}$RUN/finish/ \\\n  {headers} \\\n"
            """  -d '{"exit_code": 0}'"""
        ),
        "train_command": shlex.join(
            ["python", "examples/train_digits.py", "--url", server, "--team", names[0], "--project", names[1]]
        ),
    }


def hide(user: User, *, hidden: bool) -> None:
    """Whether the user sees them on the first page while they are not done."""
    user.first_steps_hidden = hidden
    user.save(update_fields=["first_steps_hidden"])
