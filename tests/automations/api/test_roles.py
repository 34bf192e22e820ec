"""Who may do what over REST: every role at every address (AZ1, and the table of the specification's chapter 8)."""

import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone
from rest_framework.test import APIClient

from automations import redelivering
from automations.backtest import turns
from projects import invitations, service_accounts, teams
from projects.models import Project, Role, User
from projects.models.user import User as UserModel
from registries import labels, roster
from registries.models import ProtectedAlias, Registry, RegistryMember
from secrets_vault import secrets
from tests import factories

Api = Callable[[User | None], APIClient]
ROLES = ("nobody", "charlie", "viewer", "bob", "alice", "owner", "operator")
RUN = "/api/projects/research/digits/runs/first/"
VERSION = "/api/projects/research/digits/collections/model/versions/v0/"
LINKED = "/api/registries/acme/models/collections/champion/versions/v0/"
WEBHOOK = "/api/teams/research/webhooks/pager/"
CHANNEL = "/api/teams/research/slack-channels/ml-alerts/"
NEW_CHANNEL = {"workspace": "Acme", "channel": "new", "webhook_url": "https://hooks.invalid/services/y"}
ACCOUNT = "/api/teams/research/service-accounts/nightly/"
WORKSPACE = "/api/teams/research/slack-workspaces/{workspace}/"
TOMORROW = (timezone.now() + timedelta(days=1)).isoformat()
AUTOMATION = {
    "name": "new",
    "scope": {"kind": "project", "name": "research/digits"},
    "event_type": "RUN_STATE",
    "condition": {"states": ["FAILED"]},
    "action_kind": "NO_OP",
}

AS_CODE = {
    "project": "research/digits",
    "automations": [
        {"name": "new", "event_type": "RUN_STATE", "condition": {"states": ["FAILED"]}, "action_kind": "NO_OP"}
    ],
}
DRAFT = {name: AUTOMATION[name] for name in ("scope", "event_type", "condition")}

# Who sees, who logs, who changes settings, who rules the organization: statuses in the order of ROLES.
SEES = (401, 404, 200, 200, 200, 200, 200)
LOGS = (401, 404, 403, "ok", "ok", "ok", "ok")
RULES_TEAM = (401, 404, 403, 403, "ok", "ok", "ok")
RULES_ORGANIZATION = (401, 404, 403, 403, 403, "ok", "ok")

