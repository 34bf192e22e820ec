"""Metrics over REST: the hot path and the way back."""

import gzip
import io
import json
import math
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
import zstandard
from django.conf import LazySettings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from projects.models import ApiKey, MetricChunk, Project, Run, User
from tests import factories

Api = Callable[[User | None], APIClient]
METRICS = "/api/projects/research/digits/runs/first/metrics/"


@pytest.fixture
def run(project: Project, bob: User) -> Run:
    return factories.make_run(project, run_id="first", user=bob)


def statements(queries: CaptureQueriesContext) -> Counter[str]:
    return Counter(query["sql"].split()[0] for query in queries.captured_queries)


def send(client: Client, body: bytes, *, query: str = "", **headers: str) -> object:
    return client.generic("POST", METRICS + query, body, "application/json", headers=headers)


def test_1000_points_cost_one_insert_and_one_update(api: Api, bob: User, run: Run) -> None:
    client = api(bob)
    rows = [{f"m{metric}": step * metric for metric in range(10)} for step in range(100)]
    client.post(METRICS, rows[:1])  # notes that the key was used, which happens once a minute

    with CaptureQueriesContext(connection) as queries:
        answer = client.post(METRICS, rows)

    assert answer.json() == {"lines": 101}
    kinds = statements(queries)
    assert (kinds["INSERT"], kinds["UPDATE"], kinds["DELETE"]) == (1, 1, 0)
    # the run with the key and the role of who asks, and the run again under its lock
    assert kinds["SELECT"] == 2


def test_a_key_notes_its_use_once_a_minute(api: Api, bob: User, run: Run) -> None:
    client = api(bob)
    client.post(METRICS, [{"loss": 1}])
    noted = ApiKey.objects.get().last_used_at
    client.post(METRICS, [{"loss": 1}])
    assert ApiKey.objects.get().last_used_at == noted

    later = timezone.now() + timedelta(minutes=2)
    with time_machine.travel(later, tick=False):
        client.post(METRICS, [{"loss": 1}])
    assert ApiKey.objects.get().last_used_at == later


def test_nan_and_infinity_are_numbers(api: Api, bob: User, run: Run) -> None:
    client = api(bob)

    assert send(client, b'[{"loss": NaN}, {"loss": -Infinity, "deep": {"a": 1.5}}]').status_code == 200

    found = client.get(f"{METRICS}?key=loss").json()
    assert found == {"key": "loss", "points": [[0, "NaN"], [1, "-Infinity"]], "next_after": None}
    assert client.get(f"{METRICS}?key=deep.a").json()["points"] == [[1, 1.5]]
    run.refresh_from_db()
    assert run.summary == {"loss": "-Infinity", "deep": {"a": 1.5}}


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        ("gzip", gzip.compress),
        ("zstd", zstandard.ZstdCompressor().compress),
        ("ZSTD", lambda body: zstandard.ZstdCompressor(write_content_size=False).compress(body)),
        ("identity", bytes),
    ],
)
def test_bodies_may_be_packed(api: Api, bob: User, run: Run, encoding: str, pack: Callable[[bytes], bytes]) -> None:
    body = pack(json.dumps([{"loss": step} for step in range(50)]).encode())

    answer = send(api(bob), body, **{"Content-Encoding": encoding})

    assert (answer.status_code, answer.content) == (200, b'{"lines":50}')


def test_an_unknown_packing_is_refused_with_those_that_are_known(api: Api, bob: User, run: Run) -> None:
    answer = send(api(bob), b"[]", **{"Content-Encoding": "br"})

    assert answer.status_code == 415
    assert answer["Accept-Encoding"] == "gzip, zstd"
    assert "Use gzip, zstd or none" in answer.json()["detail"]


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
@pytest.mark.parametrize("body", [b"[]", b"", b"\x1f\x8b", gzip.compress(b"[{}]", mtime=0)[:-4], b"(\xb5/\xfd"])
def test_what_is_not_packed_as_it_says_is_refused(api: Api, bob: User, run: Run, encoding: str, body: bytes) -> None:
    answer = send(api(bob), body, **{"Content-Encoding": encoding})

    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    assert not MetricChunk.objects.exists()


def test_a_body_over_the_limit_is_refused_unread(api: Api, bob: User, run: Run, settings: LazySettings) -> None:
    too_much = b'[{"loss": 1}]' + b" " * settings.MAX_BODY_BYTES

    answer = send(api(bob), too_much)

    assert answer.status_code == 413
    assert "at most 20,000,000 bytes" in answer.json()["detail"]


@pytest.mark.parametrize(("encoding", "pack"), [("gzip", gzip.compress), ("zstd", zstandard.ZstdCompressor().compress)])
def test_a_bomb_is_not_unpacked_beyond_the_limit(
    api: Api, bob: User, run: Run, encoding: str, pack: Callable[[bytes], bytes]
) -> None:
    bomb = pack(b"[" + b" " * 200_000_000 + b"]")
    assert len(bomb) < 1_000_000

    assert send(api(bob), bomb, **{"Content-Encoding": encoding}).status_code == 413


@pytest.mark.parametrize("address", [METRICS, "/api/projects/research/digits/runs/"])
def test_a_body_in_chunks_is_refused_rather_than_taken_for_empty(api: Api, bob: User, run: Run, address: str) -> None:
    answer = api(bob).post(address, HTTP_TRANSFER_ENCODING="chunked", CONTENT_LENGTH="")

    assert (answer.status_code, answer["Content-Type"]) == (411, "application/problem+json")
    assert Run.objects.count() == 1


