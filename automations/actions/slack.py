"""Posting to a Slack channel: render, send, read the answer."""

from __future__ import annotations

from typing import ClassVar

from automations import templating
from automations.actions.base import ActionError, Invocation, Receipt
from automations.models import ActionKind, Execution, ReasonCode, SlackChannel
from automations.slack import calls, messages


class PostToSlack:
    kind: ClassVar[ActionKind] = ActionKind.SLACK

    def perform(self, invocation: Invocation) -> Receipt:
        execution = invocation.execution
        channel, message = _composed(execution)
        return calls.post(channel, message, key=execution.key.hex, about_to_send=invocation.about_to_send)

    def rehearse(self, execution: Execution) -> str:
        return calls.shown(*_composed(execution))


def _composed(execution: Execution) -> tuple[SlackChannel, messages.Message]:
    channel = execution.slack_channel
    if channel is None:
        raise ActionError(
            "The Slack channel was deleted before this could be sent.",
            permanent=True,
            code=ReasonCode.NOT_SENDABLE,
        )
    try:
        message = messages.message_of(
            execution.event, execution.rule, because=execution.matched_because, execution=execution
        )
    except (templating.InvalidTemplate, templating.RenderedTooLarge) as error:
        raise ActionError(
            f"The message could not be rendered: {error}", permanent=True, code=ReasonCode.NOT_SENDABLE
        ) from error
    return channel, message
