from automations.models.allowance import Allowance
from automations.models.automation import ActionKind, Automation, EventType, ScopeKind, Severity
from automations.models.event import Event
from automations.models.execution import Attempt, Cooldown, Execution, ReasonCode, Status
from automations.models.integration import SlackChannel, SlackKind, Webhook, WebhookHeader
from automations.models.version import AutomationSwitch, AutomationVersion

__all__ = [
    "ActionKind",
    "Allowance",
    "Attempt",
    "Automation",
    "AutomationSwitch",
    "AutomationVersion",
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
