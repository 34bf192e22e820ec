"""Carrying executions out once more because somebody asks for it (HI4).

A redelivery makes new executions and never touches the old ones. It does not match again, so cooldowns and limits
have no say. Sent as it was, a message keeps its `webhook-id`: a receiver that took it the first time does nothing, as
Standard Webhooks has it. With another body it is another message, which names the one it takes the place of.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Count, QuerySet
from django.utils.translation import gettext as _

from automations import auditing, matching, pending, templating, wake
from automations.access import administered_teams, require_redeliver
from automations.models import ActionKind, Content, Execution, Redelivery, Status
from projects.audit import Deed
from projects.models import Project, User
from registries.models import Registry

# How many one wish may ask for, and how many get their executions in one transaction.
MOST = 1_000
CHUNK = 100
# What `objection` looks at, and what an execution is made of.
RELATED = ("automation__webhook__team", "automation__slack_channel__team", "automation__collection", "event")
TARGETS = ("webhook__team", "slack_channel__team", "project__team", "registry__organization")


class NotRedeliverable(Exception):
    """The execution cannot be carried out again, or not so."""


class TokenUsed(Exception):
    """The token was given for another redelivery before."""

    def __init__(self) -> None:
        super().__init__(_("This Idempotency-Key was used for another redelivery. Use a new one."))


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for: `payload` if it is edited; `for_real` sends also what was a rehearsal in shadow mode. Asking
    again with the same token is asking once."""

    content: Content = Content.AS_SENT
    payload: str = ""
    reason: str = ""
    for_real: bool = False
    token: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a redelivery has come: executions by status, as far as the reader may see them."""

    by_status: dict[str, int]
    total: int

    @property
    def over(self) -> int:
        return sum(self.by_status.get(status, 0) for status in (Status.FINISHED, Status.FAILED, Status.SKIPPED))

    @property
    def waiting(self) -> int:
        return self.total - self.over


def redeliver(execution: Execution, wish: Wish, *, by: User, at: datetime) -> Execution:
    """Carry it out once more. Returns the new execution, or the one made when the same was asked before.

    Raises:
        Http404, PermissionDenied: the user may not.
        NotRedeliverable: it cannot be sent again, or not so; or this redelivery was cancelled meanwhile.
        ValidationError: the edited payload is no JSON.
        TokenUsed: the token stands for something else.
    """
    home = execution.home
    require_redeliver(by, home)
    if wish.content is Content.EDITED:
        _check_payload(wish.payload)
    out_of_reach = _out_of_reach(execution, wish, administered=_administered([execution], by=by))
    if out_of_reach:
        raise PermissionDenied(out_of_reach)
    problem = objection(execution, wish)
    if problem:
        raise NotRedeliverable(problem)
    redelivery = _ask(home, [execution.pk], wish, by=by, at=at, left_out=0)
    if redelivery.origins != [execution.pk]:
        raise TokenUsed
    prepare(redelivery, at=at)
    made = redelivery.executions.first()
    if made is None:
        raise NotRedeliverable(_("This redelivery was cancelled before anything was sent. Ask for a new one."))
    return made


def redeliver_many(
    home: Project | Registry, executions: Sequence[Execution], wish: Wish, *, by: User, at: datetime
) -> Redelivery:
    """Carry out many of one project or registry once more, the oldest first; what cannot be sent again is left out.

    Raises:
        Http404, PermissionDenied: the user may not.
        NotRedeliverable: none of them can be sent again, or they are more than `MOST`.
        TokenUsed: the token stands for something else.
    """
    require_redeliver(by, home)
    asked = Redelivery.objects.filter(asked_by=by, token=wish.token).first() if wish.token else None
    if asked is None:
        if len(executions) > MOST:
            raise NotRedeliverable(
                _("At most %(most)s executions are redelivered at once. Narrow the filters.") % {"most": f"{MOST:,}"}
            )
        sendable, left_out = divided(executions, wish, by=by)
        if not sendable:
            raise NotRedeliverable(_("None of these executions can be sent again."))
        origins = sorted(execution.pk for execution in sendable)
        asked = _ask(home, origins, wish, by=by, at=at, left_out=len(left_out))
    if asked.content != wish.content or asked.home != home:
        raise TokenUsed
    prepare(asked, at=at)
    return asked


def divided(
    executions: Sequence[Execution], wish: Wish, *, by: User
) -> tuple[list[Execution], list[tuple[Execution, str]]]:
    """Those that can be sent again as wished, and the others with the reason."""
    administered = _administered(executions, by=by)
    sendable, left_out = [], []
    for execution in executions:
        problem = objection(execution, wish) or _out_of_reach(execution, wish, administered=administered)
        if problem:
            left_out.append((execution, problem))
        else:
            sendable.append(execution)
    return sendable, left_out


def objection(execution: Execution, wish: Wish) -> str:
    """Why it cannot be sent again as wished, as a sentence; "" if it can."""
    if not execution.is_over:
        return _("It is not over yet. Try it now, or cancel it first.")
    if not wish.for_real and is_rehearsal(execution, wish.content):
        if execution.shadow:
            return _("It was a rehearsal in shadow mode, which sends nothing. Ask for it to be sent for real.")
        return _("The automation is today in shadow mode, which sends nothing. Ask for it to be sent for real.")
    if wish.content is Content.CURRENT:
        return _problem_of_current(execution)
    return _problem_of_then(execution, wish.content)


def is_rehearsal(execution: Execution, content: Content) -> bool:
    """Whether it was one, or would be, with the automation as it is today: then it takes a word to send it (AC2)."""
    automation = execution.automation
    return execution.shadow or (content is Content.CURRENT and automation is not None and automation.shadow)


def prepare(redelivery: Redelivery, *, at: datetime) -> None:
    """Give every origin its new execution, so many in a transaction, from where an earlier try stopped."""
    while _prepare_some(redelivery.pk, at=at):
        pass
    redelivery.refresh_from_db()


def prepare_left_over(*, at: datetime) -> int:
    """Carry on with what a crash left half prepared; returns how many."""
    found = list(Redelivery.objects.filter(prepared_at=None, cancelled_at=None).order_by("asked_at")[:100])
    for redelivery in found:
        prepare(redelivery, at=at)
    return len(found)


def cancel(redelivery: Redelivery, *, by: User, at: datetime) -> int:
    """Send no more of it. Returns how many executions that were waiting are Skipped now.

    Raises:
        Http404, PermissionDenied: the user may not.
    """
    require_redeliver(by, redelivery.home)
    with transaction.atomic():
        held = Redelivery.objects.select_for_update().get(pk=redelivery.pk)
        if held.cancelled_at is None:
            held.cancelled_at, held.cancelled_by = at, by
            held.save(update_fields=["cancelled_at", "cancelled_by"])
            auditing.record_redelivery(held, Deed.CANCELLED, by=by)
        cancelled = pending.cancel_all(held.executions.all(), by=by, at=at)
    redelivery.refresh_from_db()
    return cancelled


def progress_of(redelivery: Redelivery, *, reader: User) -> Progress:
    """How far it has come."""
    visible = Execution.objects.visible_to(reader).filter(redelivery=redelivery)
    counted = dict(visible.order_by().values_list("status").annotate(Count("pk")))
    to_come = 0 if redelivery.cancelled_at else len(redelivery.origins) - redelivery.prepared
    return Progress(counted, sum(counted.values()) + to_come)


def chosen(executions: QuerySet[Execution], home: Project | Registry) -> list[Execution]:
    """Those that the admins of the place decide about, the oldest first, one more than a redelivery takes at most."""
    rows = executions.filter(pk__in=Execution.objects.kept_by(home).values("pk"))
    return list(rows.select_related(*RELATED, *TARGETS).order_by("pk")[: MOST + 1])


def _ask(
    home: Project | Registry, origins: list[int], wish: Wish, *, by: User, at: datetime, left_out: int
) -> Redelivery:
    place: dict[str, Any] = {"registry": home} if isinstance(home, Registry) else {"project": home}
    wanted = {"content": wish.content, "payload": wish.payload, "reason": wish.reason, "for_real": wish.for_real}
    with transaction.atomic():
        asked, new = Redelivery.objects.get_or_create(
            asked_by=by,
            token=wish.token or uuid.uuid4().hex,
            defaults={**place, **wanted, "asked_at": at, "origins": origins, "left_out": left_out},
        )
        if new:
            auditing.record_redelivery(asked, Deed.ASKED, by=by, after=auditing.of_redelivery(asked))
    if not new and (asked.content, asked.payload) != (wish.content, wish.payload):
        raise TokenUsed
    return asked


def _prepare_some(pk: int, *, at: datetime) -> bool:
    """The next few; whether there may be more. Held, so that two who carry on at once take turns."""
    with transaction.atomic():
        redelivery = Redelivery.objects.select_for_update().get(pk=pk)
        if redelivery.prepared_at is not None or redelivery.cancelled_at is not None:
            return False
        pks = redelivery.origins[redelivery.prepared : redelivery.prepared + CHUNK]
        origins = Execution.objects.filter(pk__in=pks).select_related(*RELATED, "webhook", "slack_channel")
        rows = [_execution(origin, redelivery, at=at) for origin in origins.order_by("pk")]
        Execution.objects.bulk_create(rows)
        wake.announce_due()
        redelivery.prepared += len(pks)
        if redelivery.prepared >= len(redelivery.origins):
            redelivery.prepared_at = at
        redelivery.save(update_fields=["prepared", "prepared_at"])
        return redelivery.prepared_at is None


def _execution(origin: Execution, redelivery: Redelivery, *, at: datetime) -> Execution:
    content = Content(redelivery.content)
    action = _action_of(origin, redelivery, content)
    if content is Content.AS_SENT:
        message = {"message_key": origin.message, "replay_of": origin.replay_of, "payload": origin.payload}
    else:
        message = {"replay_of": origin.message}
    return Execution(
        automation_id=origin.automation_id,
        event_id=origin.event_id,
        project_id=origin.project_id,
        registry_id=origin.registry_id,
        matched_because=origin.matched_because,
        event_type=origin.event_type,
        created_at=at,
        next_attempt_at=at,
        origin=origin,
        redelivery=redelivery,
        **action,
        **message,
    )


def _action_of(origin: Execution, redelivery: Redelivery, content: Content) -> dict[str, Any]:
    """What is done now: rule and target of then, or of today's automation while there is one."""
    automation = origin.automation
    if content is Content.CURRENT and automation is not None:
        return {
            "rule": matching.rule_of(automation),
            "action_kind": automation.action_kind,
            "webhook": automation.webhook,
            "slack_channel": automation.slack_channel,
            "target": matching.target_of(automation.webhook, automation.slack_channel, automation.action_kind),
        }
    edited = {"payload": redelivery.payload} if content is Content.EDITED else {}
    return {
        "rule": origin.rule | edited,
        "action_kind": origin.rule["action_kind"],
        "webhook": origin.webhook,
        "slack_channel": origin.slack_channel,
        "target": matching.target_of(origin.webhook, origin.slack_channel, origin.rule["action_kind"]),
    }


