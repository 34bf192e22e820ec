"""Whatever is sent, nothing is a fault of the server: no answer of 500, and every refusal is a problem document."""

import json
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from projects import teams
from projects.models import Role
from tests import factories

RUN = "/api/projects/research/digits/runs/first/"
VERSION = "/api/projects/research/digits/collections/model/versions/v0/"
AUTOMATION = {
    "name": "fuzz",
    "scope": {"kind": "project", "name": "research/digits"},
    "event_type": "RUN_METRIC",
    "filter": {"display_name": {"$regex": "^prod-"}},
    "condition": {
        "name": "loss",
        "agg_op": None,
        "window_size": 1,
        "cmp_op": "$gt",
        "threshold": 1.0,
    },
    "action_kind": "GENERIC_WEBHOOK",
    "webhook": "research/pager",
    "payload": '{"text": "${run_name}"}',
}
AS_CODE = {name: value for name, value in AUTOMATION.items() if name != "scope"}
# Every address that takes a body, with a body it takes.
BODIES: list[tuple[str, str, object]] = [
    ("POST", "/api/teams/research/projects/", {"name": "new", "description": "x"}),
    (
        "POST",
        "/api/projects/research/digits/runs/",
        {"run_id": "n", "display_name": "n", "config": {"lr": 0.1}, "tags": ["a"], "state": "running", "notes": ""},
    ),
    ("PATCH", RUN, {"summary": {"a": {"b": 1}}, "config": {"a": {"b": 1}}, "tags": ["a"], "group": "g"}),
    ("POST", f"{RUN}finish/", {"exit_code": 0}),
    ("POST", f"{RUN}metrics/", [{"loss": 1, "deep": {"a": 1}}]),
    (
        "POST",
        "/api/projects/research/digits/artifacts/",
        {
            "collection": "model",
            "type": "model",
            "metadata": {"a": [1]},
            "aliases": ["a"],
            "tags": ["t"],
            "run": "first",
        },
    ),
    ("POST", f"{VERSION}aliases/", {"alias": "production"}),
    ("POST", f"{VERSION}tags/", {"tag": "checked"}),
    ("POST", "/api/registries/acme/", {"name": "new", "description": "x"}),
    ("POST", "/api/registries/acme/models/collections/", {"name": "new", "type": "model"}),
    (
        "POST",
        "/api/registries/acme/models/collections/champion/links/",
        {"version": "research/digits/model:v0", "aliases": ["a"]},
    ),
    ("POST", "/api/teams/research/secrets/", {"name": "NEW", "value": "x"}),
    ("PUT", "/api/teams/research/secrets/TOKEN/", {"value": "x"}),
    (
        "POST",
        "/api/teams/research/webhooks/",
        {"name": "new", "url": "https://a.example.com/", "secret": "TOKEN", "headers": {"X-A": "${TOKEN}"}},
    ),
    ("PATCH", "/api/teams/research/webhooks/pager/", {"url": "https://a.example.com/", "signature_encoding": "hex"}),
    ("POST", "/api/teams/research/webhooks/pager/test/", {"payload": "{}"}),
    ("POST", "/api/automations/apply/", {"project": "research/digits", "automations": [AS_CODE]}),
    ("POST", "/api/automations/", AUTOMATION),
    ("POST", "/api/automations/", AUTOMATION | {"event_type": "RUN_STATE", "condition": {"states": ["FAILED"]}}),
    (
        "POST",
        "/api/automations/",
        AUTOMATION
        | {"event_type": "CREATE_ARTIFACT", "condition": {}, "filter": {"$and": [{"alias": {"$in": ["a"]}}]}},
    ),
    ("PATCH", "/api/automations/{automation}/", AUTOMATION),
]
NASTY = st.sampled_from(
    [
        None,
        True,
        -1,
        2**63,
        10**400,
        -(10**400),
        1e308,
        float("nan"),
        float("-inf"),
        "",
        " ",
        "nul\x00",
        "\ud800",
        "x" * 300,
        "../..",
        "a/b/c:v0",
        "%00",
        "${TOKEN}",
        "\u2028",
        "𝕏",
        "$where",
        "(?P<",
        "v99999999999",
        "latest",
        [],
        {},
        [[]],
        {"": ""},
        {"$regex": "("},
        {"$regex": 7},
        {"$not": {"$not": []}},
        {"$in": "x"},
        {"$gt": float("nan")},
        {"a.b": {"$exists": 1}},
        {"kind": "team"},
    ]
)
VALUES = st.recursive(
    NASTY | st.text(max_size=20) | st.floats() | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)

