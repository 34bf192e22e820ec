from automations.models.allowance import Allowance
from automations.models.automation import ActionKind, Automation, EventType, ScopeKind, Severity
from automations.models.event import Event
from automations.models.execution import Attempt, Cooldown, Execution, ReasonCode, Status
from automations.models.integration import SlackChannel, SlackKind, Webhook, WebhookHeader

__all__ = [
    "ActionKind",
    "Allowance",
    "Attempt",
    "Automation",
    "Cooldown",
    "Event",
    "EventType",
    "Execution",
    "ReasonCode",
    "ScopeKind",
    "Severity",
    "SlackChannel",
    "SlackKind",
    "Status",
    "Webhook",
    "WebhookHeader",
]
