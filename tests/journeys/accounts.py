"""The accounts of a project: what matched against what became of it, and what was sent against what arrived."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from tests.journeys.server import Api, Server
from tests.receiver import Received

OVER = {"finished", "failed", "skipped"}
# What must have been done: each automation of a project on each of its runs that failed. Taken from the runs, whose
# state is the change itself, and not from the events, so that an event which was not written would be missed.
MATCHED = """
    SELECT count(*) AS number FROM projects_run run
    JOIN projects_project project ON project.id = run.project_id
    JOIN automations_automation automation ON automation.project_id = project.id
    WHERE project.name = %s AND run.state = 'failed'
"""
EXECUTIONS = """
    SELECT execution.id, key, automation_id, status, reason_code, attempt_count, next_attempt_at, claimed_until,
        execution.created_at, (SELECT count(*) FROM automations_attempt WHERE execution_id = execution.id) AS attempts
    FROM automations_execution execution JOIN projects_project project ON project.id = execution.project_id
    WHERE project.name = %s ORDER BY execution.event_id, execution.automation_id
"""


def call_on_failure(server: Server, project: str, *urls: str) -> None:
    """A project with an automation for each address, which is called when a run of the project fails."""
    team = server.login["team"]
    with server.api() as api:
        api("POST", f"teams/{team}/projects/", {"name": project})
        for number, url in enumerate(urls):
            name = f"{project}-{number}"
            api("POST", f"teams/{team}/webhooks/", {"name": name, "url": url})
            automation = {
                "name": name,
                "scope": {"kind": "project", "name": f"{team}/{project}"},
                "event_type": "RUN_STATE",
                "condition": {"states": ["FAILED"]},
                "action_kind": "GENERIC_WEBHOOK",
                "webhook": name,
            }
            api("POST", "automations/", automation)


def begin_run(api: Api, server: Server, project: str) -> str:
    """A run that is running; the address that ends it."""
    home = f"projects/{server.login['team']}/{project}/runs/"
    return f"{home}{api('POST', home, {})['run_id']}/finish/"


def fail_runs(server: Server, project: str, *, count: int = 1) -> None:
    """So many runs fail, one after another."""
    with server.api() as api:
        for _ in range(count):
            api("POST", begin_run(api, server, project), {"exit_code": 1})


def executions_of(server: Server, project: str) -> list[dict[str, Any]]:
    """A project's executions with the number of their attempts, by event and then as their automations were made."""
    return server.rows(EXECUTIONS, project)


def message_id(execution: dict[str, Any]) -> str:
    return f"msg_{str(execution['key']).replace('-', '')}"


def sends(requests: Iterable[Received]) -> Counter[str]:
    """How often each message came."""
    return Counter(request.headers["webhook-id"] for request in requests)


def assert_nothing_is_lost(server: Server, project: str, requests: Iterable[Received]) -> Counter[str]:
    """RE1, RE2: what matched is finished, failed, skipped or pending; what is pending has its time; what is finished
    arrived; and whatever arrived, repeats included, was written down before under the same `webhook-id`. Returns the
    number of executions in each status."""
    executions = executions_of(server, project)
    statuses = Counter(execution["status"] for execution in executions)
    matched = server.rows(MATCHED, project)[0]["number"]
    assert matched == len(executions) == sum(statuses[status] for status in OVER | {"pending"}), (matched, statuses)
    assert all(one["next_attempt_at"] for one in executions if one["status"] == "pending")
    arrived = sends(requests)
    assert {message_id(one) for one in executions if one["status"] == "finished"} <= arrived.keys()
    written_down = Counter({message_id(one): one["attempts"] for one in executions})
    assert arrived <= written_down, (arrived - written_down, statuses)
    return statuses


def wait_for_outcomes(server: Server, project: str, *, timeout: float = 90) -> None:
    """Come back when nothing of a project waits any more."""

    def over() -> bool:
        return {one["status"] for one in executions_of(server, project)} <= OVER

    server.wait_until(over, what=lambda: str(executions_of(server, project)), timeout=timeout)