MATRIX = [
    ("GET", "/api/teams/research/", None, SEES),
    ("GET", "/api/teams/research/projects/", None, SEES),
    ("POST", "/api/teams/research/projects/", {"name": "new"}, LOGS),
    ("GET", "/api/projects/research/digits/", None, SEES),
    ("GET", "/api/projects/research/digits/runs/", None, SEES),
    ("POST", "/api/projects/research/digits/runs/", {"run_id": "new"}, LOGS),
    ("POST", "/api/projects/research/fresh/runs/", {"run_id": "new"}, LOGS),
    ("GET", RUN, None, SEES),
    ("PATCH", RUN, {"notes": "x"}, LOGS),
    ("POST", f"{RUN}start/", None, LOGS),
    ("POST", f"{RUN}heartbeat/", None, LOGS),
    ("POST", f"{RUN}finish/", {"exit_code": 0}, LOGS),
    ("POST", f"{RUN}kill/", None, LOGS),
    ("GET", f"{RUN}metrics/?key=loss", None, SEES),
    ("GET", "/api/projects/research/digits/curves/?metric=loss&run=first", None, SEES),
    ("POST", f"{RUN}metrics/", [{"loss": 1}], LOGS),
    ("POST", "/api/projects/research/digits/artifacts/", {"collection": "model", "type": "model"}, LOGS),
    ("GET", "/api/projects/research/digits/collections/", None, SEES),
    ("GET", "/api/projects/research/digits/collections/model/", None, SEES),
    ("GET", "/api/projects/research/digits/collections/model/versions/", None, SEES),
    ("GET", VERSION, None, SEES),
    ("POST", f"{VERSION}aliases/", {"alias": "new"}, LOGS),
    ("DELETE", f"{VERSION}aliases/old/", None, LOGS),
    ("POST", f"{VERSION}tags/", {"tag": "new"}, LOGS),
    ("DELETE", f"{VERSION}tags/old/", None, LOGS),
    ("POST", "/api/projects/research/digits/collections/model/tags/", {"tag": "new"}, LOGS),
    ("DELETE", "/api/projects/research/digits/collections/model/tags/old/", None, LOGS),
    ("GET", "/api/registries/acme/", None, SEES),
    ("POST", "/api/registries/acme/", {"name": "new"}, RULES_ORGANIZATION),
    ("GET", "/api/registries/acme/models/", None, SEES),
    ("GET", "/api/registries/acme/models/members/", None, SEES),
    ("POST", "/api/registries/acme/models/members/", {"username": "bob"}, RULES_ORGANIZATION),
    ("PATCH", "/api/registries/acme/models/members/guest/", {"role": "member"}, RULES_ORGANIZATION),
    ("DELETE", "/api/registries/acme/models/members/guest/", None, RULES_ORGANIZATION),
    ("GET", "/api/registries/acme/models/teams/", None, SEES),
    ("POST", "/api/registries/acme/models/teams/", {"team": "research"}, RULES_ORGANIZATION),
    ("PATCH", "/api/registries/acme/models/teams/guests/", {"role": "member"}, RULES_ORGANIZATION),
    ("DELETE", "/api/registries/acme/models/teams/guests/", None, RULES_ORGANIZATION),
    ("GET", "/api/registries/acme/models/protected-aliases/", None, SEES),
    ("POST", "/api/registries/acme/models/protected-aliases/", {"alias": "new"}, RULES_ORGANIZATION),
    ("DELETE", "/api/registries/acme/models/protected-aliases/live/", None, RULES_ORGANIZATION),
    ("GET", "/api/registries/acme/models/collections/", None, SEES),
    ("POST", "/api/registries/acme/models/collections/", {"name": "new", "type": "model"}, LOGS),
    ("GET", "/api/registries/acme/models/collections/champion/", None, SEES),
    ("GET", "/api/registries/acme/models/collections/champion/versions/", None, SEES),
    ("POST", "/api/registries/acme/models/collections/champion/links/", {"version": "research/digits/model:v0"}, LOGS),
    ("GET", LINKED, None, SEES),
    ("POST", f"{LINKED}aliases/", {"alias": "new"}, LOGS),
    ("DELETE", f"{LINKED}aliases/production/", None, LOGS),
    ("POST", f"{LINKED}tags/", {"tag": "new"}, LOGS),
    ("DELETE", f"{LINKED}tags/old/", None, LOGS),
    ("DELETE", LINKED, None, LOGS),
    ("POST", "/api/registries/acme/models/collections/champion/tags/", {"tag": "new"}, LOGS),
    ("DELETE", "/api/registries/acme/models/collections/champion/tags/old/", None, LOGS),
    ("GET", "/api/teams/research/secrets/", None, SEES),
    ("POST", "/api/teams/research/secrets/", {"name": "NEW", "value": "long enough"}, RULES_TEAM),
    ("PUT", "/api/teams/research/secrets/TOKEN/", {"value": "long enough"}, RULES_TEAM),
    ("PATCH", "/api/teams/research/secrets/TOKEN/", {"value": "long enough"}, RULES_TEAM),
    ("DELETE", "/api/teams/research/secrets/TOKEN/", None, RULES_TEAM),
    ("GET", "/api/teams/research/secrets/TOKEN/uses/", None, SEES),
    ("POST", "/api/teams/research/secrets/TURNED/end-old-value/", None, RULES_TEAM),
    ("GET", "/api/teams/research/audit/", None, RULES_TEAM),
    ("GET", "/api/organizations/acme/audit/", None, RULES_ORGANIZATION),
    ("GET", "/api/teams/research/invitations/", None, RULES_TEAM),
    ("POST", "/api/teams/research/invitations/", {"role": "member"}, RULES_TEAM),
    ("DELETE", "/api/teams/research/invitations/{invitation}/", None, RULES_TEAM),
    ("GET", "/api/teams/research/service-accounts/", None, SEES),
    ("POST", "/api/teams/research/service-accounts/", {"name": "weekly"}, RULES_TEAM),
    ("PATCH", f"{ACCOUNT}", {"role": "view-only"}, RULES_TEAM),
    ("GET", f"{ACCOUNT}keys/", None, RULES_TEAM),
    ("POST", f"{ACCOUNT}keys/", {"name": "new"}, RULES_TEAM),
    ("DELETE", f"{ACCOUNT}keys/{{key}}/", None, RULES_TEAM),
    ("DELETE", f"{ACCOUNT}", None, RULES_TEAM),
    ("GET", "/api/teams/research/webhooks/", None, SEES),
    ("POST", "/api/teams/research/webhooks/", {"name": "new", "url": "https://a.example.com/"}, RULES_TEAM),
    ("GET", WEBHOOK, None, SEES),
    ("PATCH", WEBHOOK, {"name": "renamed"}, RULES_TEAM),
    ("POST", f"{WEBHOOK}resume/", None, RULES_TEAM),
    ("POST", f"{WEBHOOK}test/", {"payload": "{}"}, RULES_TEAM),
    ("POST", f"{WEBHOOK}try-new-value/", None, RULES_TEAM),
    ("GET", f"{WEBHOOK}breaker/", None, SEES),
    ("POST", f"{WEBHOOK}breaker/probe/", None, RULES_TEAM),
    ("POST", f"{WEBHOOK}breaker/close/", None, RULES_TEAM),
    ("DELETE", WEBHOOK, None, RULES_TEAM),
    ("GET", "/api/teams/research/slack-channels/", None, SEES),
    ("POST", "/api/teams/research/slack-channels/", NEW_CHANNEL, RULES_TEAM),
    ("GET", CHANNEL, None, SEES),
    ("PATCH", CHANNEL, {"workspace": "Globex"}, RULES_TEAM),
    ("POST", f"{CHANNEL}test/", None, RULES_TEAM),
    ("GET", f"{CHANNEL}limits/", None, SEES),
    ("PATCH", f"{CHANNEL}limits/", {"hourly_budget": 9}, RULES_TEAM),
    ("GET", f"{CHANNEL}spending/", None, RULES_TEAM),
    ("DELETE", CHANNEL, None, RULES_TEAM),
    ("GET", "/api/teams/research/slack-workspaces/", None, SEES),
    # Slack is not to be reached here: those who may ask it are told so.
    ("POST", "/api/teams/research/slack-workspaces/", {"token": "xoxb-a-token"}, (401, 404, 403, 403, 400, 400, 400)),
    ("GET", WORKSPACE, None, SEES),
    ("PATCH", WORKSPACE, {"token": "xoxb-a-token"}, (401, 404, 403, 403, 400, 400, 400)),
    ("GET", f"{WORKSPACE}channels/", None, RULES_TEAM),
    ("DELETE", WORKSPACE, None, RULES_TEAM),
    ("POST", "/api/automations/", AUTOMATION, (401, 400, 403, 403, "ok", "ok", "ok")),
    ("POST", "/api/automations/plan/", AS_CODE, (401, 400, 403, 403, "ok", "ok", "ok")),
    ("POST", "/api/automations/apply/?prune=true", AS_CODE, (401, 400, 403, 403, "ok", "ok", "ok")),
    ("POST", "/api/automations/backtest/", DRAFT, (401, 400, 403, 403, "ok", "ok", "ok")),
    ("GET", "/api/automations/{automation}/", None, SEES),
    ("POST", "/api/automations/{automation}/backtest/", {"days": 7}, SEES),
    ("GET", "/api/automations/{automation}/trace/?run=research/digits/first", None, SEES),
    ("PUT", "/api/automations/{automation}/", AUTOMATION, RULES_TEAM),
    ("PATCH", "/api/automations/{automation}/", {"enabled": False}, RULES_TEAM),
    ("DELETE", "/api/automations/{automation}/", None, RULES_TEAM),
    ("POST", "/api/automations/{automation}/rearm/", None, RULES_TEAM),
    ("POST", "/api/automations/{automation}/snooze/", {"until": TOMORROW}, RULES_TEAM),
    ("DELETE", "/api/automations/{automation}/snooze/", None, RULES_TEAM),
    ("GET", "/api/automations/{automation}/versions/", None, SEES),
    ("GET", "/api/automations/{automation}/versions/1/", None, SEES),
    ("GET", "/api/automations/{automation}/versions/1/diff/?from=1", None, SEES),
    ("POST", "/api/automations/{automation}/versions/1/restore/", None, RULES_TEAM),
    ("GET", "/api/executions/{execution}/", None, SEES),
    ("GET", "/api/executions/{call}/kit/", None, SEES),
    ("POST", "/api/executions/{execution}/redeliver/", {}, RULES_TEAM),
    (
        "POST",
        "/api/executions/redeliver/",
        {"project": "research/digits", "filter": {"status": "finished"}},
        RULES_TEAM,
    ),
    ("POST", "/api/executions/{waiting}/try-now/", None, RULES_TEAM),
    ("POST", "/api/executions/{waiting}/cancel/", None, RULES_TEAM),
    ("GET", "/api/redeliveries/{redelivery}/", None, SEES),
    ("POST", "/api/redeliveries/{redelivery}/cancel/", None, RULES_TEAM),
]
# These answer everybody who is signed in, with what each may see.
PERSONAL = (
    "/api/me/",
    "/api/teams/",
    "/api/organizations/",
    "/api/registries/",
    "/api/automations/",
    "/api/automations/export/",
    "/api/executions/",
    "/api/executions/export.csv",
    "/api/executions/export.json",
    "/api/notices/",
    "/api/notices/1/read/",
    "/api/notices/preferences/",
    "/api/notices/read/",
    "/api/presets/",
)


