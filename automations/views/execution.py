"""One execution, told from the event to the outcome (HI3)."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.contrib.auth.decorators import login_required
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from automations import disclosure, loops, matching, sentences
from automations.access import execution_for
from automations.models import ActionKind, Attempt, Execution, Status
from automations.views.places import place_of

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

VERBS = {ActionKind.WEBHOOK.value: "Call webhook", ActionKind.SLACK.value: "Post to"}
ICONS = {ActionKind.WEBHOOK.value: "webhook", ActionKind.SLACK.value: "send"}
SIGNATURE_HEADERS = ("x-wandb-signature", "webhook-signature")


@dataclass(frozen=True, slots=True)
class Try:
    """An attempt as the page tells it: `next_in` is the time until the one after it, None if there is none."""

    attempt: Attempt
    next_in: timedelta | None

    @property
    def state(self) -> str:
        """The class of its mark: running while there is no answer yet."""
        code = self.attempt.status_code
        if self.attempt.error:
            return "failed"
        if code is None and self.attempt.duration is None:
            return "running"
        return "finished"

    @property
    def signed_by(self) -> list[str]:
        """Names of the signature headers that were sent."""
        return [name for name in self.attempt.request_headers if name.lower() in SIGNATURE_HEADERS]


@login_required
@require_safe
def show(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """The whole story of one execution; a part of it again when the page asks how it goes on."""
    execution = execution_for(request.user, key)
    changed = has_changed(execution)
    before = loops.executions_before(execution.event, reader=request.user)
    disclosure.prepare([execution, *before], reader=request.user)
    rule = execution.rule
    home = execution.project or execution.registry
    place = place_of(request.user, home) if home else None
    context: dict[str, Any] = {
        **(place.frame if place else {}),
        "execution": execution,
        "event": execution.event,
        "before": before,
        "place": place,
        "rule": rule,
        "verb": VERBS.get(rule.get("action_kind"), ""),
        "action_icon": ICONS.get(rule.get("action_kind"), "slash"),
        "rule_json": json.dumps(
            {name: rule.get(name) for name in ("event_type", "filter", "condition")},
            indent=2,
            ensure_ascii=False,
        ),
        "call_hidden": execution.target in sentences.HIDDEN.values(),
        "changed": changed,
        "facts": json.dumps(execution.event.facts, indent=2, ensure_ascii=False),
        "tries": tries_of(execution),
        "payload": readable(execution.payload),
        "address": request.path,
        "pace": pace_of(execution),
    }
    htmx: Any = request.htmx  # type: ignore[attr-defined]  # set by django_htmx's middleware
    partial = htmx and not htmx.history_restore_request
    template = "automations/execution/_story.html" if partial else "automations/execution/page.html"
    return render(request, template, context)


def has_changed(execution: Execution) -> bool:
    """Whether the automation is no longer what it was then; an old version that was restored is what it was."""
    automation = execution.automation
    if automation is None:
        return False
    now = matching.rule_of(automation)
    return any(now.get(name) != value for name, value in execution.rule.items() if name != "version")


def pace_of(execution: Execution) -> str:
    """How often the page looks for news: seldom while the next try is far away."""
    due = execution.next_attempt_at
    far = due is not None and due - timezone.now() > timedelta(minutes=1)
    return "15s" if far and execution.status == Status.PENDING else "2s"


def tries_of(execution: Execution) -> list[Try]:
    """The attempts in order, each with the wait before the next."""
    attempts = list(execution.attempts.all())
    starts: list[datetime | None] = [attempt.started_at for attempt in attempts[1:]]
    # What the ladder planned counts for the last one, as long as it is to be repeated.
    starts.append(execution.next_attempt_at if not execution.is_over else None)
    tries = []
    for attempt, following in zip(attempts, starts, strict=False):
        ended = attempt.started_at + timedelta(seconds=attempt.duration or 0)
        waiting = following is not None and (attempt.error or attempt.status_code)
        tries.append(Try(attempt, max(following - ended, timedelta()) if waiting and following else None))
    return tries


def readable(payload: str) -> str:
    """A body indented for reading, if it is JSON."""
    try:
        return json.dumps(json.loads(payload), indent=2, ensure_ascii=False) if payload else ""
    except ValueError:
        return payload
