"""The one way out of the house.

Names are resolved once, every address is checked against the guard, and the connection goes to the address that was
checked, so that a name which resolves differently a moment later gains nothing (WH9). Redirects are never followed,
proxies of the environment are ignored, a send ends at its deadline however slowly the other side drips, and no more of
an answer is read than is kept (WH6).

The adapter of `requests` is used without its session, which would do three things that are wrong here: hand one team's
cookies to another team's request, read the whole body of a redirect, and look into the environment.
"""

from __future__ import annotations

import os
import re
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from functools import lru_cache
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit

import requests
from django.conf import settings
from requests.adapters import DEFAULT_CA_BUNDLE_PATH, HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError, InvalidHeader

from automations import sockets
from automations.addresses import Policy, refusal
from automations.sockets import Call, DeliveryError, Refused

__all__ = [
    "DeliveryError",
    "Refused",
    "Response",
    "check_url",
    "forget_connections",
    "is_retryable",
    "is_success",
    "retry_after",
    "send",
]

MAX_RESPONSE_BYTES = 20_000
MAX_HEADER_CHARACTERS = 8_000  # of the answer's header fields, kept
# Headers that say where a request ends or whom it is for: two opinions about that are how requests are smuggled.
FRAMING = frozenset({"connection", "content-length", "host", "te", "trailer", "transfer-encoding", "upgrade"})
TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # a header name, RFC 9110 §5.6.2
RESOLVE_WHEN_SAVING = 2.0  # seconds a form may wait for a name; what cannot be resolved then is judged when sent
RETRYABLE = frozenset({408, 425, 429})


@dataclass(frozen=True, slots=True)
class Response:
    """An answer: at most 20 kB of its body, the header fields that fit 8,000 characters, `duration` in seconds, and the
    address it came from."""

    status: int
    reason: str
    headers: Mapping[str, str]
    body: bytes
    truncated: bool
    duration: float
    peer: str


# How many hosts, and connections to each, are kept open for the next send. More may be open while sending.
HOSTS = 128
IDLE = 64


def send(
    url: str,
    *,
    body: bytes,
    headers: Mapping[str, str],
    policy: Policy | None = None,
    connect_timeout: float | None = None,
    total_timeout: float | None = None,
    kept_bytes: int = MAX_RESPONSE_BYTES,
) -> Response:
    """POST the body, and return whatever was answered, redirects included. Timeouts are in seconds; `kept_bytes` is for
    an answer that has to be read whole.

    Raises:
        Refused: the guard forbids the address.
        DeliveryError: no answer, with the reason as a sentence.
    """
    total = float(settings.WEBHOOK_TOTAL_TIMEOUT if total_timeout is None else total_timeout)
    started = time.monotonic()
    call = Call(
        policy=policy or Policy.parse(settings.WEBHOOK_ALLOWED_NETWORKS),
        connect_timeout=float(settings.WEBHOOK_CONNECT_TIMEOUT if connect_timeout is None else connect_timeout),
        deadline=started + total,
    )
    check_url(url)
    try:
        with sockets.carrying(call):
            return _exchange(url, body, _encoded(headers), call, started=started, kept_bytes=kept_bytes)
    except DeliveryError as error:
        error.duration = time.monotonic() - started
        raise
    except (requests.RequestException, HTTPError, HTTPException, OSError, ValueError) as error:
        message = f"No complete answer within {total:g} s." if call.expired() else _sentence(error, url, call)
        permanent = isinstance(error, requests.exceptions.InvalidURL | UnicodeError)
        raise DeliveryError(message, permanent=permanent, duration=time.monotonic() - started) from error


def check_url(url: str) -> None:
    """Refuse what is no address of an endpoint.

    Raises:
        Refused: another scheme than http(s), credentials in the URL, no host, control characters.
    """
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise Refused(f"The endpoint URL is not valid: {error}.") from error
    if parts.scheme not in {"http", "https"}:
        raise Refused("The endpoint URL has to begin with http:// or https://.")
    if not parts.hostname:
        raise Refused("The endpoint URL names no host.")
    if parts.username is not None or parts.password is not None:
        raise Refused("The endpoint URL holds credentials; use the access token or a header with a secret instead.")
    if any(ord(letter) < 33 or ord(letter) == 127 for letter in url):
        raise Refused("The endpoint URL holds spaces or control characters.")


