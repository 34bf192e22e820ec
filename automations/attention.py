"""What needs somebody: integrations that are paused, held back or failing, automations that fail, runs that went wrong.

Each is a row of the first page: what, since when, in a sentence why, and the one next step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db.models import Count, Max, Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from automations import disclosure, history
from automations.access import administered_teams
from automations.models import Automation, Health, SlackChannel, Webhook
from projects.models import Run, RunState

if TYPE_CHECKING:
    from projects.models import User

# Of each kind as many are shown; how many more there are is said.
SHOWN = 5
RUNS_OF_THE_LAST = timedelta(days=3)
WENT_WRONG = (RunState.FAILED, RunState.CRASHED)
# What a badge shows and says of a run.
RUNS = {RunState.FAILED: "failed", RunState.CRASHED: "crashed"}


@dataclass(frozen=True, slots=True)
class Concern:
    """One row. `status` is the badge's look and `label` its word; `url` leads to what it is about, `next_url` to where
    something can be done about it, which `next_step` says."""

    status: str
    label: str
    name: str
    url: str
    place: str
    sentence: str
    since: datetime | None
    next_step: str
    next_url: str


@dataclass(frozen=True, slots=True)
class Concerns:
    """All rows, the gravest kind first, and how much of each kind there is beyond those shown."""

    rows: list[Concern]
    more_integrations: int = 0
    more_automations: int = 0

    def __bool__(self) -> bool:
        return bool(self.rows)


def of(user: User, *, now: datetime) -> Concerns:
    """What the user may see of it. The same few queries, however much there is."""
    integrations, broken = _integrations(user)
    failing, more = _automations(user, broken=broken)
    return Concerns(
        [*integrations, *failing, *_runs(user, since=now - RUNS_OF_THE_LAST)],
        more_integrations=sum(map(len, broken.values())) - len(integrations),
        more_automations=more,
    )


def failing_automations(user: User) -> Any:
    """Enabled automations whose last try failed and whose figures the user may know."""
    told = disclosure.figures_told(user)
    return Automation.objects.visible_to(user).filter(told, enabled=True, failing_since__isnull=False)


# --- integrations -----------------------------------------------------------------------------------------------------


def _integrations(user: User) -> tuple[list[Concern], dict[str, list[int]]]:
    """The rows, and the keys of what they are about: an automation that fails because of one of these needs no row."""
    teams = set(administered_teams(user).values_list("pk", flat=True))
    troubled = Q(paused_at__isnull=False) | Q(breaker_opened_at__isnull=False) | Q(failing_since__isnull=False)
    webhooks = list(Webhook.objects.visible_to(user).filter(troubled).select_related("team").order_by("name", "pk"))
    channels = list(
        SlackChannel.objects.visible_to(user)
        .filter(failing_since__isnull=False)
        .select_related("team")
        .order_by("channel", "pk")
    )
    order = [Health.PAUSED, Health.BREAKER_OPEN, Health.FAILING]
    webhooks.sort(key=lambda webhook: order.index(webhook.health))
    rows = [_of_webhook(webhook, may_edit=webhook.team_id in teams) for webhook in webhooks[:SHOWN]]
    rows += [_of_channel(channel, may_edit=channel.team_id in teams) for channel in channels[:SHOWN]]
    broken = {"webhook": [one.pk for one in webhooks], "slack_channel": [one.pk for one in channels]}
    return rows, broken


def _of_webhook(webhook: Webhook, *, may_edit: bool) -> Concern:
    steps = {
        Health.PAUSED: (_("Paused"), "skipped", _("Resume it"), webhook.paused_at, webhook.paused_reason),
        Health.BREAKER_OPEN: (
            _("Breaker open"),
            "pending",
            _("Try it now"),
            webhook.breaker_opened_at,
            webhook.last_error,
        ),
        Health.FAILING: (_("Failing"), "failed", _("Test it"), webhook.failing_since, webhook.last_error),
    }
    label, status, step, since, sentence = steps[webhook.health]
    url = f"{reverse('team_settings', args=[webhook.team.name])}#webhooks"
    return Concern(
        status=status,
        label=label,
        name=_("Webhook %(name)s") % {"name": webhook.name},
        url=url,
        place=webhook.team.name,
        sentence=sentence,
        since=since,
        next_step=step if may_edit else _("See it"),
        next_url=url,
    )


def _of_channel(channel: SlackChannel, *, may_edit: bool) -> Concern:
    url = f"{reverse('team_settings', args=[channel.team.name])}#slack"
    return Concern(
        status="failed",
        label=_("Failing"),
        name=_("Slack channel %(name)s") % {"name": channel},
        url=url,
        place=channel.team.name,
        sentence=channel.last_error,
        since=channel.failing_since,
        next_step=_("Test it") if may_edit else _("See it"),
        next_url=url,
    )


# --- automations ------------------------------------------------------------------------------------------------------


def _automations(user: User, *, broken: dict[str, list[int]]) -> tuple[list[Concern], int]:
    """Those that fail by themselves; what is sent to a broken integration fails because of that."""
    failing = failing_automations(user)
    for field, keys in broken.items():
        failing = failing.exclude(**{f"{field}__in": keys})
    count = failing.count()
    if not count:
        return [], 0
    found = list(failing.select_related(*history.LISTED).order_by("-last_failure_at", "-pk")[:SHOWN])
    hidden = disclosure.hidden_targets(user, found)
    failures = history.last_failures(found, reader=user)
    rows = [
        Concern(
            status="failed",
            label=_("Failing"),
            name=automation.name,
            url=automation.get_absolute_url(),
            place=str(automation.scope),
            sentence=disclosure.last_error(automation, target_hidden=automation.pk in hidden),
            since=automation.failing_since,
            next_step=_("See what failed") if automation.pk in failures else _("See it"),
            next_url=failures[automation.pk].get_absolute_url()
            if automation.pk in failures
            else automation.get_absolute_url(),
        )
        for automation in found
    ]
    return rows, count - len(found)


# --- runs -------------------------------------------------------------------------------------------------------------


def _runs(user: User, *, since: datetime) -> list[Concern]:
    """One row a project: a sweep that breaks breaks a hundred times."""
    wrong = Run.objects.visible_to(user).filter(state__in=WENT_WRONG, finished_at__gte=since)
    groups = list(
        wrong.order_by()
        .values("project")
        .annotate(
            last=Max("pk"),
            failed=Count("pk", filter=Q(state=RunState.FAILED)),
            crashed=Count("pk", filter=Q(state=RunState.CRASHED)),
        )
        .order_by("-last")[:SHOWN]
    )
    runs = Run.objects.select_related("project__team").only(
        "run_id", "display_name", "state", "exit_code", "finished_at", "project__name", "project__team__name"
    )
    newest = runs.in_bulk([group["last"] for group in groups])
    return [_of_runs(newest[group["last"]], group) for group in groups if group["last"] in newest]


def _of_runs(run: Run, group: Mapping[str, Any]) -> Concern:
    state = RunState(run.state)
    several = group["failed"] + group["crashed"] > 1
    url = run.get_absolute_url()
    return Concern(
        status=RUNS.get(state, str(state)),
        label="",
        name=_counted(failed=group["failed"], crashed=group["crashed"]) if several else run.display_name,
        url=_listed(run, failed=group["failed"], crashed=group["crashed"]) if several else url,
        place=str(run.project),
        sentence=_("The last one: %(name)s. %(why)s") % {"name": run.display_name, "why": _why(run)}
        if several
        else _why(run),
        since=run.finished_at,
        next_step=_("See its log"),
        next_url=reverse("projects:run_logs", kwargs=run.place),
    )


def _counted(*, failed: int, crashed: int) -> str:
    if not crashed:
        return ngettext("%(count)d run failed", "%(count)d runs failed", failed) % {"count": failed}
    if not failed:
        return ngettext("%(count)d run crashed", "%(count)d runs crashed", crashed) % {"count": crashed}
    both = failed + crashed
    return ngettext("%(count)d run failed or crashed", "%(count)d runs failed or crashed", both) % {"count": both}


def _listed(run: Run, *, failed: int, crashed: int) -> str:
    """The runs of its project, in that state where all of them ended the same way."""
    address = reverse("projects:runs", args=[run.project.team.name, run.project.name])
    if failed and crashed:
        return address
    return f"{address}?state={RunState.FAILED if failed else RunState.CRASHED}"


def _why(run: Run) -> str:
    if run.state == RunState.CRASHED:
        return _("Its script was no longer heard of.")
    if run.exit_code is None:
        return _("Its script reported a failure.")
    return _("Its script ended with exit code %(code)d.") % {"code": run.exit_code}
