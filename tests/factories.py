"""Things to test with, made by the same functions the product uses.

Every function makes what it is not given: `make_run()` alone makes a user, an organization, a team and a
project. What has a name and is made by default is made once, so that two calls in one test share it.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.utils import timezone

from automations import versions
from automations.models import (
    ActionKind,
    Automation,
    Event,
    EventType,
    Execution,
    Severity,
    SlackChannel,
    SlackKind,
    SlackWorkspace,
    Status,
    Webhook,
    WebhookHeader,
)
from projects import keys, runs, teams
from projects.events import run_facts
from projects.models import Organization, Project, Role, Run, Team, User
from registries import artifacts, linking
from registries.models import Collection, Membership, Registry
from secrets_vault import secrets
from secrets_vault.models import Secret

PASSWORD = "correct horse battery staple"

Scope = Organization | Team | Project | Registry | Collection
# What automations ask for unless said: failed runs, or a loss that is above 1, rises by a quarter or is odd.
CONDITIONS: dict[str, Any] = {
    EventType.RUN_STATE: {"states": ["FAILED"]},
    EventType.RUN_METRIC: {
        "name": "loss",
        "agg_op": None,
        "window_size": 1,
        "cmp_op": "$gt",
        "threshold": 1.0,
    },
    EventType.RUN_METRIC_CHANGE: {
        "name": "loss",
        "agg_op": None,
        "current_window_size": 1,
        "prior_window_size": 1,
        "change_type": "RELATIVE",
        "change_dir": "INCREASE",
        "change_amount": 0.25,
    },
    EventType.RUN_STALL: {"source": "METRIC", "name": "loss", "minutes": 30},
    EventType.ARTIFACT_ABSENCE: {"hours": 24},
    EventType.RUN_METRIC_ZSCORE: {"name": "loss", "window_size": 30, "threshold": 3.0, "change_dir": "ANY"},
}


def make_user(username: str = "alice", *, superuser: bool = False, **fields: Any) -> User:
    """A user who can sign in with `PASSWORD`, with their personal team."""
    found = User.objects.filter(username=username).first()
    if found is not None:
        return found
    make = User.objects.create_superuser if superuser else User.objects.create_user
    user: User = make(username=username, password=PASSWORD, **fields)
    return user


def make_api_key(user: User, key: str | None = None) -> str:
    """A key that signs the user in, as sent in `Authorization: Bearer`."""
    return keys.create(user, by=user, key=key)[1]


def make_organization(name: str = "acme", *, admin: User | None = None, member: User | None = None) -> Organization:
    """An organization; whoever is named is in it with that role."""
    organization = Organization.objects.filter(name=name).first() or teams.create_organization(name)
    for user, role in ((admin, Role.ADMIN), (member, Role.MEMBER)):
        if user is not None:
            teams.set_organization_role(user, organization=organization, role=role)
    return organization


def make_team(
    name: str = "research",
    organization: Organization | None = None,
    admin: User | None = None,
    member: User | None = None,
    viewer: User | None = None,
) -> Team:
    """A team; whoever is named is in it with that role."""
    team = Team.objects.filter(name=name).first()
    team = team or teams.create_team(name, organization=organization or make_organization())
    for user, role in ((admin, Role.ADMIN), (member, Role.MEMBER), (viewer, Role.VIEW_ONLY)):
        if user is not None:
            teams.set_role(user, team=team, role=role)
    return team


def make_project(team: Team | None = None, name: str = "digits") -> Project:
    """The team's project of this name."""
    return teams.ensure_project(name, team=team or make_team())


def make_run(
    project: Project | None = None, *, user: User | None = None, at: datetime | None = None, **fields: Any
) -> Run:
    """A run of the project, running unless `state` says pending. `fields` are those of `runs.create`."""
    return runs.create(project or make_project(), by=user or make_user(), at=at or timezone.now(), **fields)


def make_registry(
    organization: Organization | None = None, name: str = "models", *, admin: User | None = None
) -> Registry:
    """A registry, with its admin."""
    return linking.create_registry(organization or make_organization(), name, by=admin or make_user())


def make_collection(
    registry: Registry | None = None,
    name: str = "classifier",
    *,
    type: str = "model",
) -> Collection:
    """An empty collection of a registry."""
    return linking.create_collection(registry or make_registry(), name, type=type)


def make_version(
    project: Project | None = None,
    collection: str = "model",
    type: str = "model",
    *,
    user: User | None = None,
    at: datetime | None = None,
    **fields: Any,
) -> Membership:
    """The next version of a collection of the project. `fields` are those of `artifacts.log_version`."""
    return artifacts.log_version(
        project or make_project(),
        collection=collection,
        type=type,
        by=user or make_user(),
        at=at or timezone.now(),
        **fields,
    )


def make_link(
    source: Membership, to: Collection, *, user: User | None = None, aliases: Sequence[str] = ()
) -> Membership:
    """The version linked to a collection of a registry."""
    return linking.link(source, to=to, by=user or make_user(), at=timezone.now(), aliases=aliases)[0]


