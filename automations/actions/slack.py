"""Posting to a Slack channel: render, send, read the answer."""

from __future__ import annotations

from typing import ClassVar

from django.utils import translation

from automations import retelling, templating
from automations.actions.base import ActionError, Composed, Invocation
from automations.models import ActionKind, ReasonCode
from automations.slack import calls, digestmessages, messages


class PostToSlack:
    kind: ClassVar[ActionKind] = ActionKind.SLACK

    def compose(self, invocation: Invocation) -> Composed:
        execution = invocation.execution
        channel = execution.slack_channel
        if channel is None:
            raise ActionError(
                "The Slack channel was deleted before this could be sent.",
                permanent=True,
                code=ReasonCode.NOT_SENDABLE,
            )
        try:
            with translation.override(channel.team.language):
                message = digestmessages.message_of(execution) or messages.message_of(
                    execution.event, execution.rule, because=retelling.because(execution), execution=execution
                )
        except (templating.InvalidTemplate, templating.RenderedTooLarge) as error:
            raise ActionError(
                f"The message could not be rendered: {error}", permanent=True, code=ReasonCode.NOT_SENDABLE
            ) from error
        return calls.compose(channel, message, key=execution.key.hex, keyring=invocation.keyring)
