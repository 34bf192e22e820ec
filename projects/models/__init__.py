from projects.models.history import MetricChunk, MetricWindow
from projects.models.key import ApiKey
from projects.models.project import Project
from projects.models.run import Run, RunState
from projects.models.team import Organization, OrganizationMember, Role, Team, TeamMember
from projects.models.user import User

__all__ = [
    "ApiKey",
    "MetricChunk",
    "MetricWindow",
    "Organization",
    "OrganizationMember",
    "Project",
    "Role",
    "Run",
    "RunState",
    "Team",
    "TeamMember",
    "User",
]
