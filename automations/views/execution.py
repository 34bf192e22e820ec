"""One execution, told from the event to the outcome (HI3)."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.contrib.auth.decorators import login_required
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.http import require_safe

from automations import disclosure, kit, loops, matching, retelling, sentences
from automations.access import execution_for, may_redeliver
from automations.differences import Line, line_difference
from automations.models import ActionKind, Attempt, Content, Execution, Status
from automations.views.places import place_of

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

DEEDS = {
    ActionKind.WEBHOOK.value: gettext_noop("Call webhook %(name)s"),
    ActionKind.SLACK.value: gettext_noop("Post to %(name)s"),
}
ICONS = {ActionKind.WEBHOOK.value: "webhook", ActionKind.SLACK.value: "send"}
REDELIVERIES = 50
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
    keeper = may_redeliver(request.user, execution.home)
    before = loops.executions_before(execution.event, reader=request.user)
    again = list(execution.redeliveries.select_related("redelivery__asked_by").order_by("pk")[:REDELIVERIES])
    origin = execution.origin
    disclosure.prepare([execution, *before, *([origin] if origin else [])], reader=request.user)
    rule = execution.rule
    hidden = execution.target in sentences.HIDDEN.values()
    home = execution.project or execution.registry
    place = place_of(request.user, home) if home else None
    context: dict[str, Any] = {
        **(place.frame if place else {}),
        "execution": execution,
        "event": execution.event,
        "before": before,
        "keeper": keeper,
        "why_url": why_url(execution),
        "redeliveries": again,
        "place": place,
        "rule": rule,
        "deed": deed_of(execution, hidden=hidden),
        "action_icon": ICONS.get(rule.get("action_kind"), "slash"),
        "rule_json": json.dumps(
            {name: rule.get(name) for name in ("event_type", "filter", "condition")},
            indent=2,
            ensure_ascii=False,
        ),
        "call_hidden": hidden,
        "changed": changed,
        "facts": json.dumps(execution.event.facts, indent=2, ensure_ascii=False),
        "tries": tries_of(execution),
        "payload": readable(execution.payload),
        "kit": None if hidden else kit.of(execution),
        "payload_changes": payload_changes(execution),
        "address": request.path,
        "pace": pace_of(execution),
    }
    htmx: Any = request.htmx  # type: ignore[attr-defined]  # set by django_htmx's middleware
    partial = htmx and not htmx.history_restore_request
    template = "automations/execution/_story.html" if partial else "automations/execution/page.html"
    return render(request, template, context)


def deed_of(execution: Execution, *, hidden: bool) -> str:
    """What was done, `Call webhook pager`; "" for nothing."""
    rule = execution.rule
    deed = DEEDS.get(str(rule.get("action_kind")))
    name = retelling.told(execution.target) if hidden else rule.get("webhook") or rule.get("slack_channel")
    return _(deed) % {"name": name} if deed else ""


def has_changed(execution: Execution) -> bool:
    """Whether the automation is no longer what it was then; an old version that was restored is what it was."""
    automation = execution.automation
    if automation is None:
        return False
    now = matching.rule_of(automation)
    # An edited payload goes on in what repeats it.
    redelivery = execution.redelivery
    edited = redelivery is not None and execution.replay_of is not None and redelivery.content != Content.CURRENT
    passed_over = {"version", "payload"} if edited else {"version"}
    return any(now.get(name) != value for name, value in execution.rule.items() if name not in passed_over)


def why_url(execution: Execution) -> str:
    """Where every gate is told that the automation went through; "" once it is deleted."""
    if execution.automation is None:
        return ""
    address = reverse("automations:why", kwargs={"pk": execution.automation.pk})
    event = execution.event
    return f"{address}?run={event.run_id}" if event.run_id and not event.artifact_id else address


def payload_changes(execution: Execution) -> tuple[Line, ...]:
    """What is different in the payload from that of the execution it repeats."""
    origin = execution.origin
    if origin is None or not origin.payload or not execution.payload:
        return ()
    return line_difference(readable(origin.payload).splitlines(), readable(execution.payload).splitlines())


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