def _problem_of_current(execution: Execution) -> str:
    automation = execution.automation
    if automation is None:
        return _("The automation was deleted, so there is none of today. Redeliver it as it was sent.")
    if automation.event_type != execution.event_type:
        return _("The automation waits for another event today. Redeliver it as it was sent.")
    return _problem_of_target(automation.webhook)


def _problem_of_then(execution: Execution, content: Content) -> str:
    kind = execution.rule.get("action_kind")
    if kind not in ActionKind.values:
        return _("What it did is not known to this version of the server.")
    if content is Content.EDITED and kind != ActionKind.WEBHOOK:
        return _("Only what goes to a webhook can be edited. Change the automation, and redeliver with it.")
    missing: Iterable[tuple[str, object, str]] = (
        (
            ActionKind.WEBHOOK,
            execution.webhook,
            _("The webhook it went to was deleted. Give the automation another one, and redeliver with it."),
        ),
        (
            ActionKind.SLACK,
            execution.slack_channel,
            _("The Slack channel it went to was deleted. Give the automation another one, and redeliver with it."),
        ),
    )
    for needed, target, sentence in missing:
        if kind == needed and target is None:
            return sentence
    return _problem_of_target(execution.webhook)


def _problem_of_target(webhook: Any) -> str:
    if webhook is not None and webhook.paused_at is not None:
        return _("The webhook is paused. Resume it in the team's settings first.")
    return ""


def _administered(executions: Iterable[Execution], *, by: User) -> set[int]:
    """Keys of the teams whose webhooks or Slack channels these executions use, where the user is an admin."""
    teams = {team for execution in executions if (team := execution.target_team) is not None}
    return set(administered_teams(by).filter(pk__in=teams).values_list("pk", flat=True)) if teams else set()


def _out_of_reach(execution: Execution, wish: Wish, *, administered: Collection[int]) -> str:
    """What an automation does every day may be done again. Anything else that goes to the webhook or Slack channel of
    another team takes an admin of that team (AC3)."""
    automation, home = execution.automation, execution.home
    target = execution.webhook or execution.slack_channel
    own = home.team_id if isinstance(home, Project) else None
    if wish.content is Content.CURRENT or target is None or target.team_id in {own, *administered}:
        return ""
    if wish.content is Content.EDITED:
        return _("An edited payload goes only to webhooks of teams that you are an admin of.")
    if automation is None or automation.target != target:
        return _("The automation no longer goes there, and it is another team's: only an admin of that team may.")
    return ""


def _check_payload(payload: str) -> None:
    try:
        templating.parse(payload)
    except templating.InvalidTemplate as error:
        raise ValidationError({"payload": error.message}) from error
