"""Two who change the same thing over the API: with If-Match the second is refused, without it nothing else is lost."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection

from automations import webhooks
from automations.models import Automation, Webhook
from projects.api import problems
from tests import factories

if TYPE_CHECKING:
    from rest_framework.test import APIClient

    from projects.models import Project, Team, User

    Api = Callable[[User | None], APIClient]

HOOK = "/api/teams/research/webhooks/pager/"


@pytest.fixture(params=["webhook", "automation"])
def address(request: Any, project: Project) -> str:
    """Something to change whose `name` and one other field can be set; both have tags."""
    if request.param == "webhook":
        factories.make_webhook(project.team)
        return HOOK
    return f"/api/automations/{factories.make_automation(project, name='pager').pk}/"


def named(address: str, name: str) -> str:
    """Where it is once it has another name."""
    return address.replace("pager", name)


def test_a_change_of_what_was_read_is_made(api: Api, alice: User, address: str) -> None:
    client = api(alice)
    tag = client.get(address)["ETag"]
    answer = client.patch(address, {"name": "second"}, format="json", headers={"If-Match": tag})
    assert answer.status_code == 200
    assert answer["ETag"] not in {"", tag}
    assert client.get(named(address, "second"))["ETag"] == answer["ETag"]


def test_a_change_of_what_somebody_changed_since_is_refused(api: Api, alice: User, address: str) -> None:
    client = api(alice)
    tag = client.get(address)["ETag"]
    client.patch(address, {"name": "theirs"}, format="json")
    address = named(address, "theirs")
    answer = client.patch(address, {"name": "mine"}, format="json", headers={"If-Match": tag})
    assert answer.status_code == 412
    assert answer["Content-Type"] == problems.MEDIA_TYPE
    assert "changed since you read" in answer.json()["detail"]
    assert client.get(address).json()["name"] == "theirs"


def test_a_deletion_of_what_somebody_changed_since_is_refused(api: Api, alice: User, address: str) -> None:
    client = api(alice)
    tag = client.get(address)["ETag"]
    client.patch(address, {"name": "theirs"}, format="json")
    address = named(address, "theirs")
    assert client.delete(address, headers={"If-Match": tag}).status_code == 412
    assert client.delete(address, headers={"If-Match": client.get(address)["ETag"]}).status_code == 204


@pytest.mark.parametrize(("header", "status"), [("*", 200), ('"one", {}', 200), ("W/{}", 412), ("nonsense", 412)])
def test_if_match_is_read_as_http_has_it(api: Api, alice: User, address: str, header: str, status: int) -> None:
    """Any state, one of several; weak tags match nothing."""
    client = api(alice)
    sent = header.format(client.get(address)["ETag"])
    assert client.patch(address, {"name": "n"}, format="json", headers={"If-Match": sent}).status_code == status


def test_a_replacement_is_refused_as_well(api: Api, alice: User, project: Project) -> None:
    client = api(alice)
    body = {"name": "mine", "event_type": "RUN_STATE", "condition": {"states": ["FAILED"]}, "action_kind": "NO_OP"}
    address = f"/api/automations/{factories.make_automation(project).pk}/"
    tag = client.get(address)["ETag"]
    client.patch(address, {"description": "theirs"}, format="json")
    assert client.put(address, body, format="json", headers={"If-Match": tag}).status_code == 412
    assert Automation.objects.get().description == "theirs"


def test_what_moves_by_itself_changes_no_tag(api: Api, alice: User, address: str) -> None:
    """Otherwise nobody could change what fires all the time."""
    client = api(alice)
    tag = client.get(address)["ETag"]
    for model in (Webhook, Automation):
        model.objects.update(last_error="It answered 500.", failing_since="2026-01-01T00:00:00Z")
    assert client.get(address)["ETag"] == tag


def test_every_setting_of_a_webhook_changes_its_tag(api: Api, alice: User, team: Team) -> None:
    factories.make_webhook(team)
    factories.make_secret(team, "TOKEN")
    client = api(alice)
    tags = [client.get(HOOK)["ETag"]]
    for change in (
        {"url": "https://hooks.example.com/v2"},
        {"access_token": "TOKEN"},
        {"secret": "TOKEN"},
        {"signature_encoding": "hex"},
        {"headers": {"X-Team": "vision"}},
    ):
        answer = client.patch(HOOK, change, format="json")
        assert answer.status_code == 200, answer.json()
        tags.append(answer["ETag"])
    assert len(set(tags)) == len(tags)


@pytest.mark.django_db(transaction=True)
def test_two_who_change_different_settings_at_once_lose_nothing(team: Team, alice: User) -> None:
    """Both have read the webhook before either writes; each names one field."""
    hook = factories.make_webhook(team)
    token = factories.make_secret(team, "TOKEN")
    both_read = threading.Barrier(2)

    def change(**fields: Any) -> None:
        read = Webhook.objects.select_related("team").get(pk=hook.pk)
        both_read.wait(timeout=30)
        webhooks.change(read, by=alice, **fields)
        connection.close()

    changes = ({"url": "https://hooks.example.com/v2"}, {"access_token": token})
    threads = [threading.Thread(target=change, kwargs=fields) for fields in changes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    hook.refresh_from_db()
    assert (hook.url, hook.access_token) == ("https://hooks.example.com/v2", token)


def test_the_description_of_the_api_tells_of_tags(api: Api, alice: User) -> None:
    document = api(alice).get("/api/schema/", headers={"Accept": "application/vnd.oai.openapi+json"}).json()
    for path in ("/api/automations/{id}/", "/api/teams/{team}/webhooks/{name}/"):
        operation = document["paths"].get(path) or document["paths"]["/api/automations/{pk}/"]
        patch = operation["patch"]
        assert "If-Match" in [parameter["name"] for parameter in patch["parameters"]]
        assert "application/problem+json" in patch["responses"]["412"]["content"]
        assert "ETag" in patch["responses"]["200"]["headers"]
        assert "ETag" in operation["get"]["responses"]["200"]["headers"]
