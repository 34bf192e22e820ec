"""What a replay cannot know, in sentences for whoever reads its result."""

from __future__ import annotations

from datetime import datetime

from django.db.models import F, Q
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from automations import covering, disclosure
from automations.backtest.result import Period
from automations.models import Automation, Event, EventType, Purge, ScopeKind
from automations.triggers import MetricTrigger, Rule, trigger_for
from automations.windows import ZScore
from projects.events import RUN_STATE
from projects.models import User
from registries.models import Artifact, Collection, Membership

# Fields of filters whose values are stored as they are now only.
AS_THEY_ARE_NOW = {
    "display_name": gettext_noop("names"),
    "user": gettext_noop("users"),
    "tags": gettext_noop("tags"),
    "group": gettext_noop("groups"),
    "job_type": gettext_noop("job types"),
    "config": gettext_noop("settings"),
    "summary": gettext_noop("summaries"),
}


def notes(automation: Automation, rule: Rule, period: Period, *, reader: User) -> list[str]:
    """Sentences about what of the period is not stored, or may not be seen."""
    found = []
    if isinstance(trigger_for(automation.event_type), MetricTrigger):
        found += _of_runs(rule)
    else:
        found += _of_events(automation, period, reader=reader)
    if automation.scope_kind is ScopeKind.ORGANIZATION and not disclosure.may_see_figures(reader, automation):
        found.append(_("Only what you may see was replayed; it covers the whole organization."))
    return found


def _of_runs(rule: Rule) -> list[str]:
    found = []
    read = [_(word) for field, word in AS_THEY_ARE_NOW.items() if field in rule.filter.fields() - {"user"}]
    if read:
        found.append(
            _("What the filter asks of runs (%(read)s) was taken as it is now; what it was then is not stored.")
            % {"read": ", ".join(read)}
        )
    if isinstance(rule.condition, ZScore):
        found.append(
            _(
                "Heartbeats are not stored: which other runs were active last was told by what they logged of"
                " this metric."
            )
        )
    return found


def _of_events(automation: Automation, period: Period, *, reader: User) -> list[str]:
    first = Event.objects.order_by("pk").values_list("occurred_at", flat=True).first()
    if first is None:
        return [_("No events are recorded yet, so nothing could be replayed.")]
    found = []
    purged = Purge.objects.values_list("events_before", flat=True).first()
    # Some events are kept longer than others of their time.
    first = max(first, purged) if purged else first
    if first > period.since:
        found.append(_("Events are recorded since %(day)s; what happened before is not known.") % {"day": _day(first)})
    unrecorded = _unrecorded(automation, period, reader=reader)
    if unrecorded:
        found.append(unrecorded)
    return found


def _unrecorded(automation: Automation, period: Period, *, reader: User) -> str:
    """What is there of the period although no event tells of it: brought in from elsewhere, or its event is gone."""
    kind = automation.event_type
    if kind == EventType.RUN_STATE:
        runs = covering.runs_in(automation.scope, reader=reader).filter(created_at__gte=period.since)
        count = runs.exclude(pk__in=Event.objects.filter(kind=RUN_STATE, run__isnull=False).values("run")).count()
        return _missing(
            count,
            ngettext(
                "%(count)s run has no recorded change of state and could not be replayed.",
                "%(count)s runs have no recorded change of state and could not be replayed.",
                count,
            ),
        )
    if kind in {EventType.CREATE_ARTIFACT, EventType.LINK_ARTIFACT}:
        visible = Membership.objects.filter(collection__in=Collection.objects.visible_to(reader))
        there = visible.filter(_memberships_in(automation), created_at__gte=period.since)
        recorded = Event.objects.filter(kind=kind, artifact__isnull=False).values("artifact")
        versions = Artifact.objects.filter(memberships__in=there).exclude(pk__in=recorded).distinct()
        count = versions.count()
        return _missing(
            count,
            ngettext(
                "%(count)s version has no recorded event and could not be replayed.",
                "%(count)s versions have no recorded event and could not be replayed.",
                count,
            ),
        )
    return ""


def _missing(count: int, sentence: str) -> str:
    return sentence % {"count": f"{count:,}"} if count else ""


def _memberships_in(automation: Automation) -> Q:
    """Versions of the scope: logged ones for new versions, linked ones for links."""
    kind, scope = automation.scope_kind, automation.scope
    within = {
        ScopeKind.COLLECTION: Q(collection=scope.pk),
        ScopeKind.REGISTRY: Q(collection__registry=scope.pk),
        ScopeKind.PROJECT: Q(artifact__collection__project=scope.pk),
        ScopeKind.TEAM: Q(artifact__collection__project__team=scope.pk),
        ScopeKind.ORGANIZATION: Q(artifact__collection__project__team__organization=scope.pk),
    }[kind]
    logged = Q(collection=F("artifact__collection"))
    return within & (logged if automation.event_type == EventType.CREATE_ARTIFACT else ~logged)


def _day(moment: datetime) -> str:
    # Translators: a date such as 12 May 2026, with a short month, in the letters of Django's date formats
    return date_format(timezone.localtime(moment), _("j M Y"))
