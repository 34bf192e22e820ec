"""Notices in the REST API."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from automations import notices
from automations.models import NoticeKind, Webhook
from projects.models import Team, User
from tests import factories

pytestmark = pytest.mark.django_db

Api = Callable[[User | None], APIClient]


@pytest.fixture
def hooks(team: Team) -> list[Webhook]:
    """Two webhooks that fail, the second for the longer time."""
    found = [factories.make_webhook(team, name=name) for name in ("pager", "siren")]
    for number, hook in enumerate(found):
        at = timezone.now() - timedelta(minutes=number)
        notices.tell(NoticeKind.FAILING, hook, sentence="The receiver answered 503.", at=at)
    return found


def names(client: APIClient, query: str = "") -> list[str]:
    return [notice["about"]["name"] for notice in client.get(f"/api/notices/{query}").json()["results"]]


def test_admins_list_what_they_are_told(api: Api, alice: User, bob: User, hooks: list[Webhook]) -> None:
    assert names(api(alice)) == ["pager", "siren"]
    assert names(api(bob)) == []
    first = api(alice).get("/api/notices/").json()["results"][0]
    assert first["place"] == {"kind": "team", "name": "research"}
    assert (first["kind"], first["sentence"], first["unread"]) == ("failing", "The receiver answered 503.", True)
    assert (first["execution"], first["closed_at"], first["times"]) == (None, None, 1)


def test_they_are_filtered_and_marked_read(api: Api, alice: User, hooks: list[Webhook]) -> None:
    client = api(alice)
    pk = client.get("/api/notices/").json()["results"][0]["id"]
    assert client.post(f"/api/notices/{pk}/read/").json() == {"marked": 1}
    assert client.post(f"/api/notices/{pk}/read/").json() == {"marked": 0}
    assert names(client, "?unread=true") == ["siren"]
    notices.recovered(hooks[1], because="It works again.", at=timezone.now())
    assert names(client, "?open=true") == ["pager"]
    assert client.post("/api/notices/read/").json() == {"marked": 1}
    assert names(client, "?unread=true") == []


def test_az1_who_is_not_told_marks_nothing(api: Api, alice: User, bob: User, hooks: list[Webhook]) -> None:
    pk = api(alice).get("/api/notices/").json()["results"][0]["id"]
    assert api(bob).post(f"/api/notices/{pk}/read/").status_code == 404
    assert api(None).get("/api/notices/").status_code == 401
