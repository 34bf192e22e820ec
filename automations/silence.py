"""What does not happen, found by the clock: runs that stand still, collections that get no new version.

Each silence of a run or a collection is one event of one automation, and its key names it: however often and by however
many schedulers it is found, also after a restart, it is recorded once. Re-arming the automation gives it another key.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from typing import Any

import structlog
from django.db import transaction
from django.db.models import OuterRef, QuerySet, Subquery

from automations import matching, standstill
from automations.matching import Hit
from automations.models import Automation, Event, EventType
from automations.records import in_english
from automations.triggers import InvalidCondition, trigger_for
from automations.triggers.silence import METRIC, RUN_STALLED, VERSION_MISSED, Stall
from projects.events import Fact, run_facts, run_scopes
from projects.models import Run, RunState
from registries.events import collection_scopes, container_name, entity_name
from registries.models import Membership

log = structlog.get_logger(__name__)

SILENT_EVENTS = (EventType.RUN_STALL, EventType.ARTIFACT_ABSENCE)
RUNS_AT_ONCE = 100


@in_english
def detect(*, at: datetime) -> int:
    """Fire what has been silent for as long as somebody waits for; returns how many silences that were.

    Costs a few queries for each automation, whatever the number of runs and versions.
    """
    found = 0
    for automation in _waiting():
        try:
            silences = _stalls if automation.event_type == EventType.RUN_STALL else _absences
            found += sum(_record(automation, silence, at=at) for silence in silences(automation, at=at))
        except InvalidCondition:
            continue  # shown on the automation as one that cannot be evaluated
        except Exception:
            # One automation must not keep the others from being asked; this one is asked again next time.
            log.exception("silence_not_judged", automation=automation.pk)
    return found


def _waiting() -> QuerySet[Automation]:
    """Automations on silences, those on collections with the latest version there."""
    latest = Membership.objects.filter(collection=OuterRef("collection")).order_by("-version_index")
    places = ("project__team", "team", "organization", "collection__project__team")
    return (
        Automation.objects.filter(enabled=True, event_type__in=SILENT_EVENTS)
        .select_related("webhook", "slack_channel", *places, "collection__registry__organization")
        .annotate(
            last_membership=Subquery(latest.values("pk")[:1]),
            last_index=Subquery(latest.values("version_index")[:1]),
            last_at=Subquery(latest.values("created_at")[:1]),
        )
        .order_by("pk")
    )


def _rule(automation: Automation) -> Any:
    return trigger_for(automation.event_type).compile(automation.condition, automation.filter).condition


def _record(automation: Automation, silence: Fact, *, at: datetime) -> bool:
    """Write the silence down and start what follows, if the automation reacts to it and nobody did so before."""
    fields: dict[str, Any] = {
        "kind": silence.kind,
        "occurred_at": silence.occurred_at,
        "run": silence.run,
        "facts": dict(silence.facts),
        "details": dict(silence.details),
        **{f"{kind}_id": pk for kind, pk in asdict(silence.scopes).items()},
    }
    match = matching.judge(automation, Event(**fields))
    if not match.matched:
        return False
    with transaction.atomic():
        event, created = Event.objects.get_or_create(dedupe_key=silence.dedupe_key, defaults=fields)
        if created:
            matching.start([Hit(automation, match)], event, at=at)
    return created


def _stalls(automation: Automation, *, at: datetime) -> Iterator[Fact]:
    """Runs that stand still and of which that is not recorded yet."""
    stall: Stall = _rule(automation)
    if stall.source == METRIC:
        standstill.begin_watching(automation, stall.name, at=at)
    found = standstill.silent_runs(automation, stall, at=at)
    silent = {_key(automation, stall, pk, since): (pk, since) for pk, since in found}
    keys = list(silent)
    for start in range(0, len(keys), RUNS_AT_ONCE):
        some = keys[start : start + RUNS_AT_ONCE]
        recorded = set(Event.objects.filter(dedupe_key__in=some).values_list("dedupe_key", flat=True))
        new = {silent[key][0]: key for key in some if key not in recorded}
        # What ended in this moment stands still for a good reason.
        runs = Run.objects.filter(pk__in=new, state=RunState.RUNNING).select_related("project__team", "user")
        for run in runs if new else ():
            yield _stalled(run, stall, key=new[run.pk], since=silent[new[run.pk]][1], automation=automation, at=at)


def _key(automation: Automation, stall: Stall, run: int, since: datetime) -> str:
    what = hashlib.sha256(f"{stall.source} {stall.name}".encode()).hexdigest()[:16]
    return f"stall:{automation.pk}:{run}:{what}:{since.timestamp():.6f}:{_rearmed(automation)}"


def _rearmed(automation: Automation) -> str:
    return f"{automation.rearmed_at.timestamp():.6f}" if automation.rearmed_at else ""


def _stalled(run: Run, stall: Stall, *, key: str, since: datetime, automation: Automation, at: datetime) -> Fact:
    # What a metric did before it was watched nobody knows: then it is silent for at least this long.
    since = max(since, automation.updated_at) if stall.source == METRIC else since
    return Fact(
        kind=RUN_STALLED,
        occurred_at=at,
        dedupe_key=key,
        scopes=run_scopes(run),
        run=run,
        facts=run_facts(run),
        details={
            "entity": run.project.team.name,
            "project": run.project.name,
            "silent_of": [stall.source, stall.name],
            "silent_since": since.isoformat(),
            "silent_seconds": int((at - since).total_seconds()),
        },
    )


def _absences(automation: Automation, *, at: datetime) -> Iterator[Fact]:
    """The collection, if its latest version is older than the automation waits for."""
    absence = _rule(automation)
    collection, found = automation.collection, automation.__dict__
    assert collection is not None  # the check constraint says so
    since: datetime = found["last_at"] or collection.created_at
    if at - since < absence.patience:
        return
    key = f"absence:{automation.pk}:{collection.pk}:{found['last_membership'] or ''}:{_rearmed(automation)}"
    if Event.objects.filter(dedupe_key=key).exists():
        return
    last = found["last_index"]
    yield Fact(
        kind=VERSION_MISSED,
        occurred_at=at,
        dedupe_key=key,
        scopes=collection_scopes(collection),
        facts={"collection": collection.name, "type": collection.type},
        details={
            "entity": entity_name(collection),
            "project": container_name(collection),
            "collection": collection.name,
            "last_version": f"v{last}" if last is not None else None,
            "silent_since": since.isoformat(),
            "silent_seconds": int((at - since).total_seconds()),
        },
    )