@pytest.fixture(autouse=True)
def slack_is_far_away(settings: Any) -> None:
    settings.SLACK_API_URL = "https://slack.invalid/api"


@pytest.fixture
def world(alice: User, bob: User, charlie: User, project: Project, registry: Registry) -> dict[str, object]:
    """One of everything; `old` and `production` are there to be taken away."""
    viewer, owner = factories.make_user("viewer"), factories.make_user("owner")
    factories.make_team(viewer=viewer)
    teams.set_organization_role(owner, organization=registry.organization, role=Role.ADMIN)
    RegistryMember.objects.all().delete()
    guest, guests = factories.make_user("guest"), factories.make_team("guests")
    teams.set_organization_role(guest, organization=registry.organization, role=Role.MEMBER)
    roster.add(registry, users=[guest], teams=[guests], role=Role.VIEW_ONLY, by=owner)
    ProtectedAlias.objects.create(registry=registry, name="live")
    run = factories.make_run(project, run_id="first", user=bob)
    version = factories.make_version(project, aliases=["old"], tags=["old"], run=run)
    champion = factories.make_collection(registry, "champion")
    factories.make_link(version, champion, aliases=["production"])
    factories.make_secret(project.team)
    turned = factories.make_secret(project.team, "TURNED")
    secrets.rotate(turned, value="long enough", by=alice, at=timezone.now(), overlap=timedelta(days=1))
    invitation, _ = invitations.invite(project.team, role=Role.MEMBER, by=alice, at=timezone.now())
    account = service_accounts.create(project.team, "nightly", role=Role.MEMBER, by=alice)
    key, _ = service_accounts.create_key(account.user, by=alice)
    # a host that never resolves, so that the test of a webhook ends at once
    factories.make_webhook(project.team, "https://hooks.invalid/")
    factories.make_slack_channel(project.team, credential="https://hooks.invalid/services/x")
    workspace = factories.make_slack_workspace(project.team)
    for collection in (version.collection, champion):
        labels.tag_collection(collection, ["old"], by=bob, at=timezone.now())
    automation = factories.make_automation(project)
    rule = {"name": "Nothing", "event_type": "RUN_STATE", "action_kind": "NO_OP"}
    execution = factories.make_execution(automation, factories.make_event(run), rule=rule)
    again = redelivering.redeliver(execution, redelivering.Wish(), by=alice, at=timezone.now())
    assert again.redelivery is not None
    called = {**rule, "action_kind": "GENERIC_WEBHOOK"}
    call = factories.make_execution(
        automation, factories.make_event(run), rule=called, webhook=project.team.webhooks.get()
    )
    keys = {"execution": execution.key, "call": call.key, "waiting": again.key, "redelivery": again.redelivery.key}
    rows = {"workspace": workspace, "automation": automation, "invitation": invitation, "key": key}
    return {**keys, **{name: row.pk for name, row in rows.items()}}


