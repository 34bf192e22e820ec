"""What the fields of an action may say: its target, its payload, the title and text of its message."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from automations import differences, templating
from automations.access import Scope, slack_channels_usable_by, webhooks_usable_by
from automations.models import ActionKind, Automation, Severity, Webhook
from automations.models.automation import TARGETS
from automations.slack import messages
from projects.jsonvalues import storable
from projects.models import User

if TYPE_CHECKING:
    from automations.editing import Draft

# What each action has to be told; the others leave it empty.
FIELDS_OF_ACTION: dict[ActionKind, tuple[str, ...]] = {
    ActionKind.WEBHOOK: ("webhook", "payload"),
    ActionKind.SLACK: ("slack_channel", "title", "message", "severity"),
}
LONGEST = {"title": 1_000, "message": 10_000}


def problems_of(draft: Draft, *, scope: Scope, user: User, automation: Automation | None) -> dict[str, str]:
    """What is wrong with the fields of a draft's action, by field."""
    kind = ActionKind(draft.action_kind)
    foreign = [name for other, names in FIELDS_OF_ACTION.items() if other is not kind for name in names]
    said = [name for name in foreign if getattr(draft, name)]
    if said:
        words = ", ".join(differences.label_of(name) for name in said)
        return {
            "action_kind": _("“%(label)s” has no %(words)s; leave that out.") % {"label": kind.label, "words": words}
        }
    problems: dict[str, str] = {}
    if kind in TARGETS:
        problems |= _target_problems(draft, kind, scope=scope, user=user, automation=automation)
    if kind is ActionKind.WEBHOOK and draft.payload.strip():
        problems |= _template_problems("payload", draft.payload, templating.parse)
    if kind is ActionKind.SLACK:
        if draft.severity and draft.severity not in Severity.values:
            problems["severity"] = _("“%(severity)s” is no severity; choose of %(values)s.") % {
                "severity": draft.severity,
                "values": ", ".join(Severity.values),
            }
        for name in LONGEST:
            problems |= message_problems(name, getattr(draft, name))
    return problems


def _target_problems(
    draft: Draft, kind: ActionKind, *, scope: Scope, user: User, automation: Automation | None
) -> dict[str, str]:
    field, target = TARGETS[kind], draft.target
    if target is None:
        return {
            field: _("Choose the webhook to call.") if field == "webhook" else _("Choose the Slack channel to post to.")
        }
    # Keeping the one it has is no new use: the automation acts for its team, not for who edits it (AZ3).
    if automation is not None and getattr(automation, f"{field}_id") == target.pk:
        return {}
    usable = webhooks_usable_by if isinstance(target, Webhook) else slack_channels_usable_by
    if usable(user, scope).filter(pk=target.pk).exists():
        return {}
    # It may be of a team the user knows nothing of, if the automation is moved.
    known = type(target).objects.visible_to(user).filter(pk=target.pk).exists()
    if field == "webhook":
        named = _("webhook %(name)s") % {"name": target} if known else _("this webhook")
    else:
        named = _("Slack channel %(name)s") % {"name": target} if known else _("this Slack channel")
    return {field: _("You may not use %(named)s: ask an admin of its team.") % {"named": named}}


def message_problems(name: str, text: str) -> dict[str, str]:
    """What is wrong with the title or the text of a Slack message, by field."""
    if len(text) > LONGEST[name]:
        return {
            name: _("This has %(text)s characters; at most %(longest)s are sent.")
            % {"text": f"{len(text):,}", "longest": f"{LONGEST[name]:,}"}
        }
    return _template_problems(name, text, lambda text: messages.check(text, ""))


def _template_problems(name: str, text: str, parse: Callable[[str], object]) -> dict[str, str]:
    try:
        parse(text)
        storable(text)
    except templating.InvalidTemplate as error:
        return {name: str(error)}
    except ValidationError as error:
        return {name: error.messages[0]}
    return {}