def make_secret(team: Team | None = None, name: str = "TOKEN", value: str = "s3cret-value") -> Secret:
    """A sealed secret of the team."""
    return secrets.create(team or make_team(), name=name, value=value, by=None)


def make_webhook(
    team: Team | None = None,
    url: str = "https://hooks.example.com/pager",
    *,
    name: str = "pager",
    headers: Mapping[str, str | tuple[str, Secret]] | None = None,
    **fields: Any,
) -> Webhook:
    """A webhook. `fields` are those of the model; a header is its value, or (value, the secret in it)."""
    webhook = Webhook.objects.create(team=team or make_team(), name=name, url=url, **fields)
    for header, value in (headers or {}).items():
        text, secret = (value, None) if isinstance(value, str) else value
        WebhookHeader.objects.create(webhook=webhook, name=header, value=text, secret=secret)
    return webhook


def make_slack_workspace(team: Team | None = None, *, token: str = "xoxb-good-token", **fields: Any) -> SlackWorkspace:
    """A workspace of which Slack was never asked, unless the fields say more."""
    team = team or make_team()
    secret = make_secret(team, f"SLACK_BOT_{team.secrets.count()}", token)
    return SlackWorkspace.objects.create(team=team, credential=secret, **{"name": "Acme", **fields})


def make_slack_channel(
    team: Team | None = None, channel: str = "ml-alerts", *, credential: str = "xoxb-good-token", **fields: Any
) -> SlackChannel:
    """A channel reached by a bot's token, or by an incoming webhook if the credential is an address."""
    team = team or make_team()
    by_bot = credential.startswith("xox")
    workspace = make_slack_workspace(team, token=credential) if by_bot else None
    secret = (
        workspace.credential if workspace else make_secret(team, f"SLACK_{team.slack_channels.count()}", credential)
    )
    return SlackChannel.objects.create(
        team=team,
        channel=channel,
        kind=SlackKind.BOT if by_bot else SlackKind.WEBHOOK,
        connection=workspace,
        credential=secret,
        **{"workspace": "Acme", "channel_id": "C0123456789" if by_bot else "", **fields},
    )


def make_automation(
    scope: Scope | None = None,
    event_type: str = EventType.RUN_STATE,
    *,
    name: str = "Tell the pager",
    condition: Mapping[str, Any] | None = None,
    webhook: Webhook | None = None,
    **fields: Any,
) -> Automation:
    """An automation on the scope (a project by default): calls the webhook, posts to the `slack_channel`, or does
    nothing without one.

    Without a `condition` it listens for failed runs, or for a loss that is above 1, rises by a quarter, is 3
    deviations from other runs or stands still for 30 minutes, or for a day without a version.
    """
    scope = scope or make_project()
    posts = fields.get("slack_channel") is not None
    fields.setdefault("action_kind", ActionKind.WEBHOOK if webhook else ActionKind.SLACK if posts else ActionKind.NO_OP)
    fields.setdefault("severity", Severity.INFO.value if posts else "")
    automation = Automation(
        version=1,
        name=name,
        event_type=event_type,
        condition=dict(condition) if condition is not None else CONDITIONS.get(event_type, {}),
        webhook=webhook,
        **{type(scope).__name__.lower(): scope},
        **fields,
    )
    automation.save()
    versions.record(automation, by=automation.created_by)
    return automation


def make_event(run: Run | None = None, *, kind: str = EventType.RUN_STATE, **fields: Any) -> Event:
    """A recorded event of a run, without anything that would have followed from it."""
    run = run or make_run()
    team = run.project.team
    fields.setdefault("dedupe_key", f"made:{Event.objects.count()}")
    fields.setdefault("occurred_at", timezone.now())
    fields.setdefault("facts", run_facts(run))
    fields.setdefault("details", {"entity": team.name, "project": run.project.name, "state": run.state})
    return Event.objects.create(
        kind=kind, organization=team.organization, team=team, project=run.project, run=run, **fields
    )


def make_execution(
    automation: Automation | None = None,
    event: Event | None = None,
    *,
    status: str = Status.FINISHED,
    **fields: Any,
) -> Execution:
    """An execution in the history: one that is over, unless `status` says otherwise."""
    automation = automation or make_automation()
    event = event or make_event()
    now = timezone.now()
    fields.setdefault("created_at", now)
    fields.setdefault("next_attempt_at", now if status == Status.PENDING else None)
    fields.setdefault("claimed_until", now if status == Status.RUNNING else None)
    fields.setdefault("matched_because", "The run failed.")
    fields.setdefault("webhook", automation.webhook)
    fields.setdefault("slack_channel", automation.slack_channel)
    fields.setdefault("action_kind", automation.action_kind)
    fields.setdefault("rule", {"name": automation.name, "event_type": automation.event_type})
    return Execution.objects.create(
        automation=automation,
        event_type=automation.event_type,
        event=event,
        project=event.project,
        registry=event.registry,
        status=status,
        **fields,
    )