@pytest.fixture
def clients(api: Api, world: dict[str, object]) -> dict[str, APIClient]:
    """Somebody of every role."""
    people = [factories.make_user(role, superuser=role == "operator") for role in ROLES[1:]]
    return {"nobody": api(None)} | {user.username: api(user) for user in people}


@pytest.mark.parametrize(("method", "address", "body", "expected"), MATRIX)
def test_each_role_may_do_what_the_table_says(
    monkeypatch: pytest.MonkeyPatch,
    clients: dict[str, APIClient],
    world: dict[str, object],
    *,
    method: str,
    address: str,
    body: object,
    expected: tuple[int | str, ...],
) -> None:
    """AZ1"""
    monkeypatch.setattr(turns, "LONGEST_REST", 0)  # replays for one role after another
    for role, wanted in zip(ROLES, expected, strict=True):
        with transaction.atomic():
            answer = getattr(clients[role], method.lower())(address.format(**world), body)
            transaction.set_rollback(True)
        if answer.streaming:
            answer.getvalue()  # what is streamed comes to its end
        found = "ok" if wanted == "ok" and answer.status_code in {200, 201, 204} else answer.status_code
        assert found == wanted, (role, answer.content)
        if answer.status_code >= 400:
            assert answer["Content-Type"] == "application/problem+json"
            assert answer.json()["detail"]


