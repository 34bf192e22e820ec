"""What an automation does. A target of a team that the reader may not see is shown, but not told (AC3)."""

from __future__ import annotations

from ariadne import ObjectType, UnionType
from graphql import GraphQLResolveInfo

from automations.models import Automation, SlackChannel, Webhook
from automations.sentences import HIDDEN
from projects.models import Team
from wandb_gateway.actions import FORMS, Target

action = UnionType("TriggeredAction", lambda automation, *_: FORMS[automation.action_kind].answered_as)
webhook_action = ObjectType("GenericWebhookTriggeredAction")
slack_action = ObjectType("NotificationTriggeredAction")
no_op = ObjectType("NoOpTriggeredAction")


@webhook_action.field("integration")
@slack_action.field("integration")
def target(found: Automation, info: GraphQLResolveInfo) -> Target:
    target = found.target
    assert target is not None  # the check constraint says so
    if target.team_id in visible_teams(info):
        return target
    word = HIDDEN[found.action_kind]
    if isinstance(target, Webhook):
        return Webhook(pk=target.pk, name=word, url="")
    return SlackChannel(pk=target.pk, workspace="", channel=word)


def visible_teams(info: GraphQLResolveInfo) -> set[int]:
    """Keys of the teams whose integrations the reader may know of; looked up once."""
    memory = info.context.memory
    if "visible teams" not in memory:
        memory["visible teams"] = set(Team.objects.visible_to(info.context.user).values_list("pk", flat=True))
    teams: set[int] = memory["visible teams"]
    return teams


webhook_action.set_field("requestPayload", lambda automation, _info: automation.payload or None)
slack_action.set_field("severity", lambda automation, _info: automation.severity or None)
no_op.set_field("noOp", lambda *_: True)

BINDABLES = (action, webhook_action, slack_action, no_op)
