"""What of executions and automations a reader is told: what one may not see does not exist (AZ1).

An execution may touch things of several teams: a link happens in a registry and in the project the version is from,
and an automation may call a webhook of a team that its readers know nothing of. Pages and API show executions only
after `prepare`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from automations import sentences
from automations.models import Execution, ScopeKind, Status, Webhook
from projects.models import Organization, OrganizationMember, Project, Role, Team
from registries.models import Registry

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from automations.models import Automation
    from projects.models import User

    Reader = User | AnonymousUser

OUTCOMES = {
    Status.FINISHED: "The webhook was called.",
    Status.FAILED: "The call failed.",
    Status.SKIPPED: "The webhook is paused.",
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
    webhooks = _visible(Webhook, {execution.webhook_id for execution in found}, reader)
    teams = _visible(Team, {_team_of_deleted(execution) for execution in found}, reader)
    for execution in found:
        if _calls_hidden(execution, webhooks=webhooks, teams=teams):
            _hide_call(execution)
    return found


def may_see_webhook(user: Reader, webhook: Webhook | None) -> bool:
    """Whether a webhook's name, address and answers may be shown; there is nothing to hide without one."""
    return webhook is None or Webhook.objects.visible_to(user).filter(pk=webhook.pk).exists()


def visible_webhooks(user: Reader, automations: Iterable[Automation]) -> set[int]:
    """Keys of those of the automations' webhooks that the user may see; in one query."""
    return _visible(Webhook, {automation.webhook_id for automation in automations}, user)


def administered_organizations(user: Reader) -> set[int]:
    """Keys of the organizations whose every team the user sees."""
    if not user.is_authenticated:
        return set()
    if user.is_superuser:
        return set(Organization.objects.values_list("pk", flat=True))
    roles = OrganizationMember.objects.filter(user=user, role=Role.ADMIN)
    return set(roles.values_list("organization", flat=True))


def may_see_figures(user: Reader, automation: Automation) -> bool:
    """Whether the user may know how often and when the automation fired.

    Those of an organization count what happened in all of its teams, of which most readers see some only.
    """
    if automation.scope_kind is not ScopeKind.ORGANIZATION:
        return True
    return automation.organization_id in administered_organizations(user)


def _visible(model: type[Project | Registry | Team | Webhook], keys: Iterable[int | None], reader: Reader) -> set[int]:
    wanted = {key for key in keys if key is not None}
    if not wanted:
        return set()
    return set(model.objects.visible_to(reader).filter(pk__in=wanted).values_list("pk", flat=True))


def _team_of_deleted(execution: Execution) -> int | None:
    """Whose webhook it was, if that is gone meanwhile."""
    return execution.rule.get("webhook_team") if execution.webhook_id is None else None


def _calls_hidden(execution: Execution, *, webhooks: set[int], teams: set[int]) -> bool:
    if execution.webhook_id is not None:
        return execution.webhook_id not in webhooks
    if execution.rule.get("webhook") is None:
        return False
    return _team_of_deleted(execution) not in teams


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
    execution.rule = rule | {
        "webhook": None,
        "webhook_team": None,
        "summary": sentences.without_webhook(rule.get("summary", ""), name=rule.get("webhook")),
    }
    execution.webhook = None
    execution.target = sentences.HIDDEN_WEBHOOK
    execution.payload = ""
    waiting = "The call failed; it will be tried again." if execution.result else ""
    execution.result = OUTCOMES.get(Status(execution.status), waiting)
    # Only a prefetched list is going to be shown, and its rows are what is shown.
    for attempt in getattr(execution, "_prefetched_objects_cache", {}).get("attempts", ()):
        attempt.url = attempt.response_body = ""
        attempt.request_headers, attempt.response_headers = {}, {}
        attempt.error = "The call failed." if attempt.error else ""