def test_a_frame_that_claims_much_memory_is_refused(api: Api, bob: User, run: Run) -> None:
    parameters = zstandard.ZstdCompressionParameters.from_level(1, window_log=27)
    packed = io.BytesIO()
    with zstandard.ZstdCompressor(compression_params=parameters).stream_writer(packed, closefd=False) as stream:
        stream.write(b"[" + b" " * 1000 + b"]")

    assert send(api(bob), packed.getvalue(), **{"Content-Encoding": "zstd"}).status_code == 400


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b'[{"loss": 0.5}, {"loss": "high"}]', "[1].loss"),
        (b'[{"loss": [1]}]', "[0].loss"),
        (b'[{"a": {"b": "x"}}]', "[0].a.b"),
        (b"[1]", "[0]"),
        (b'{"loss": 1}', ""),
        (b"", ""),
        (b'[{"loss": }]', ""),
        pytest.param(b"[" * 10_000, "", id="nested deeply"),
        pytest.param(b'[{"loss": ' + b"9" * 5000 + b"}]", "", id="thousands of digits"),
        (b'\xff\xfe[{"loss": 1}]', ""),
        (b'[{"nul\\u0000": 1}]', ""),
        (b'[{"\\ud800": 1}]', ""),
    ],
)
def test_malformed_rows_are_refused_with_their_place(api: Api, bob: User, run: Run, body: bytes, field: str) -> None:
    answer = send(api(bob), body)

    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    assert answer.json()["errors"][0]["field"] == field
    assert not MetricChunk.objects.exists()


def test_numbers_no_float_can_hold_are_infinite(api: Api, bob: User, run: Run) -> None:
    client = api(bob)

    assert send(client, b'[{"loss": 1' + b"0" * 400 + b"}]").status_code == 200
    assert client.get(f"{METRICS}?key=loss").json()["points"] == [[0, "Infinity"]]
    assert client.get(METRICS.removesuffix("metrics/")).status_code == 200


def test_a_batch_sent_again_is_stored_once(api: Api, bob: User, run: Run) -> None:
    client = api(bob)
    rows = json.dumps([{"loss": 1}, {"loss": 2}]).encode()

    assert send(client, rows, query="?first_line=0").json() == {"lines": 2}
    assert send(client, rows, query="?first_line=0").json() == {"lines": 2}
    assert send(client, rows, query="?first_line=1").json() == {"lines": 3}
    assert send(client, rows, query="?first_line=9").status_code == 400


@pytest.mark.parametrize("first_line", ["-1", "x", "1.5", "9" * 30, str(2**63), "", "²"])
def test_a_first_line_is_a_whole_number(api: Api, bob: User, run: Run, first_line: str) -> None:
    answer = send(api(bob), b"[{}]", query=f"?first_line={first_line}")

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "first_line")


def test_nothing_is_logged_to_a_run_that_is_over(api: Api, bob: User, run: Run) -> None:
    client = api(bob)
    client.post(METRICS.replace("metrics", "finish"), {"exit_code": 0})

    answer = client.post(METRICS, [{"loss": 1}])

    assert answer.status_code == 409
    assert answer.json()["detail"] == "Run first is finished. Start it again to log more."


def test_who_asks_without_a_key_or_with_a_wrong_one_is_told_so(run: Run) -> None:
    nobody = send(Client(), b"[]")
    wrong = send(Client(), b"[]", Authorization=f"Bearer {'x' * 40}")

    assert (nobody.status_code, wrong.status_code) == (401, 401)
    assert nobody["WWW-Authenticate"] == wrong["WWW-Authenticate"] == "Bearer"
    assert "revoked" in wrong.json()["detail"]


def test_a_session_may_log_with_its_csrf_token_only(bob: User, run: Run) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(bob)

    assert send(client, b'[{"loss": 1}]').status_code == 403
    client.cookies["csrftoken"] = token = "a" * 32
    assert send(client, b'[{"loss": 1}]', **{"X-CSRFToken": token}).status_code == 200


def test_only_members_log(api: Api, alice: User, charlie: User, run: Run) -> None:
    """AZ1"""
    viewer = factories.make_user("viewer")
    factories.make_team("research", viewer=viewer)

    assert api(viewer).post(METRICS, [{"loss": 1}]).status_code == 403
    assert api(charlie).post(METRICS, [{"loss": 1}]).status_code == 404
    assert api(viewer).get(f"{METRICS}?key=loss").status_code == 200
    assert api(charlie).get(f"{METRICS}?key=loss").status_code == 404
    assert send(api(alice), b"[{}]").json() == {"lines": 1}


def test_points_are_read_a_page_at_a_time(api: Api, bob: User, run: Run) -> None:
    client = api(bob)
    for start in range(0, 30, 7):
        client.post(
            METRICS, [{"loss": step, "rare": 1} if step % 3 else {"x": 1} for step in range(start, min(start + 7, 30))]
        )

    seen, query = [], ""
    for _ in range(20):
        page = client.get(f"{METRICS}?key=loss&limit=4{query}").json()
        seen += page["points"]
        if page["next_after"] is None:
            break
        query = f"&after={page['next_after']}"

    assert seen == [[step, step] for step in range(30) if step % 3]


@pytest.mark.parametrize("query", ["", "?key=", "?key=a&after=x", "?key=a&limit=-1", "?key=%00"])
def test_a_question_that_cannot_be_answered_is_refused(api: Api, bob: User, run: Run, query: str) -> None:
    assert api(bob).get(f"{METRICS}{query}").status_code == 400


def test_an_unknown_metric_has_no_points(api: Api, bob: User, run: Run) -> None:
    api(bob).post(METRICS, [{"loss": math.pi}])

    assert api(bob).get(f"{METRICS}?key=accuracy").json()["points"] == []
