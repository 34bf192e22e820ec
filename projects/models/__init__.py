from projects.models.alert import AlertLevel, RunAlert
from projects.models.audit import AuditRecord
from projects.models.column import ChosenColumns
from projects.models.console import ConsoleChunk
from projects.models.curve import DrawnUpTo, MetricCurve
from projects.models.file import Blob, RunFile
from projects.models.history import MetricChunk, MetricWindow
from projects.models.invitation import Invitation
from projects.models.key import ApiKey
from projects.models.project import Project
from projects.models.run import Run, RunState
from projects.models.team import Organization, OrganizationMember, Role, Team, TeamMember
from projects.models.user import User

__all__ = [
    "AlertLevel",
    "ApiKey",
    "AuditRecord",
    "Blob",
    "ChosenColumns",
    "ConsoleChunk",
    "DrawnUpTo",
    "Invitation",
    "MetricChunk",
    "MetricCurve",
    "MetricWindow",
    "Organization",
    "OrganizationMember",
    "Project",
    "Role",
    "Run",
    "RunAlert",
    "RunFile",
    "RunState",
    "Team",
    "TeamMember",
    "User",
]
