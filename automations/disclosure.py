"""What of executions and automations a reader is told: what one may not see does not exist (AZ1).

An execution may touch things of several teams: a link happens in a registry and in the project the version is from,
and an automation may call a webhook, or post to a Slack channel, of a team that its readers know nothing of. Pages and
API show executions only after `prepare`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from automations import sentences
from automations.models import (
    AutomationVersion,
    Execution,
    Notice,
    ReasonCode,
    ScopeKind,
    SlackChannel,
    Status,
    Webhook,
)
from automations.models.automation import TARGETS
from automations.models.execution import HOLDING
from automations.records import in_english
from projects.models import Organization, OrganizationMember, Project, Role, Team
from registries.models import Collection, Registry

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from automations.models import Automation
    from projects.models import User

    Reader = User | AnonymousUser

# All that is told of a call which the reader may not see.
FAILED = gettext_noop("The call failed.")
OUTCOMES = {
    Status.FINISHED: gettext_noop("It was sent."),
    Status.FAILED: FAILED,
    Status.SKIPPED: gettext_noop("The webhook is paused."),
}
# Skipped by the automation's own rules: what is said of it names nobody.
OWN_REASONS = frozenset(
    {ReasonCode.RATE_LIMIT, ReasonCode.SHADOW, ReasonCode.LOOP, ReasonCode.CANCELLED, ReasonCode.SNOOZED} | HOLDING
)
Target = Webhook | SlackChannel
# What the scope of a version is, by its kind there.
SCOPES: dict[str, type[Organization | Team | Project | Registry | Collection]] = {
    "organization": Organization,
    "team": Team,
    "project": Project,
    "registry": Registry,
    "collection": Collection,
    "registry_collection": Collection,
}


def prepare(executions: Iterable[Execution], *, reader: Reader) -> list[Execution]:
    """The executions without what the reader may not see: hidden places, and calls of hidden teams' webhooks.

    They are changed in memory, for showing: never save them afterwards. Costs the same few queries for any number.
    """
    found = list(executions)
    both = [execution for execution in found if execution.project_id and execution.registry_id]
    # An execution in one place only would not be visible at all without that place.
    projects = _visible(Project, {execution.project_id for execution in both}, reader)
    registries = _visible(Registry, {execution.registry_id for execution in both}, reader)
    for execution in both:
        if execution.registry_id not in registries:
            _hide_registry(execution)
        if execution.project_id not in projects:
            _hide_project(execution)
    visible = {
        "webhook": _visible(Webhook, {execution.webhook_id for execution in found}, reader),
        "slack_channel": _visible(SlackChannel, {execution.slack_channel_id for execution in found}, reader),
    }
    teams = _visible(Team, {_team_of_deleted(execution, field) for execution in found for field in visible}, reader)
    for execution in found:
        if any(_calls_hidden(execution, field, visible=keys, teams=teams) for field, keys in visible.items()):
            _hide_call(execution)
    return found


def prepare_versions(versions: Iterable[AutomationVersion], *, reader: Reader) -> list[AutomationVersion]:
    """The versions without what the reader may not see: names of hidden teams' webhooks and Slack channels, and all of
    a version that covered something else than now which is hidden, or gone.

    They are changed in memory, for showing: never save them afterwards. Costs the same few queries for any number.
    """
    found = list(versions)
    covered = {version.pk: (version.rule["scope"]["kind"], version.rule["scope"]["id"]) for version in found}
    visible = {
        kind: _visible(model, {key for one, key in covered.values() if one == kind}, reader)
        for kind, model in SCOPES.items()
    }
    fields = TARGETS.values()
    teams = _visible(Team, {version.rule[f"{field}_team"] for version in found for field in fields}, reader)
    for version in found:
        kind, key = covered[version.pk]
        if key not in visible[kind]:
            version.rule = {}
            continue
        hidden = [field for field in fields if version.rule[f"{field}_team"] not in {None, *teams}]
        version.rule |= {f"{field}{part}": None for field in hidden for part in ("", "_id", "_team")}
    return found


def prepare_notices(notices: Iterable[Notice], *, reader: Reader) -> list[Notice]:
    """The notices without executions the reader may not see, and without what a hidden team's receiver answered.

    They are changed in memory, for showing: never save them afterwards. Costs the same few queries for any number.
    """
    found = list(notices)
    begun_with = {notice.execution_id for notice in found if notice.execution_id is not None}
    executions = Execution.objects.visible_to(reader).only("key").in_bulk(begun_with) if begun_with else {}
    hidden = hidden_targets(reader, [notice.automation for notice in found if notice.automation])
    for notice in found:
        notice.execution = executions.get(notice.execution_id)
        if notice.automation_id in hidden:
            notice.sentence = _(FAILED)
    return found


def may_see_target(user: Reader, target: Target | None) -> bool:
    """Whether name, address and answers of a webhook or Slack channel may be shown; without one, nothing is hidden."""
    return target is None or Team.objects.visible_to(user).filter(pk=target.team_id).exists()


def hidden_targets(user: Reader, automations: Iterable[Automation]) -> set[int]:
    """Keys of the automations whose webhook or Slack channel is of a team the user may not see; in one query."""
    teams = {automation.pk: automation.target.team_id for automation in automations if automation.target}
    visible = _visible(Team, teams.values(), user)
    return {pk for pk, team in teams.items() if team not in visible}


def last_error(automation: Automation, *, target_hidden: bool) -> str:
    """What went wrong the last time, as far as it may be told."""
    return _(FAILED) if automation.last_error and target_hidden else automation.last_error


def administered_organizations(user: Reader) -> set[int]:
    """Keys of the organizations whose every team the user sees."""
    if not user.is_authenticated:
        return set()
    if user.is_superuser:
        return set(Organization.objects.values_list("pk", flat=True))
    roles = OrganizationMember.objects.filter(user=user, role=Role.ADMIN)
    return set(roles.values_list("organization", flat=True))


def figures_told(user: Reader) -> Q:
    """The automations of which the user may know how they fare: see `may_see_figures`."""
    return Q(organization=None) | Q(organization__in=administered_organizations(user))


def may_see_figures(user: Reader, automation: Automation) -> bool:
    """Whether the user may know how often and when the automation fired.

    Those of an organization count what happened in all of its teams, of which most readers see some only.
    """
    if automation.scope_kind is not ScopeKind.ORGANIZATION:
        return True
    return automation.organization_id in administered_organizations(user)


def _visible(
    model: type[Organization | Project | Registry | Collection | Team | Target],
    keys: Iterable[int | None],
    reader: Reader,
) -> set[int]:
    wanted = {key for key in keys if key is not None}
    if not wanted:
        return set()
    return set(model.objects.visible_to(reader).filter(pk__in=wanted).values_list("pk", flat=True))


def _team_of_deleted(execution: Execution, field: str) -> int | None:
    """Whose webhook or Slack channel it was, if that is gone meanwhile."""
    return execution.rule.get(f"{field}_team") if getattr(execution, f"{field}_id") is None else None


def _calls_hidden(execution: Execution, field: str, *, visible: set[int], teams: set[int]) -> bool:
    target = getattr(execution, f"{field}_id")
    if target is not None:
        return target not in visible
    if execution.rule.get(field) is None:
        return False
    return _team_of_deleted(execution, field) not in teams


def _hide_project(execution: Execution) -> None:
    event, registry = execution.event, execution.registry
    execution.project = event.project = event.team = event.run = None
    details = {name: value for name, value in event.details.items() if name != "source"}
    if registry is not None and "entity" in details:
        details |= {"entity": registry.organization.name, "project": registry.name}
    event.details = details


def _hide_registry(execution: Execution) -> None:
    execution.registry = execution.event.registry = execution.event.collection = None


def _hide_call(execution: Execution) -> None:
    rule = execution.rule
    kind = str(rule.get("action_kind"))
    name = rule.get("webhook") or rule.get("slack_channel")
    execution.rule = rule | {
        "webhook": None,
        "webhook_team": None,
        "slack_channel": None,
        "title": "",
        "message": "",
        "summary": in_english(sentences.without_target)(rule.get("summary", ""), action_kind=kind, name=name),
    }
    execution.webhook = execution.slack_channel = None
    execution.target = sentences.HIDDEN.get(kind, "")
    execution.payload = ""
    waiting = gettext_noop("The call failed; it will be tried again.") if execution.result else ""
    if execution.reason_code not in OWN_REASONS:
        told = OUTCOMES.get(Status(execution.status), waiting)
        execution.result = _(told) if told else ""
    # Only a prefetched list is going to be shown, and its rows are what is shown.
    for attempt in getattr(execution, "_prefetched_objects_cache", {}).get("attempts", ()):
        attempt.url = attempt.response_body = ""
        attempt.request_headers, attempt.response_headers = {}, {}
        attempt.error = _(FAILED) if attempt.error else ""
