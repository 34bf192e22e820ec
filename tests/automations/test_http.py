"""WH6, WH7, WH9: the one way out, against a receiver that misbehaves."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from automations import http
from automations.addresses import Policy
from tests.receiver import Receiver

LOOPBACK = Policy.parse(["127.0.0.0/8", "::1/128"])


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


def send(url: str, *, policy: Policy = LOOPBACK, **options: Any) -> http.Response:
    return http.send(url, body=b'{"a":1}', headers={"Content-Type": "application/json"}, policy=policy, **options)


def refused(url: str, *, policy: Policy = LOOPBACK) -> str:
    with pytest.raises(http.Refused) as error:
        send(url, policy=policy)
    assert error.value.permanent
    return error.value.message


def resolve_to(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Answer look-ups with these addresses, one list a look-up; returns the names asked for."""
    asked: list[str] = []
    rest = list(answers)

    def getaddrinfo(host: str, port: int, *args: Any, **kwargs: Any) -> list[Any]:
        asked.append(host)
        addresses = rest.pop(0) if len(rest) > 1 else rest[0]
        return [
            (socket.AF_INET6 if ":" in one else socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port))
            for one in addresses
        ]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


def test_wh2_a_post_arrives_with_its_body_headers_and_our_name(receiver: Receiver) -> None:
    response = send(receiver.url)
    assert (response.status, response.body, response.peer) == (200, b'{"ok": true}', "127.0.0.1")
    (request,) = receiver.requests
    assert request.body == b'{"a":1}'
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["User-Agent"].startswith("automations-server/")


def test_connections_are_kept_open_between_sends(receiver: Receiver) -> None:
    for _ in range(5):
        send(receiver.url)
    assert receiver.connections == 1


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_wh6_redirects_are_not_followed(receiver: Receiver, status: int) -> None:
    receiver.behave(status=status, headers={"Location": "http://169.254.169.254/latest/meta-data"})
    assert send(receiver.url).status == status
    assert len(receiver.requests) == 1


def test_wh6_at_most_20_kb_are_kept(receiver: Receiver) -> None:
    receiver.behave(body=b"x" * 10_000_000)
    response = send(receiver.url)
    assert len(response.body) == 20_000
    assert response.truncated
    receiver.behave(body=b"y" * 20_000)
    assert not send(receiver.url).truncated


def test_wh6_a_receiver_that_drips_is_cut_off_at_the_deadline(receiver: Receiver) -> None:
    receiver.behave(body=b"z" * 1000, drip=0.05)
    with pytest.raises(http.DeliveryError, match=r"No complete answer within 0\.3 s") as error:
        send(receiver.url, total_timeout=0.3)
    assert not error.value.permanent
    assert error.value.duration is not None
    assert error.value.duration < 5


@pytest.mark.parametrize("headers", [{"Connection": "close"}, {"X-Kept": "open"}])
@pytest.mark.parametrize("status", [200, 302])
def test_wh6_no_kind_of_answer_stretches_the_deadline(receiver: Receiver, headers: dict[str, str], status: int) -> None:
    """A connection that the answer closes leaves the pool, and a redirect invites to read its body: still 0.3 s."""
    receiver.behave(status=status, headers={**headers, "Location": "/"}, body=b"z" * 1000, drip=0.05)
    with pytest.raises(http.DeliveryError, match=r"No complete answer within 0\.3 s") as error:
        send(receiver.url, total_timeout=0.3)
    assert error.value.duration is not None
    assert error.value.duration < 5


def test_wh6_of_a_redirect_no_more_is_read_than_of_other_answers(receiver: Receiver) -> None:
    receiver.behave(status=302, headers={"Location": "http://[broken/"}, body=b"x" * 10_000_000)
    response = send(receiver.url)
    assert (response.status, len(response.body), response.truncated) == (302, 20_000, True)


def test_wh6_a_chunk_of_negative_length_does_not_fill_the_memory(receiver: Receiver) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n"
    receiver.behave(raw=head + b"x" * 10_000_000)
    with pytest.raises(http.DeliveryError, match="has no end") as error:
        send(receiver.url)
    assert not error.value.permanent


def test_wh6_headers_without_measure_are_not_kept(receiver: Receiver) -> None:
    receiver.behave(headers={"X-Long": "h" * 60_000, "Retry-After": "7", "X-Nul": "a\x00b"})
    response = send(receiver.url)
    assert "X-Long" not in response.headers
    assert http.retry_after(response.headers, 0.0) == 7
    assert response.headers["X-Nul"] == "a\N{REPLACEMENT CHARACTER}b"
    receiver.behave(headers={f"X-Long-{number}": "h" * 60_000 for number in range(20)})
    with pytest.raises(http.DeliveryError, match="headers without measure"):
        send(receiver.url)


def test_one_team_s_cookies_never_reach_another_team_s_request(receiver: Receiver) -> None:
    receiver.behave(headers={"Set-Cookie": "session=of-the-first; Path=/"})
    send(receiver.url)
    send(receiver.url)
    assert all("Cookie" not in request.headers for request in receiver.requests)


def test_wh9_an_open_connection_is_not_used_when_its_address_is_no_longer_allowed(receiver: Receiver) -> None:
    send(receiver.url)
    assert "a loopback address" in refused(receiver.url, policy=Policy())
    assert len(receiver.requests) == 1


def test_wh6_a_receiver_that_hangs_is_cut_off_at_the_deadline(receiver: Receiver) -> None:
    receiver.behave(hold=True)
    with pytest.raises(http.DeliveryError, match=r"within 0\.3 s|in time"):
        send(receiver.url, total_timeout=0.3)
    receiver.release()


