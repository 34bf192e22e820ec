"""Team secrets over REST: names come out, values never."""

from collections.abc import Callable

import pytest
from rest_framework.test import APIClient

from projects.models import Team, User
from secrets_vault.models import Secret
from tests import factories

Api = Callable[[User | None], APIClient]
SECRETS = "/api/teams/research/secrets/"
CANARY = "canary-4f1c9a-value"


def value_of(name: str) -> str:
    return Secret.objects.defer(None).get(name=name).value


def test_an_admin_creates_rotates_and_deletes_a_secret(api: Api, alice: User, team: Team) -> None:
    """SE1"""
    client = api(alice)

    made = client.post(SECRETS, {"name": "PAGER_TOKEN", "value": CANARY})
    shown = {"name", "version", "created_at", "rotated_at", "old_value_until"}
    assert (made.status_code, set(made.json())) == (201, shown)
    assert value_of("PAGER_TOKEN") == CANARY

    assert client.put(f"{SECRETS}PAGER_TOKEN/", {"value": " new "}).status_code == 200
    assert value_of("PAGER_TOKEN") == " new "
    assert client.patch(f"{SECRETS}PAGER_TOKEN/", {"value": "newer"}).json()["rotated_at"]
    assert client.delete(f"{SECRETS}PAGER_TOKEN/").status_code == 204
    assert client.delete(f"{SECRETS}PAGER_TOKEN/").status_code == 404


def test_a_value_is_in_no_answer(api: Api, alice: User, team: Team) -> None:
    """SE1"""
    client = api(alice)
    answers = [
        client.post(SECRETS, {"name": "A", "value": CANARY}),
        client.post(SECRETS, {"name": "A", "value": CANARY}),
        client.post(SECRETS, {"name": "not a name", "value": CANARY}),
        client.post(SECRETS, {"name": "B", "value": CANARY * 1000}),
        client.post(SECRETS, {"name": "B", "value": CANARY + "\x00"}),
        client.post(SECRETS, {"name": "B", "value": [CANARY]}),
        client.post(SECRETS, {"name": "B", "value": {CANARY: 1}}),
        client.put(f"{SECRETS}A/", {"value": {CANARY: CANARY}}),
        client.put(f"{SECRETS}A/", {"value": CANARY}),
        client.generic("POST", SECRETS, f'{{"name": "B", "value": "{CANARY}', "application/json"),
        client.get(SECRETS),
    ]

    assert [answer.status_code for answer in answers] == [201, 409, *[400] * 6, 200, 400, 200]
    for answer in answers:
        assert CANARY not in answer.content.decode()


def test_members_see_names_and_change_nothing(api: Api, bob: User, team: Team) -> None:
    factories.make_secret(team, "TOKEN", CANARY)
    client = api(bob)

    assert [row["name"] for row in client.get(SECRETS).json()["results"]] == ["TOKEN"]
    refused = client.post(SECRETS, {"name": "MINE", "value": "long enough"})
    assert refused.status_code == 403
    assert refused.json()["detail"].startswith("You may not change webhooks, secrets or members in research")
    assert client.put(f"{SECRETS}TOKEN/", {"value": "long enough"}).status_code == 403
    assert client.delete(f"{SECRETS}TOKEN/").status_code == 403
    assert value_of("TOKEN") == CANARY


def test_a_stranger_cannot_tell_which_secrets_there_are(api: Api, charlie: User, team: Team) -> None:
    """AZ1"""
    factories.make_secret(team, "TOKEN", CANARY)
    client = api(charlie)

    assert client.get(SECRETS).status_code == 404
    there, nowhere = client.delete(f"{SECRETS}TOKEN/"), client.delete(f"{SECRETS}OTHER/")
    assert there.status_code == nowhere.status_code == 404
    assert there.json()["detail"] == nowhere.json()["detail"]


@pytest.mark.parametrize("users", ["access_token", "secret"])
def test_a_secret_in_use_is_kept_and_its_users_are_named(api: Api, alice: User, team: Team, users: str) -> None:
    """SE3"""
    secret = factories.make_secret(team)
    factories.make_webhook(team, **{users: secret})

    refused = api(alice).delete(f"{SECRETS}TOKEN/")

    assert refused.status_code == 409
    assert refused.json()["detail"] == "Secret TOKEN is used by pager. Choose another secret there first."


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "1A", "value": "long enough"}, "name"),
        ({"name": "A B", "value": "long enough"}, "name"),
        ({"name": "A" * 65, "value": "long enough"}, "name"),
        ({"value": "long enough"}, "name"),
        ({"name": "A"}, "value"),
        ({"name": "A", "value": ""}, "value"),
        ({"name": "A", "value": "abc"}, "value"),
        ({"name": "A", "value": 7}, "value"),
        ({"name": "A", "value": "x" * 10_001}, "value"),
    ],
)
def test_a_bad_secret_is_refused_with_its_field(
    api: Api, alice: User, team: Team, body: dict[str, object], field: str
) -> None:
    answer = api(alice).post(SECRETS, body)

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, field)
    assert not Secret.objects.exists()
