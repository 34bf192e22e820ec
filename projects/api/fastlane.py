"""The short cut of the logging path: one prepared statement instead of three queries the ORM composes each time.

It only ever says yes. Whoever it does not know goes through the one door, `projects.access`, which finds out why.
"""

from __future__ import annotations

from django.db import connection
from django.utils import timezone

from projects import keys
from projects.access import NEEDED_ROLE, Permission
from projects.models import Role, Run

HOLDER_AND_RUN = """SELECT run.id, run.stop_requested_at IS NOT NULL OR run.state = 'killed',
        key.id, holder.is_superuser, member.role, administrator.role
    FROM projects_apikey key
    JOIN projects_user holder ON holder.id = key.user_id
    JOIN projects_team team ON team.name = %s
    JOIN projects_project project ON project.team_id = team.id AND project.name = %s
    JOIN projects_run run ON run.project_id = project.id AND run.run_id = %s
    LEFT JOIN projects_teammember member ON member.team_id = team.id AND member.user_id = holder.id
    LEFT JOIN projects_organizationmember administrator
        ON administrator.organization_id = team.organization_id AND administrator.user_id = holder.id
    WHERE key.digest = %s AND key.revoked_at IS NULL AND holder.is_active
"""


def run_to_append_to(key: str | None, *, team: str, project: str, run_id: str) -> Run | None:
    """The run, with nothing but its primary key, if the API key's holder may surely log to it."""
    found = run_and_wish(key, team=team, project=project, run_id=run_id)
    return None if found is None else found[0]


def run_and_wish(key: str | None, *, team: str, project: str, run_id: str) -> tuple[Run, bool] | None:
    """The same, and whether somebody wishes that the script ends."""
    if not key:
        return None
    with connection.cursor() as cursor:
        cursor.execute(HOLDER_AND_RUN, [team, project, run_id, keys.digest_of(key)])
        row = cursor.fetchone()
    if row is None:
        return None
    run, is_to_stop, api_key, is_superuser, member, administrator = row
    rules = is_superuser or administrator == Role.ADMIN
    logs = member is not None and Role(member).rank >= NEEDED_ROLE[Permission.LOG].rank
    if not (rules or logs):
        return None
    keys.note_use(api_key, at=timezone.now())
    return Run(pk=run), bool(is_to_stop)
