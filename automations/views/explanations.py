"""“Why didn't it fire?” (HI6), and what an automation would have done (HI7)."""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Generator, Iterable, Iterator
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

from django.contrib.auth.decorators import login_required
from django.core import signing
from django.http import Http404, StreamingHttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from automations import backtest, editing, sentences, tracing
from automations.access import automation_for, require_edit
from automations.backtest import PERIODS, Period, Progress, Result
from automations.editing import Draft
from automations.models import ActionKind, Automation, EventType, ScopeKind
from automations.tracing.gates import Thing
from automations.triggers import trigger_for
from automations.views.places import place_of
from projects.access import run_numbered
from registries.listing import membership_seen_by
from registries.models import Membership

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

    from automations.access import Scope
    from projects.models import User

SALT = "automations.replay"
# As long as a form is left open.
DRAFT_LASTS = 86_400
GROUPS_SHOWN = 10
FIRINGS_SHOWN = 3
MARKS_SHOWN = 200
LINES = "application/x-ndjson"


@login_required
@require_safe
def why(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Every gate of an automation for the run or version that is asked about; a list of them to choose from if none
    is."""
    automation = automation_for(request.user, pk)
    reader = cast("User", request.user)
    subject = _subject_asked(request)
    place = place_of(reader, automation.scope)
    context: dict[str, Any] = {
        **place.frame,
        "place": place,
        "automation": automation,
        "about_runs": trigger_for(automation.event_type).about_runs,
        "when": sentences.when_clause(automation.event_type, automation.condition, automation.filter),
    }
    if subject is None:
        context["subjects"] = tracing.subjects_for(automation, reader=reader)
        context["offered"] = tracing.OFFERED
        return render(request, "automations/why/choose_subject.html", context)
    context["trace"] = tracing.explain(automation, subject, reader=reader, at=timezone.now())
    context["name"] = name_of(subject)
    return render(request, "automations/why/page.html", context)


@login_required
@require_safe
def of_run(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The automations that cover a run, to ask one of them why."""
    return _choose_automation(request, run_numbered(request.user, pk), asked=f"run={pk}")


@login_required
@require_safe
def of_version(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The automations that cover a version where it is, to ask one of them why."""
    return _choose_automation(request, _version(request, pk), asked=f"version={pk}")


@login_required
@never_cache
@require_safe
def replay(request: HttpRequest, pk: int) -> HttpResponseBase:
    """What the automation would have done in the last days."""
    automation = automation_for(request.user, pk)
    return _replayed(request, automation, days=request.GET.get("days", ""))


@login_required
@never_cache
@require_POST
def replay_draft(request: HttpRequest) -> HttpResponseBase:
    """What the automation of an open form would have done in the last days."""
    automation = _unsaved(request, request.POST.get("draft", ""))
    return _replayed(request, automation, days=request.POST.get("days", ""))


def sealed(draft: Draft, scope: Scope) -> str:
    """What of a draft matters to a replay, for the form of a page; it was checked and cannot be changed there."""
    asked = {
        "scope": [editing.kind_of(scope).value, scope.pk],
        "event": [draft.event_type, draft.condition, draft.filter],
    }
    return signing.dumps(asked, salt=SALT, compress=True)


def name_of(subject: Thing) -> str:
    """The run's name, or `digits:v3`."""
    return f"{subject.collection.name}:{subject.version}" if isinstance(subject, Membership) else subject.display_name


def _subject_asked(request: HttpRequest) -> Thing | None:
    if request.GET.get("run"):
        return run_numbered(request.user, _number(request.GET["run"]))
    if request.GET.get("version"):
        return _version(request, _number(request.GET["version"]))
    return None


def _version(request: HttpRequest, pk: int) -> Membership:
    found = membership_seen_by(cast("User", request.user), pk)
    if found is None:
        raise Http404(_("There is no such version any more."))
    return found


def _number(text: str) -> int:
    """A key from an address."""
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise Http404(_("There is no such page."))
    return int(text)


def _choose_automation(request: HttpRequest, subject: Thing, *, asked: str) -> HttpResponseBase:
    found = tracing.candidates_for(subject, reader=cast("User", request.user))
    rows = [
        {"automation": one, "when": sentences.when_clause(one.event_type, one.condition, one.filter)} for one in found
    ]
    context = {"subject": subject, "name": name_of(subject), "rows": rows, "asked": asked}
    return render(request, "automations/why/choose_automation.html", context)


def _unsaved(request: HttpRequest, text: str) -> Automation:
    """The automation a form asks about.

    Raises:
        Http404: the form was left too long ago, or its scope is gone.
        PermissionDenied: the user may not create automations there.
    """
    try:
        asked = signing.loads(text, salt=SALT, max_age=DRAFT_LASTS)
    except signing.BadSignature as error:
        raise Http404(_("This form was left too long ago. Reload it.")) from error
    kind, pk = asked["scope"]
    model = next(model for model, scope_kind in editing.SCOPE_KINDS.items() if scope_kind == ScopeKind(kind))
    scope = model.objects.filter(pk=pk).first()  # type: ignore[attr-defined]  # one of the scopes' models
    if scope is None:
        raise Http404(_("What the automation was to cover is gone."))
    require_edit(request.user, scope)
    event_type, condition, document = asked["event"]
    draft = Draft("", EventType(event_type).value, ActionKind.NO_OP, condition=condition, filter=document)
    return editing.unsaved(draft, scope=scope)


def _said_in(language: str | None, lines: Generator[str, None, None]) -> Iterator[str]:
    """The lines in the language of the request, which is long answered when they are made."""
    with contextlib.closing(lines):
        while True:
            with translation.override(language):
                line = next(lines, None)
            if line is None:
                return
            yield line


def _replayed(request: HttpRequest, automation: Automation, *, days: str) -> HttpResponseBase:
    chosen = int(days) if days in map(str, PERIODS) else PERIODS[1]
    reader = cast("User", request.user)
    period = Period.of_days(chosen, until=timezone.now())
    told: Iterable[Progress | Result | backtest.ReplaysAreRunning]
    try:
        told, status = backtest.in_turn(backtest.replay(automation, period=period, reader=reader)), HTTPStatus.OK
    except backtest.ReplaysAreRunning as error:
        told, status = [error], HTTPStatus.TOO_MANY_REQUESTS
    if request.headers.get("Accept") == LINES:
        # Never with the status, which a script would take for the end of it; the sentence is for people to read.
        return StreamingHttpResponse(_said_in(translation.get_language(), _lines(told)), content_type=LINES)
    *_, last = told
    place = place_of(reader, automation.scope)
    context = {**place.frame, "place": place, "automation": automation, **_shown(last)}
    return render(request, "automations/replay/page.html", context, status=status)


def _lines(
    told: Iterable[Progress | Result | backtest.ReplaysAreRunning],
) -> Generator[str, None, None]:
    for one in told:
        if isinstance(one, Progress):
            yield json.dumps({"done": one.done, "total": one.total}) + "\n"
            continue
        last: dict[str, Any] = {"html": render_to_string("automations/replay/_result.html", _shown(one))}
        if isinstance(one, Result):
            last |= {"verdict": one.verdict, "marks": _marks(one)}
        else:
            last["busy"] = True
        yield json.dumps(last) + "\n"


def _marks(result: Result) -> list[dict[str, Any]]:
    """Where on the lines of a plot it would have fired, the latest first; a value that is no number has no place."""
    marked = [(firing, firing.mark) for firing in reversed(result.firings) if firing.mark is not None]
    return [
        {
            "run": str(mark.run),
            "step": mark.step,
            "at": firing.at.timestamp(),
            "value": mark.value if math.isfinite(mark.value) else None,
        }
        for firing, mark in marked[:MARKS_SHOWN]
        if math.isfinite(mark.step)
    ]


def _shown(result: Progress | Result | backtest.ReplaysAreRunning) -> dict[str, Any]:
    if not isinstance(result, Result):
        return {"verdict": str(result)}
    groups = result.groups()
    return {
        "verdict": result.verdict,
        "result": result,
        "groups": [
            {
                "subject": group.subject,
                "count": len(group.firings),
                "firings": group.firings[:FIRINGS_SHOWN],
                "more": len(group.firings) - FIRINGS_SHOWN,
            }
            for group in groups[:GROUPS_SHOWN]
        ],
        "more_groups": len(groups) - GROUPS_SHOWN,
    }
