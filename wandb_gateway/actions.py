"""Actions as the client describes them, and as the fields of a draft."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.core.exceptions import BadRequest

from automations.models import ActionKind, Automation, SlackChannel, Webhook
from automations.models.automation import TARGETS
from projects.models import User
from wandb_gateway import ids
from wandb_gateway.refusals import Unsupported

Target = Webhook | SlackChannel


@dataclass(frozen=True, slots=True)
class Form:
    """A kind of action: its type in answers, the part of a request that describes it, and what its ids are of."""

    answered_as: str
    described_by: str
    integration: str = ""
    model: type[Target] | None = None


FORMS: dict[str, Form] = {
    ActionKind.WEBHOOK: Form(
        "GenericWebhookTriggeredAction", "genericWebhookActionInput", "WebhookIntegration", Webhook
    ),
    ActionKind.SLACK: Form("NotificationTriggeredAction", "notificationActionInput", "SlackIntegration", SlackChannel),
    ActionKind.NO_OP: Form("NoOpTriggeredAction", "noOpActionInput"),
}
NOTHING: dict[str, Any] = {
    "webhook": None,
    "payload": "",
    "slack_channel": None,
    "title": "",
    "message": "",
    "severity": "",
}


def asked_of(kind: str, config: dict[str, Any], *, by: User, automation: Automation | None = None) -> dict[str, Any]:
    """The fields of a draft; `automation` is the one that has them now, if it is changed.

    Raises:
        Unsupported: there is no such action here.
        BadRequest: it is not described, or acts on something the user may not see.
    """
    form = FORMS.get(kind)
    if form is None:
        raise Unsupported(f"There is no action {kind} here. Automations call a webhook, post to Slack, or do nothing.")
    described = config.get(form.described_by)
    if described is None:
        raise BadRequest(f"The action {kind} is described by {form.described_by}, which is missing.")
    fields = NOTHING | {"action_kind": kind}
    if form.model is not None:
        fields[TARGETS[ActionKind(kind)]] = _target(form, described["integrationID"], by=by, automation=automation)
    if kind == ActionKind.WEBHOOK:
        fields["payload"] = described.get("requestPayload") or ""
    if kind == ActionKind.SLACK:
        fields |= {name: described.get(name) or "" for name in ("title", "message", "severity")}
    return fields


def _target(form: Form, text: str, *, by: User, automation: Automation | None) -> Target:
    """The webhook or channel with this id: one the user may see, or the one the automation acts on anyway."""
    assert form.model is not None  # the caller looked
    try:
        number = ids.number(text, form.integration)
    except ids.UnknownId as error:
        raise BadRequest(f"integrationID: {error}") from error
    kept = automation.target if automation is not None else None
    if isinstance(kept, form.model) and kept.pk == number:
        return kept
    found: Target | None = form.model.objects.visible_to(by).filter(pk=number).first()
    if found is None:
        raise BadRequest("integrationID: There is no such integration, or you may not see it.")
    return found
