"""The registry of actions: to add a kind, write its file and name it here. `docs/adding-an-action.md` has the steps."""

from collections.abc import Mapping

from automations.actions.base import Action, ActionError, Composed, Invocation, Receipt, Sending
from automations.actions.nothing import DoNothing
from automations.actions.slack import PostToSlack
from automations.actions.webhook import CallWebhook
from automations.models import ActionKind

__all__ = ["ACTIONS", "Action", "ActionError", "Composed", "Invocation", "Receipt", "Sending"]

ACTIONS: Mapping[ActionKind, Action] = {action.kind: action for action in (CallWebhook(), PostToSlack(), DoNothing())}
