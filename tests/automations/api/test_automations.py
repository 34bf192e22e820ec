"""Automations over REST."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from automations.models import Automation
from projects import teams
from projects.models import Project, Role, Team, User
from registries.models import Registry
from tests import factories

Api = Callable[[User | None], APIClient]
AUTOMATIONS = "/api/automations/"
FAILED: dict[str, Any] = {
    "name": "Page on failed production runs",
    "scope": {"kind": "project", "name": "research/digits"},
    "event_type": "RUN_STATE",
    "filter": {"display_name": {"$regex": "^prod-"}},
    "condition": {"states": ["FAILED"]},
    "action_kind": "GENERIC_WEBHOOK",
    "webhook": "research/pager",
    "payload": '{"text": "${run_name}"}',
}


def test_an_admin_creates_an_automation(api: Api, alice: User, project: Project) -> None:
    """SC2"""
    factories.make_webhook(project.team)
    client = api(alice)

    made = client.post(AUTOMATIONS, FAILED)

    assert made.status_code == 201
    found = made.json()
    assert {name: found[name] for name in FAILED} == FAILED
    assert found["summary"].startswith("When a run fails")
    assert found["summary"].endswith("call webhook pager")
    assert (found["enabled"], found["created_by"], found["last_triggered_at"]) == (True, "alice", None)
    assert client.get(f"{AUTOMATIONS}{found['id']}/").json() == found
    assert client.get(AUTOMATIONS).json()["results"] == [found]


def test_it_fires_and_its_history_is_told(api: Api, alice: User, bob: User, project: Project) -> None:
    api(alice).post(AUTOMATIONS, FAILED | {"action_kind": "NO_OP", "webhook": None, "payload": ""})
    runs = "/api/projects/research/digits/runs/"
    client = api(bob)
    client.post(runs, {"run_id": "first", "display_name": "prod-1"})
    client.post(f"{runs}first/finish/", {"exit_code": 1})

    (execution,) = client.get("/api/executions/").json()["results"]

    assert (execution["run"], execution["project"]) == ("first", "research/digits")
    assert execution["automation_name"] == FAILED["name"]
    (automation,) = client.get(AUTOMATIONS).json()["results"]
    assert automation["last_triggered_at"] is not None


@pytest.mark.parametrize(
    ("scope", "event_type", "condition"),
    [
        ({"kind": "organization", "name": "acme"}, "RUN_STATE", {"states": ["FAILED"]}),
        ({"kind": "team", "name": "research"}, "RUN_STATE", {"states": ["FAILED"]}),
        ({"kind": "project", "name": "research/digits"}, "CREATE_ARTIFACT", {}),
        ({"kind": "registry", "name": "acme/models"}, "LINK_MODEL", {}),
        ({"kind": "collection", "name": "research/digits/model"}, "ADD_ARTIFACT_ALIAS", {}),
        ({"kind": "registry_collection", "name": "acme/models/classifier"}, "ADD_ARTIFACT_ALIAS", {}),
    ],
)
def test_every_scope_is_named_by_its_path(
    api: Api,
    registry: Registry,
    *,
    scope: dict[str, str],
    event_type: str,
    condition: dict[str, Any],
) -> None:
    """SC3"""
    alice = factories.make_user("alice")
    teams.set_organization_role(alice, organization=registry.organization, role=Role.ADMIN)
    factories.make_version()
    factories.make_collection(registry)

    made = api(alice).post(
        AUTOMATIONS,
        {"name": "a", "scope": scope, "event_type": event_type, "condition": condition, "action_kind": "NO_OP"},
    )

    assert made.status_code == 201, made.json()
    assert made.json()["scope"] == scope
    listed = api(alice).get(f"{AUTOMATIONS}?scope={scope['kind']}").json()["results"]
    assert [row["scope"] for row in listed] == [scope]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 256}, "name"),
        ({"name": ["x"]}, "name"),
        ({"scope": {"kind": "project", "name": "research/nowhere"}}, "scope"),
        ({"scope": {"kind": "project", "name": "nowhere/digits"}}, "scope"),
        ({"scope": {"kind": "project", "name": "research"}}, "scope"),
        ({"scope": {"kind": "galaxy", "name": "research"}}, "scope.kind"),
        ({"scope": {"kind": "team", "name": "nul\x00"}}, "scope.name"),
        ({"scope": "research/digits"}, "scope"),
        ({"scope": None}, "scope"),
        ({"event_type": "SUNRISE"}, "event_type"),
        ({"event_type": {}}, "event_type"),
        ({"scope": {"kind": "registry", "name": "acme/models"}}, "event_type"),
        ({"filter": {"display_name": {"$regex": "(?=lookahead)"}}}, "filter"),
        ({"filter": {"display_name": {"$regex": "("}}}, "filter"),
        ({"filter": {"unknown": 1}}, "filter"),
        ({"filter": {"$where": "1"}}, "filter"),
        ({"filter": []}, "filter"),
        ({"condition": {"states": ["SLEEPING"]}}, "condition"),
        ({"condition": {}}, "condition"),
        ({"condition": "FAILED"}, "condition"),
        ({"action_kind": "SELF_DESTRUCT"}, "action_kind"),
        ({"webhook": None}, "webhook"),
        ({"webhook": "research/nowhere"}, "webhook"),
        ({"webhook": "nowhere/pager"}, "webhook"),
        ({"webhook": 7}, "webhook"),
        ({"payload": "{not json"}, "payload"),
        ({"payload": {"text": "x"}}, "payload"),
        ({"payload": "[" * 10_000}, "payload"),
        ({"enabled": "perhaps"}, "enabled"),
    ],
)
def test_a_bad_automation_is_refused_with_its_field(
    api: Api, alice: User, registry: Registry, change: dict[str, Any], field: str
) -> None:
    """SC4, EV10, PL1"""
    factories.make_webhook(factories.make_project().team)

    answer = api(alice).post(AUTOMATIONS, FAILED | change)

    assert answer.status_code == 400, answer.json()
    fields = [error["field"] for error in answer.json()["errors"]]
    assert any(name == field or name.startswith(f"{field}.") for name in fields), fields
    assert not Automation.objects.exists()


def test_names_are_unique_in_a_scope(api: Api, alice: User, project: Project) -> None:
    """SC2"""
    factories.make_webhook(project.team)
    client = api(alice)
    client.post(AUTOMATIONS, FAILED)

    again = client.post(AUTOMATIONS, FAILED)

    assert again.status_code == 409
    assert again.json()["errors"][0]["field"] == "name"


def test_a_patch_leaves_the_rest_and_a_put_replaces_it(api: Api, alice: User, project: Project) -> None:
    factories.make_webhook(project.team)
    client = api(alice)
    made = client.post(AUTOMATIONS, FAILED).json()
    one = f"{AUTOMATIONS}{made['id']}/"

    off = client.patch(one, {"enabled": False, "webhook": "pager"}).json()
    assert off | {"updated_at": ""} == made | {"enabled": False, "updated_at": ""}

    put = {name: value for name, value in FAILED.items() if name not in {"filter", "payload"}}
    replaced = client.put(one, put).json()
    assert (replaced["enabled"], replaced["filter"], replaced["payload"]) == (True, {}, "")
    assert client.put(one, {"name": "only a name"}).status_code == 400


def test_an_automation_stays_in_its_scope(api: Api, alice: User, project: Project) -> None:
    automation = factories.make_automation(project)
    other = {"kind": "team", "name": "research"}

    answer = api(alice).patch(f"{AUTOMATIONS}{automation.pk}/", {"scope": other})

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "scope")


def test_deleting_ends_it(api: Api, alice: User, project: Project) -> None:
    automation = factories.make_automation(project)
    client = api(alice)

    assert client.delete(f"{AUTOMATIONS}{automation.pk}/").status_code == 204
    assert client.get(f"{AUTOMATIONS}{automation.pk}/").status_code == 404
    assert client.get(f"{AUTOMATIONS}{10**30}/").status_code == 404


def test_members_look_and_admins_change(api: Api, bob: User, charlie: User, project: Project) -> None:
    automation = factories.make_automation(project, webhook=factories.make_webhook(project.team))
    one = f"{AUTOMATIONS}{automation.pk}/"

    assert api(bob).get(one).json()["webhook"] == "research/pager"
    assert api(bob).patch(one, {"enabled": False}).status_code == 403
    assert api(bob).put(one, FAILED).status_code == 403
    assert api(bob).delete(one).status_code == 403
    assert api(bob).post(AUTOMATIONS, FAILED).status_code == 403
    for method in ("get", "patch", "put", "delete"):
        assert getattr(api(charlie), method)(one).status_code == 404
    assert api(charlie).get(AUTOMATIONS).json()["results"] == []


def test_a_team_may_let_members_edit(api: Api, bob: User, project: Project) -> None:
    Team.objects.update(members_edit_automations=True)
    factories.make_webhook(project.team)

    assert api(bob).post(AUTOMATIONS, FAILED).status_code == 201


def test_a_webhook_of_a_hidden_team_is_not_named(api: Api, bob: User, charlie: User, project: Project) -> None:
    """AZ1, AC3"""
    webhook = factories.make_webhook(factories.make_team("secret"))
    automation = factories.make_automation(project, webhook=webhook)

    assert api(bob).get(f"{AUTOMATIONS}{automation.pk}/").json()["webhook"] is None
    assert api(bob).get(AUTOMATIONS).json()["results"][0]["webhook"] is None


def test_the_list_is_filtered(api: Api, alice: User, project: Project, registry: Registry) -> None:
    version = factories.make_version(project)
    factories.make_automation(project, name="failed run")
    factories.make_automation(project.team, name="Any failed run", enabled=False)
    factories.make_automation(registry, "LINK_MODEL", name="linked")
    factories.make_automation(version.collection, "ADD_ARTIFACT_ALIAS", name="alias")
    client = api(alice)

    def names(query: str) -> set[str]:
        return {row["name"] for row in client.get(f"{AUTOMATIONS}?{query}").json()["results"]}

    assert names("team=research") == {"failed run", "Any failed run", "alias"}
    assert names("project=research/digits") == {"failed run", "alias"}
    assert names("registry=acme/models") == {"linked"}
    assert names("event_type=LINK_MODEL") == {"linked"}
    assert names("enabled=false") == {"Any failed run"}
    assert names("search=FAILED") == {"failed run", "Any failed run"}
    assert names("project=nowhere/digits") == set()
    assert client.get(f"{AUTOMATIONS}?event_type=SUNRISE").status_code == 400
    assert client.get(f"{AUTOMATIONS}?search=%00").status_code == 400


def test_the_list_costs_the_same_queries_for_3_automations_and_for_30(
    api: Api, alice: User, project: Project, registry: Registry
) -> None:
    webhook = factories.make_webhook(project.team)
    client = api(alice)
    client.get(AUTOMATIONS)
    costs = []
    for first, last in ((0, 1), (1, 10)):
        for number in range(first, last):
            collection = factories.make_version(project, f"c{number}").collection
            factories.make_automation(project, name=f"a{number}", webhook=webhook, created_by=alice)
            factories.make_automation(registry, "LINK_MODEL", name=f"a{number}")
            factories.make_automation(collection, "ADD_ARTIFACT_ALIAS", name=f"a{number}")
        with CaptureQueriesContext(connection) as queries:
            client.get(AUTOMATIONS)
        costs.append(len(queries))

    assert costs[0] == costs[1]
