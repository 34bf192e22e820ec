"""The run that a batch is appended to, held until the transaction ends.

Logging is the hot path, and composing this query by the ORM would cost more than running it: it is written out. What
appending does not need (config, notes, …) is deferred, as by `QuerySet.only`.
"""

from __future__ import annotations

from django.db import connection

from projects.models import Project, Run, Team, User

HELD_RUN = """SELECT run.id, run.project_id, run.run_id, run.state, run.user_id, run.summary, run.heartbeat_at,
        run.history_lines, run.system_lines, run.console_lines, run.keeps_summary, run.system_metrics, run.preempting,
        run.stop_requested_at, project.name AS project_name, project.rules_version AS rules_version,
        team.id AS team_id, team.name AS team_name, team.organization_id AS organization_id,
        starter.username AS starter_name
    FROM projects_run run
    JOIN projects_project project ON project.id = run.project_id
    JOIN projects_team team ON team.id = project.team_id
    LEFT JOIN projects_user starter ON starter.id = run.user_id
    WHERE run.id = %s
"""


def hold(pk: int) -> Run:
    """The run with its project, team and user, locked for this transaction.

    Raises:
        Run.DoesNotExist: it was deleted meanwhile.
    """
    # On SQLite the transaction itself holds the whole database since it began.
    lock = " FOR UPDATE OF run" if connection.features.has_select_for_update_of else ""
    for run in Run.objects.raw(HELD_RUN + lock, [pk]):
        found = run.__dict__
        project = Project.from_db(
            connection.alias,
            ["id", "team_id", "name", "rules_version"],
            [run.project_id, found["team_id"], found["project_name"], found["rules_version"]],
        )
        project.team = Team.from_db(
            connection.alias,
            ["id", "name", "organization_id"],
            [found["team_id"], found["team_name"], found["organization_id"]],
        )
        run.project = project
        if run.user_id is not None:
            run.user = User.from_db(connection.alias, ["id", "username"], [run.user_id, found["starter_name"]])
        return run
    raise Run.DoesNotExist(f"There is no run {pk} any more.")
