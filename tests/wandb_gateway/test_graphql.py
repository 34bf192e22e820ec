"""`POST /graphql` as the client's transport sees it: statuses, messages, and nothing that makes it try for ever."""

import base64
import json
from typing import Any

import pytest
from django.db import DataError, OperationalError
from django.http import Http404
from django.test import Client
from graphql import GraphQLResolveInfo

from projects.models import User
from tests import factories
from wandb_gateway.schema import SCHEMA

FEATURES = "{ serverInfo { features { name isEnabled } } }"


def basic(key: str, user: str = "api") -> str:
    return "Basic " + base64.b64encode(f"{user}:{key}".encode()).decode()


@pytest.fixture
def authorization(alice: User) -> str:
    return basic(factories.make_api_key(alice))


def post(client: Client, body: Any, **headers: str) -> tuple[int, Any]:
    text = body if isinstance(body, str | bytes) else json.dumps(body)
    answer = client.post("/graphql", text, content_type="application/json", headers=headers)
    return answer.status_code, answer.json()


def test_an_operation_is_answered_as_the_client_asks_it(client: Client, authorization: str) -> None:
    asked = {"query": "#graphql\n" + FEATURES, "operationName": "", "variables": None}
    status, answer = post(client, asked, authorization=authorization)
    assert status == 200
    assert {"name": "AUTOMATION_SCOPE_ENTITY", "isEnabled": True} in answer["data"]["serverInfo"]["features"]
    assert "AUTOMATION_ACTION_ARIA" not in str(answer)


def test_of_several_operations_the_named_one_is_run(client: Client, authorization: str) -> None:
    text = f"query A {FEATURES} query B {{ again: serverInfo {{ features {{ name }} }} }}"
    _, answer = post(client, {"query": text, "operationName": "B"}, authorization=authorization)
    assert list(answer["data"]) == ["again"]


@pytest.mark.parametrize("key", ["local-" + "0" * 40, "", "short"])
def test_a_wrong_key_is_refused_once_and_for_all(client: Client, alice: User, key: str) -> None:
    status, answer = post(client, {"query": FEATURES}, authorization=basic(key))
    assert status == 401
    assert answer["errors"][0]["message"].startswith("user is not logged in")


def test_a_session_does_not_count_since_forms_of_other_sites_could_use_it(client: Client, alice: User) -> None:
    client.force_login(alice)
    assert post(client, {"query": FEATURES})[0] == 401


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("", "The body is not JSON"),
        ("{", "The body is not JSON"),
        (b"\xff\xfe", "The body is not JSON"),
        ([], "Send an object with a “query”"),
        ({"query": 1}, "Send an object with a “query”"),
        ({"query": FEATURES, "variables": []}, None),
        ({"query": FEATURES, "variables": [1]}, "“variables” is an object"),
        ({"query": "{ nothing }"}, "Cannot query field 'nothing'"),
        ({"query": FEATURES, "operationName": "Other"}, "Unknown operation named 'Other'."),
        ({"query": "query A($n: Int!) { users(query: null) { edges { node { id } } } }"}, "never used"),
    ],
)
def test_what_is_malformed_is_a_400_with_the_reason(
    client: Client, authorization: str, body: Any, sentence: str | None
) -> None:
    status, answer = post(client, body, authorization=authorization)
    assert status == (400 if sentence else 200)
    assert sentence is None or sentence in answer["errors"][0]["message"]


def test_reading_the_address_is_refused_without_a_page(client: Client) -> None:
    answer = client.get("/graphql")
    assert (answer.status_code, answer.content) == (405, b"")


@pytest.mark.parametrize(
    ("raised", "status", "sentence"),
    [
        (Http404("There is no run."), 404, "There is no run."),
        (OperationalError("database is locked"), 503, "The database does not answer at the moment"),
        (DataError("text fields cannot contain NUL"), 400, "something that the database cannot take"),
        (ZeroDivisionError("division by zero"), 400, "Something went wrong in the server"),
    ],
)
@pytest.mark.filterwarnings("default")
def test_what_a_resolver_raises_decides_the_status(
    client: Client,
    authorization: str,
    *,
    monkeypatch: pytest.MonkeyPatch,
    raised: Exception,
    status: int,
    sentence: str,
) -> None:
    """A 5xx makes scripts wait for up to 15 minutes: only what passes by itself is one."""

    def resolve(root: object, info: GraphQLResolveInfo) -> None:
        raise raised

    query = SCHEMA.query_type
    assert query is not None
    monkeypatch.setattr(query.fields["serverInfo"], "resolve", resolve)
    got, answer = post(client, {"query": FEATURES}, authorization=authorization)
    assert got == status
    assert sentence in answer["errors"][0]["message"]
    assert "division" not in str(answer)


def test_telemetry_is_switched_off_by_a_404(client: Client) -> None:
    answer = client.post("/sdk/otel/v1/metrics", b"x", content_type="application/x-protobuf")
    assert answer.status_code == 404
    assert answer.json()["errors"]
