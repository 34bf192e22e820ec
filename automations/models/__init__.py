from automations.models.allowance import Allowance
from automations.models.automation import ActionKind, Automation, EventType, ScopeKind, Severity
from automations.models.event import Event
from automations.models.execution import Attempt, Cooldown, Execution, ReasonCode, Status
from automations.models.health import Health
from automations.models.holding import ChannelPost, Digest, HeldFor
from automations.models.integration import SlackChannel, SlackKind, Webhook, WebhookHeader
from automations.models.notice import Notice, NoticeKind, NoticeMail, NoticeReading
from automations.models.purge import Purge
from automations.models.redelivery import Content, Redelivery
from automations.models.version import AutomationSwitch, AutomationVersion
from automations.models.workspace import SlackWorkspace

__all__ = [
    "ActionKind",
    "Allowance",
    "Attempt",
    "Automation",
    "AutomationSwitch",
    "AutomationVersion",
    "ChannelPost",
    "Content",
    "Cooldown",
    "Digest",
    "Event",
    "EventType",
    "Execution",
    "Health",
    "HeldFor",
    "Notice",
    "NoticeKind",
    "NoticeMail",
    "NoticeReading",
    "Purge",
    "ReasonCode",
    "Redelivery",
    "ScopeKind",
    "Severity",
    "SlackChannel",
    "SlackKind",
    "SlackWorkspace",
    "Status",
    "Webhook",
    "WebhookHeader",
]