@pytest.mark.parametrize(
    ("behaviour", "sentence"),
    [
        ({"raw": b"this is not HTTP\r\n\r\n"}, "not valid HTTP|closed the connection"),
        ({"raw": b"HTTP/1.1 999999 What\r\n\r\n"}, "not valid HTTP"),
        ({"raw": b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nabc"}, "not valid HTTP"),
        ({"raw": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc"}, "not valid HTTP"),
        ({"raw": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nabc"}, "not valid HTTP"),
        ({"close": True}, "closed the connection without an answer"),
    ],
)
def test_a_broken_answer_is_an_error_that_may_pass(
    receiver: Receiver, behaviour: dict[str, Any], sentence: str
) -> None:
    receiver.behave(**behaviour)
    with pytest.raises(http.DeliveryError, match=sentence) as error:
        send(receiver.url)
    assert not error.value.permanent


def test_an_answer_that_breaks_off_counts_by_its_status(receiver: Receiver) -> None:
    receiver.behave(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort")
    response = send(receiver.url)
    assert (response.status, response.body) == (200, b"short")


def test_a_closed_port_says_so() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with pytest.raises(http.DeliveryError, match=r"refused the connection: nothing listens"):
        send(f"http://127.0.0.1:{port}/")


def test_a_name_that_does_not_exist_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*args: Any, **kwargs: Any) -> list[Any]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(http.DeliveryError, match=r"nowhere\.example could not be resolved"):
        send("http://nowhere.example/")


def test_wh9_without_an_allowance_loopback_is_refused_and_nothing_is_sent(receiver: Receiver) -> None:
    message = refused(receiver.url, policy=Policy())
    assert "127.0.0.1, a loopback address" in message
    assert "WEBHOOK_ALLOWED_NETWORKS" in message
    assert receiver.connections == 0


@pytest.mark.parametrize(
    "host",
    [
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "0",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "１２７.0.0.1",
        "localhost",
    ],
)
def test_wh9_odd_spellings_are_judged_by_what_they_resolve_to(host: str) -> None:
    with pytest.raises(http.DeliveryError, match=r"refused|not valid|could not be resolved"):
        send(f"http://{host}:9/", policy=Policy())


def test_wh9_a_name_with_one_private_address_among_public_ones_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve_to(monkeypatch, ["93.184.216.34", "10.0.0.7"])
    assert "both.example resolves to 10.0.0.7, a private address" in refused("http://both.example/")


def test_wh9_the_address_that_was_checked_is_the_one_connected_to(
    monkeypatch: pytest.MonkeyPatch, receiver: Receiver
) -> None:
    """A name that answers differently the second time gains nothing: it is asked once."""
    asked = resolve_to(monkeypatch, ["127.0.0.1"], ["10.0.0.7"])
    response = send(f"http://rebind.example:{receiver.port}/")
    assert response.peer == "127.0.0.1"
    assert asked == ["rebind.example"]
    assert receiver.requests[0].headers["Host"] == f"rebind.example:{receiver.port}"


def test_wh9_a_first_answer_that_is_private_is_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve_to(monkeypatch, ["169.254.169.254"], ["93.184.216.34"])
    assert "169.254.169.254, a link-local address" in refused("http://rebind.example/latest")


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/",
        "file:///etc/passwd",
        "http:///nohost",
        "http://user:pass@example.com/",
        "http://example.com/a b",
        "http://example.com:99999/",
        "gopher://127.0.0.1/",
    ],
)
def test_only_plain_web_addresses_are_called(url: str) -> None:
    assert refused(url).startswith("The endpoint URL")


def test_a_header_cannot_break_out_of_its_line(receiver: Receiver) -> None:
    with pytest.raises(http.Refused, match="line break"):
        http.send(receiver.url, body=b"", headers={"X-Token": "a\r\nX-Evil: 1"}, policy=LOOPBACK)
    assert not receiver.requests


@pytest.mark.parametrize("name", ["Content-Length", "transfer-encoding", "Host", "Connection", "A: b", "A b", ""])
def test_a_header_cannot_change_where_a_request_ends_or_goes(receiver: Receiver, name: str) -> None:
    with pytest.raises(http.Refused, match=r"name holds a space|set by the server itself"):
        http.send(receiver.url, body=b"", headers={name: "0"}, policy=LOOPBACK)
    assert not receiver.requests


def test_header_values_may_hold_any_script(receiver: Receiver) -> None:
    http.send(receiver.url, body=b"", headers={"Authorization": "Bearer 秘密"}, policy=LOOPBACK)
    assert receiver.requests[0].headers["Authorization"].encode("latin-1").decode() == "Bearer 秘密"


def test_proxies_of_the_environment_are_ignored(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert send(receiver.url).status == 200


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "120"}, 120),
        ({"retry-after": " 7 "}, 7),
        ({"Retry-After": "Thu, 01 Jan 1970 00:01:40 GMT"}, 90),
        ({"Retry-After": "Thu, 01 Jan 1970 00:00:01 GMT"}, 0),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "Thu, 01 Jan 99999999999999999999 00:00:00 GMT"}, None),
        ({"Retry-After": "Thu, 01 Jan 1970 00:00:00 +99999999999999"}, None),
        ({}, None),
    ],
)
def test_wh7_retry_after_is_read_as_seconds_or_as_a_date(headers: dict[str, str], seconds: float | None) -> None:
    assert http.retry_after(headers, 10.0) == seconds


@pytest.mark.parametrize(
    ("status", "success", "retry"),
    [(200, True, False), (204, True, False), (302, False, False), (400, False, False), (404, False, False)]
    + [(status, False, True) for status in (408, 425, 429, 500, 502, 503, 599)],
)
def test_wh6_wh7_what_a_status_means(status: int, success: bool, retry: bool) -> None:
    assert http.is_success(status) is success
    assert http.is_retryable(status) is retry