@pytest.mark.parametrize("address", PERSONAL)
def test_nobody_gets_no_list(address: str, db: None) -> None:
    answer = Client().get(address)

    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")
    assert "Authorization: Bearer" in answer.json()["detail"]


def test_the_table_has_every_address_of_the_api(world: dict[str, object]) -> None:
    tried = [address.format(**world) for _, address, _, _ in MATRIX] + list(PERSONAL)
    matched = {get_resolver().resolve(address.partition("?")[0]).route for address in tried}

    assert {route for route in routes(get_resolver().url_patterns) if route.startswith("api/")} == matched


def routes(patterns: list[URLPattern | URLResolver], before: str = "") -> Iterator[str]:
    """Every route of the site but the schema, its page, and the answer for what is not there."""
    for pattern in patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, route)
        elif not route.endswith(("schema/", "docs/", "^.*$")):
            yield route


def test_a_session_reads_freely_and_writes_with_its_csrf_token(bob: User, project: Project) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(bob)
    runs = "/api/projects/research/digits/runs/"

    assert client.get(runs).status_code == 200
    refused = client.post(runs, "{}", "application/json")
    assert (refused.status_code, refused["Content-Type"]) == (403, "application/problem+json")
    client.cookies["csrftoken"] = token = "a" * 32
    assert client.post(runs, "{}", "application/json", headers={"X-CSRFToken": token}).status_code == 201


@pytest.mark.parametrize("header", ["Bearer", "Bearer wrong", "Basic !!!", "Basic eDp5", "Token x", "Bearer \x80"])
def test_a_wrong_key_is_refused_even_beside_a_session(bob: User, header: str) -> None:
    client = Client()
    client.force_login(bob)

    answer = client.get("/api/me/", headers={"Authorization": header})

    assert answer.status_code == (200 if header == "Token x" else 401)


def test_a_revoked_key_and_a_dismissed_user_are_out(api: Api, bob: User) -> None:
    client = api(bob)
    UserModel.objects.filter(pk=bob.pk).update(is_active=False)

    assert client.get("/api/me/").status_code == 401


@pytest.mark.parametrize("address", ["/api/", "/api/nothing/", "/api/teams/research/nothing/", "/api/automations/x/"])
@pytest.mark.parametrize("method", ["get", "post", "delete"])
def test_an_address_that_is_not_there_is_a_problem_document(address: str, method: str, db: None) -> None:
    answer = getattr(Client(enforce_csrf_checks=True), method)(address)

    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")


def test_a_forgotten_slash_is_pointed_out(db: None) -> None:
    assert "end with a slash" in Client().post("/api/teams").json()["detail"]


def test_an_execution_nobody_made_is_not_found(api: Api, alice: User) -> None:
    assert api(alice).get(f"/api/executions/{uuid.uuid4()}/").status_code == 404
