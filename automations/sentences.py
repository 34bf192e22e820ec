"""An automation as one sentence: the same in the wizard, the list, the history and the API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from django.utils.translation import get_language, gettext_noop
from django.utils.translation import gettext as _

from automations.models import ActionKind, SlackChannel, Webhook
from automations.triggers import InvalidCondition, trigger_for

HIDDEN = {
    ActionKind.WEBHOOK.value: gettext_noop("a webhook of another team"),
    ActionKind.SLACK.value: gettext_noop("a Slack channel of another team"),
}
_HIDDEN = {
    ActionKind.WEBHOOK.value: gettext_noop("call a webhook of another team"),
    ActionKind.SLACK.value: gettext_noop("post to a Slack channel of another team"),
}

WITHOUT_CAPITALS = frozenset({"ja"})


class Described(Protocol):
    """What a sentence is made of: an automation, or the draft of one."""

    event_type: str
    filter: dict[str, object]
    condition: dict[str, object]
    action_kind: str

    @property
    def target(self) -> Webhook | SlackChannel | None: ...


def summary(automation: Described, *, target_hidden: bool = False) -> str:
    """`When a run fails, where run name matches ^prod-, call webhook pager`; `target_hidden` is for a reader who may
    not see the team of the webhook or Slack channel."""
    return joined(
        when_clause(automation.event_type, automation.condition, automation.filter),
        do_clause(automation.action_kind, automation.target, hidden=target_hidden),
    )


def summary_of(rule: Mapping[str, Any]) -> str:
    """The same of a rule as versions keep it; one that names no target is shown to a reader who may not see it."""
    kind, webhook, channel = rule["action_kind"], rule["webhook"], rule["slack_channel"]
    if kind == ActionKind.NO_OP or (webhook is None and channel is None):
        do = do_clause(kind, None, hidden=True)
    else:
        do = _do(kind, webhook.partition("/")[2] if webhook else f"#{channel.partition('/')[2]}")
    return joined(when_clause(rule["event_type"], rule["condition"], rule["filter"]), do)


def joined(when: str, do: str) -> str:
    """Both halves as one sentence."""
    return _("%(when)s, %(do)s") % {"when": when, "do": do}


def without_target(summary: str, *, action_kind: str, name: str | None) -> str:
    """A summary that was stored, for a reader who may not see the team of its webhook or Slack channel."""
    clause = _do(action_kind, name)
    return f"{summary.removesuffix(clause)}{_hidden(action_kind)}" if summary.endswith(clause) else ""


def when_clause(event_type: str, condition: object, filter: object) -> str:
    """`When a run fails, where run name matches ^prod-`; a rule that became invalid is said to be."""
    trigger = trigger_for(event_type)
    try:
        clause = trigger.clause(condition, filter)
    except InvalidCondition as error:
        told = {"event": trigger.label.lower(), "error": error.message}
        return _("When %(event)s meets a condition that cannot be evaluated (%(error)s)") % told
    if clause.where:
        return _("When %(clause)s, where %(where)s") % {"clause": clause.happening, "where": clause.where}
    return _("When %(clause)s") % {"clause": clause.happening}


def happening(event_type: str, condition: object, filter: object) -> str:
    """What starts it, `a run fails, where run name matches ^prod-`, of a rule that is valid."""
    clause = trigger_for(event_type).clause(condition, filter)
    if not clause.where:
        return clause.happening
    return _("%(clause)s, where %(where)s") % {"clause": clause.happening, "where": clause.where}


def capitalized(clause: str) -> str:
    """A clause as the beginning of a sentence, where the language has capital letters."""
    return clause if get_language() in WITHOUT_CAPITALS else clause[:1].upper() + clause[1:]


def do_clause(action_kind: str, target: Webhook | SlackChannel | None, *, hidden: bool = False) -> str:
    """`call webhook pager`, `post to #alerts in Slack`, `call a webhook of another team`, or `do nothing but record
    it`."""
    if hidden and action_kind != ActionKind.NO_OP:
        return _hidden(action_kind)
    return do_named(action_kind, str(target) if target else None)


def do_named(action_kind: str, name: str | None) -> str:
    """The same where the name alone is known; without one it is a target the reader may not see, or that is gone."""
    if action_kind == ActionKind.NO_OP:
        return _("do nothing but record it")
    return _do(action_kind, name)


def _do(action_kind: str, name: str | None) -> str:
    if action_kind == ActionKind.SLACK:
        return _("post to %(name)s in Slack") % {"name": name} if name else _("post to a Slack channel")
    return _("call webhook %(name)s") % {"name": name} if name else _("call a webhook")


def _hidden(action_kind: str) -> str:
    return _(_HIDDEN[action_kind])