def objection(url: str) -> str | None:
    """Why this URL could not be called as things are now, as a sentence for the form that saves it, or None. What is
    sent is judged again, whatever was said here."""
    try:
        check_url(url)
    except Refused as refused:
        return refused.message
    parts = urlsplit(url)
    return sockets.objection(
        str(parts.hostname),
        parts.port or (443 if parts.scheme == "https" else 80),
        policy=Policy.parse(settings.WEBHOOK_ALLOWED_NETWORKS),
        timeout=RESOLVE_WHEN_SAVING,
    )


def is_success(status: int) -> bool:
    """Whether the receiver took the message: 2xx only."""
    return 200 <= status < 300


def is_retryable(status: int) -> bool:
    """Whether trying again later may help: 408, 425, 429 and 5xx (WH7)."""
    return status in RETRYABLE or status >= 500


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds the receiver asks to wait (`Retry-After` as seconds or as a date), or None if it does not say."""
    text = next((value for name, value in headers.items() if name.lower() == "retry-after"), "").strip()
    if text.isdecimal():
        return float(text[:9])
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError, OverflowError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(moment.timestamp() - now, 0.0)


def _exchange(
    url: str, body: bytes, headers: dict[str, bytes], call: Call, *, started: float, kept_bytes: int
) -> Response:
    # The sockets know the deadline; the libraries' own timeouts only must not come before it.
    answer = _adapter().send(
        requests.Request("POST", url, data=body, headers=headers).prepare(),
        stream=True,
        timeout=call.remaining(),
    )
    with answer:
        # One byte more than is kept tells whether there was more; the rest is never read.
        kept = answer.raw.read(kept_bytes + 1, decode_content=False)
    return Response(
        status=answer.status_code,
        reason=_storable(answer.reason or "")[:200],
        headers=_kept_headers(answer.headers),
        body=kept[:kept_bytes],
        truncated=len(kept) > kept_bytes,
        duration=time.monotonic() - started,
        peer=call.peer,
    )


def _kept_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """What fits of the answer's headers; one that is too long does not push out those behind it."""
    kept: dict[str, str] = {}
    room = MAX_HEADER_CHARACTERS
    for name, value in headers.items():
        if len(name) + len(value) <= room:
            room -= len(name) + len(value)
            kept[_storable(name)] = _storable(value)
    return kept


def _storable(text: str) -> str:
    """PostgreSQL takes no NUL in a text."""
    return text.replace("\x00", "\N{REPLACEMENT CHARACTER}")


def _encoded(headers: Mapping[str, str]) -> dict[str, bytes]:
    encoded = {"User-Agent": settings.USER_AGENT.encode(), "Accept-Encoding": b"identity"}
    for name, value in headers.items():
        if not TOKEN.fullmatch(name):
            raise Refused("A header's name holds a space, a colon or another character that names must not have.")
        if name.lower() in FRAMING:
            raise Refused(f"Header {name} is set by the server itself.")
        if any((ord(letter) < 32 and letter != "\t") or ord(letter) == 127 for letter in value):
            raise Refused(f"The value of header {name} holds a line break or another control character.")
        encoded[name] = value.strip().encode()
    return encoded


def _adapter() -> _GuardedAdapter:
    """The process's connections: they stay open between sends, whichever thread makes those, and never cross a fork."""
    global _connections  # noqa: PLW0603  one a process
    with _connecting:
        if _connections is None or _connections[0] != os.getpid():
            _connections = os.getpid(), _GuardedAdapter(pool_connections=HOSTS, pool_maxsize=IDLE, max_retries=0)
        return _connections[1]