# What is no JSON, or JSON that nobody can mean.
TEXTS: list[str | bytes] = [
    "",
    "{",
    "nul\x00",
    '{"name": }',
    "[" * 10_000,
    '{"a":' * 10_000 + "1" + "}" * 10_000,
    '{"config": ' + "[" * 900 + "]" * 900 + "}",
    '{"config": {"a": ' + "[" * 200 + "]" * 200 + "}}",
    "9" * 10_000,
    b"\xff\xfe\x00",
    b"\x80",
    "\ufeff{}",
]


@pytest.fixture
def client(db: None) -> APIClient:
    """Somebody who may do everything, so that nothing is refused before it is read."""
    alice = factories.make_user("alice")
    team = factories.make_team(admin=alice)
    assert team.organization is not None
    teams.set_organization_role(alice, organization=team.organization, role=Role.ADMIN)
    project = factories.make_project(team)
    factories.make_run(project, run_id="first", user=alice)
    factories.make_version(project, aliases=["a"])
    factories.make_collection(factories.make_registry(team.organization), "champion")
    factories.make_secret(team)
    factories.make_webhook(team, "https://hooks.invalid/")
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {factories.make_api_key(alice)}")
    return client


def parts(value: object, path: tuple[object, ...] = ()) -> Iterator[tuple[object, ...]]:
    """Where something can be put in place of what is there: the whole, and every part of it."""
    yield path
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from parts(value[key], (*path, key))


def with_part(value: object, path: tuple[object, ...], part: object) -> object:
    if not path:
        return part
    copy = value.copy()  # type: ignore[attr-defined]
    copy[path[0]] = with_part(copy[path[0]], path[1:], part)
    return copy


def send(client: APIClient, method: str, address: str, body: bytes | str) -> None:
    """Send it, undo it, and look at the answer."""
    with transaction.atomic():
        answer = client.generic(method, address, body, "application/json")
        transaction.set_rollback(True)
    assert answer.status_code < 500
    if answer.status_code >= 400:
        assert answer["Content-Type"] == "application/problem+json"
        assert answer.json()["detail"]
    if answer.content:
        json.loads(answer.content, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))


@pytest.mark.parametrize(("method", "address", "body"), BODIES)
def test_no_body_is_a_fault_of_the_server(client: APIClient, method: str, address: str, body: object) -> None:
    automation = factories.make_automation(factories.make_project())
    address = address.format(automation=automation.pk)
    places = list(parts(body))
    send(client, method, address, json.dumps(body))

    @settings(max_examples=30, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.sampled_from(places), VALUES)
    def nothing_breaks(place: tuple[object, ...], part: object) -> None:
        send(client, method, address, json.dumps(with_part(body, place, part)))

    nothing_breaks()


@pytest.mark.parametrize(("method", "address", "_body"), BODIES)
def test_no_text_is_a_fault_of_the_server(client: APIClient, method: str, address: str, _body: object) -> None:
    for text in TEXTS:
        send(client, method, address.format(automation=1), text)


@pytest.mark.parametrize(
    "content_type", ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "x"]
)
def test_only_json_is_read(client: APIClient, content_type: str) -> None:
    answer = client.generic("POST", "/api/teams/research/projects/", "name=x", content_type)

    assert answer.status_code == 415
    assert "Content-Type: application/json" in answer.json()["detail"]


def test_no_query_and_no_path_is_a_fault_of_the_server(client: APIClient) -> None:
    lists = (
        "automations",
        "executions",
        "registries",
        "teams",
        "projects/research/digits/runs",
        "teams/research/webhooks",
    )
    names = ("cursor", "page_size", "state", "search", "automation", "project", "registry", "scope", "enabled", "team")
    words = st.sampled_from(["\x00", "1e400", "9" * 400, "%", "🦊", "a/b", "-1", "nan", "[]"]) | st.text(max_size=10)

    @settings(max_examples=50, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.sampled_from(lists), st.sampled_from(names), words)
    def nothing_breaks(address: str, name: str, word: str) -> None:
        text = quote(word.encode("utf-8", "surrogatepass"), safe="")
        send(client, "GET", f"/api/{address}/?{name}={text}", "")
        send(client, "GET", f"/api/projects/research/{text}/runs/", "")
        send(client, "GET", f"{VERSION.replace('v0', text)}", "")
        send(client, "DELETE", f"{VERSION}aliases/{text}/", "")

    nothing_breaks()