def forget_connections() -> None:
    """Close the process's connections and read anew which authorities TLS trusts."""
    global _connections  # noqa: PLW0603
    with _connecting:
        if _connections is not None:
            _connections[1].close()
        _connections = None
    _tls_context.cache_clear()


# --- the guard, where connections are made ------------------------------------------------------------------


class _GuardedConnection(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return sockets.connect(self.host.strip("[]"), self.port or 0)

    def request(self, *args: Any, **kwargs: Any) -> None:
        _note_peer(self)
        super().request(*args, **kwargs)

    @property
    def is_connected(self) -> bool:
        return super().is_connected and _still_allowed(self)


class _GuardedTLSConnection(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return sockets.connect(self.host.strip("[]"), self.port or 0)

    def request(self, *args: Any, **kwargs: Any) -> None:
        _note_peer(self)
        super().request(*args, **kwargs)

    @property
    def is_connected(self) -> bool:
        return super().is_connected and _still_allowed(self)


@lru_cache(maxsize=1)
def _tls_context() -> ssl.SSLContext:
    return sockets.tls_context(DEFAULT_CA_BUNDLE_PATH)


class _GuardedPool(HTTPConnectionPool):
    ConnectionCls = _GuardedConnection


class _GuardedTLSPool(HTTPSConnectionPool):
    ConnectionCls = _GuardedTLSConnection


class _GuardedAdapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, ssl_context=_tls_context(), **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _GuardedPool, "https": _GuardedTLSPool}

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Certificates are always checked; the context has the authorities, so none are read for each connection."""
        conn.cert_reqs = "CERT_REQUIRED"


_connecting = threading.Lock()
_connections: tuple[int, _GuardedAdapter] | None = None


def _note_peer(connection: HTTPConnection) -> None:
    if connection.sock is not None:  # one that is used again; a new one says its peer when it connects
        sockets.current().peer = str(sockets.peer_of(connection.sock))


def _still_allowed(connection: HTTPConnection) -> bool:
    """Whether an open connection may be used again; if not, connecting anew says why."""
    peer = sockets.peer_of(connection.sock)
    return refusal(peer, sockets.current().policy, connection.host.strip("[]")) is None


# --- what went wrong, for people ----------------------------------------------------------------------------


def _sentence(error: Exception, url: str, call: Call) -> str:
    host = urlsplit(url).hostname or url
    root = _root(error)
    no_connection = isinstance(error, requests.exceptions.ConnectTimeout) or not call.peer
    timed_out = isinstance(error, requests.exceptions.Timeout) or isinstance(root, TimeoutError)
    sentences = (
        (isinstance(error, requests.exceptions.SSLError), f"The TLS connection to {host} failed: {_tls(root)}."),
        (isinstance(error, requests.exceptions.InvalidURL | UnicodeError), f"The endpoint URL is not valid: {error}."),
        (isinstance(root, ConnectionRefusedError), f"{host} refused the connection: nothing listens at that port."),
        (timed_out and no_connection, f"{host} did not accept a connection within {call.connect_timeout:g} s."),
        (timed_out, f"{host} did not answer in time."),
        (isinstance(root, ConnectionError), f"{host} closed the connection without an answer."),
        (
            isinstance(root, HTTPException | InvalidHeader | ValueError),
            f"{host} sent an answer that is not valid HTTP ({type(root).__name__}).",
        ),
        (True, f"{host} could not be reached: {getattr(root, 'strerror', None) or type(root).__name__}."),
    )
    return next(sentence for applies, sentence in sentences if applies)


def _tls(root: BaseException) -> str:
    return str(getattr(root, "verify_message", "") or getattr(root, "reason", "") or root)


def _root(error: BaseException) -> BaseException:
    """The exception at the bottom: the libraries wrap it in their own, as cause, context, argument or reason."""
    seen = {id(error)}
    while True:
        inner = next(
            (
                one
                for one in (getattr(error, "reason", None), *error.args, error.__cause__, error.__context__)
                if isinstance(one, BaseException) and id(one) not in seen
            ),
            None,
        )
        if inner is None:
            return error
        seen.add(id(inner))
        error = inner
