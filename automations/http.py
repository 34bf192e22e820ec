"""The one way out of the house.

Names are resolved once, every address is checked against the guard, and the connection goes to the address that was
checked, so that a name which resolves differently a moment later gains nothing (WH9). Redirects are never followed,
proxies of the environment are ignored, a send ends at its deadline however slowly the other side drips, and no more of
an answer is read than is kept (WH6).
"""

from __future__ import annotations

import ipaddress
import os
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit

import requests
from django.conf import settings
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from automations.addresses import Address, Policy, refusal

MAX_RESPONSE_BYTES = 20_000
RETRYABLE = frozenset({408, 425, 429})
RESOLVER_THREADS = 8


class DeliveryError(Exception):
    """There was no answer. `message` is a sentence for people, `duration` the seconds it took to find out;
    `permanent` says that trying again is pointless."""

    def __init__(self, message: str, *, permanent: bool = False, duration: float | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.permanent = permanent
        self.duration = duration


class Refused(DeliveryError):
    """The guard does not let the request out."""

    def __init__(self, message: str) -> None:
        super().__init__(message, permanent=True)


@dataclass(frozen=True, slots=True)
class Response:
    """An answer: at most 20 kB of its body, `duration` in seconds, and the address it came from."""

    status: int
    reason: str
    headers: Mapping[str, str]
    body: bytes
    truncated: bool
    duration: float
    peer: str


@dataclass(slots=True)
class _Call:
    """One send: how long it may take, whom it may reach, and the connection it uses, so that it can be cut off."""

    policy: Policy
    connect_timeout: float
    deadline: float
    connection: HTTPConnection | None = None
    expired: threading.Event = field(default_factory=threading.Event)

    def remaining(self) -> float:
        return max(self.deadline - time.monotonic(), 0.001)

    def cut_off(self) -> None:
        """End whatever the sending thread waits for; called by the timer when the deadline has come."""
        self.expired.set()
        sock = getattr(self.connection, "sock", None)
        if isinstance(sock, socket.socket):
            try:
                # The base class: a TLS socket must be cut below TLS, without its farewell.
                socket.socket.shutdown(sock, socket.SHUT_RDWR)
            except OSError:
                self.connection = None  # it is closed already, which is all that was wanted


_local = threading.local()


def send(
    url: str,
    *,
    body: bytes,
    headers: Mapping[str, str],
    policy: Policy | None = None,
    connect_timeout: float | None = None,
    total_timeout: float | None = None,
) -> Response:
    """POST the body, and return whatever was answered, redirects included. Timeouts are in seconds.

    Raises:
        Refused: the guard forbids the address.
        DeliveryError: no answer, with the reason as a sentence.
    """
    total = float(settings.WEBHOOK_TOTAL_TIMEOUT if total_timeout is None else total_timeout)
    started = time.monotonic()
    call = _Call(
        policy=policy or Policy.parse(settings.WEBHOOK_ALLOWED_NETWORKS),
        connect_timeout=float(settings.WEBHOOK_CONNECT_TIMEOUT if connect_timeout is None else connect_timeout),
        deadline=started + total,
    )
    check_url(url)
    try:
        with _deadline(call):
            return _exchange(url, body, _encoded(headers), call, started=started)
    except DeliveryError as error:
        error.duration = time.monotonic() - started
        raise
    except (requests.RequestException, HTTPError, HTTPException, OSError, ValueError) as error:
        message = f"No complete answer within {total:g} s." if call.expired.is_set() else _sentence(error, url, call)
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
    except (TypeError, ValueError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(moment.timestamp() - now, 0.0)


@contextmanager
def _deadline(call: _Call) -> Iterator[None]:
    timer = threading.Timer(call.remaining(), call.cut_off)
    timer.daemon = True
    timer.start()
    _local.call = call
    try:
        yield
    finally:
        timer.cancel()
        _local.call = None


def _exchange(url: str, body: bytes, headers: dict[str, bytes], call: _Call, *, started: float) -> Response:
    answer = _session().post(
        url,
        data=body,
        headers=headers,
        timeout=(call.connect_timeout, call.remaining()),
        allow_redirects=False,
        stream=True,
    )
    with answer:
        # One byte more than is kept tells whether there was more; the rest is never read.
        kept = answer.raw.read(MAX_RESPONSE_BYTES + 1, decode_content=False)
    if call.expired.is_set():
        raise TimeoutError
    return Response(
        status=answer.status_code,
        reason=answer.reason or "",
        headers=dict(answer.headers),
        body=kept[:MAX_RESPONSE_BYTES],
        truncated=len(kept) > MAX_RESPONSE_BYTES,
        duration=time.monotonic() - started,
        peer=getattr(call.connection, "peer", ""),
    )


def _encoded(headers: Mapping[str, str]) -> dict[str, bytes]:
    encoded = {"User-Agent": settings.USER_AGENT.encode(), "Accept-Encoding": b"identity"}
    for name, value in headers.items():
        if any((ord(letter) < 32 and letter != "\t") or ord(letter) == 127 for letter in name + value):
            raise Refused(f"The value of header {name} holds a line break or another control character.")
        encoded[name] = value.encode()
    return encoded


def _session() -> requests.Session:
    """This thread's session: connections stay open between sends, and never cross a fork."""
    session: requests.Session | None = getattr(_local, "session", None)
    if session is None or _local.pid != os.getpid():
        session = requests.Session()
        session.trust_env = False
        session.headers.clear()
        for scheme in ("http://", "https://"):
            session.mount(scheme, _GuardedAdapter(pool_connections=32, pool_maxsize=4, max_retries=0))
        _local.session, _local.pid = session, os.getpid()
    return session


# --- the guard, where connections are made ------------------------------------------------------------------


class _GuardedConnection(HTTPConnection):
    peer = ""

    def _new_conn(self) -> socket.socket:
        return _connect(self)

    def request(self, *args: Any, **kwargs: Any) -> None:
        _local.call.connection = self
        super().request(*args, **kwargs)


class _GuardedTLSConnection(HTTPSConnection):
    peer = ""

    def _new_conn(self) -> socket.socket:
        return _connect(self)

    def request(self, *args: Any, **kwargs: Any) -> None:
        _local.call.connection = self
        super().request(*args, **kwargs)


class _GuardedPool(HTTPConnectionPool):
    ConnectionCls = _GuardedConnection


class _GuardedTLSPool(HTTPSConnectionPool):
    ConnectionCls = _GuardedTLSConnection


class _GuardedAdapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _GuardedPool, "https": _GuardedTLSPool}


def _connect(connection: _GuardedConnection | _GuardedTLSConnection) -> socket.socket:
    """Connect to an address of the host that was checked, and to no other."""
    call: _Call = _local.call
    call.connection = connection
    host = connection.host.strip("[]")
    addresses = _resolved(host, connection.port or 0, call)
    for address in addresses:
        reason = refusal(address, call.policy, host)
        if reason is not None:
            raise Refused(reason)
    problem: OSError | None = None
    for address in addresses:
        sock = socket.socket(socket.AF_INET if address.version == 4 else socket.AF_INET6, socket.SOCK_STREAM)
        sock.settimeout(min(call.connect_timeout, call.remaining()))
        try:
            sock.connect((str(address), connection.port or 0))
        except OSError as error:
            sock.close()
            problem = error
        else:
            return _verified(sock, address, connection)
    raise problem or OSError("no addresses")


def _verified(
    sock: socket.socket, address: Address, connection: _GuardedConnection | _GuardedTLSConnection
) -> socket.socket:
    peer = ipaddress.ip_address(sock.getpeername()[0].partition("%")[0])
    if peer != address:
        sock.close()
        raise Refused(f"The connection to {address} ended up at {peer}; nothing was sent.")
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.peer = str(peer)
    return sock


def _resolved(host: str, port: int, call: _Call) -> list[Address]:
    try:
        found = _look_up(host, port).result(timeout=min(call.connect_timeout, call.remaining()))
    except FutureTimeout:
        raise DeliveryError(f"The name {host} could not be resolved in {call.connect_timeout:g} s.") from None
    except (OSError, UnicodeError) as error:
        raise DeliveryError(f"The name {host} could not be resolved. Check the spelling of the endpoint.") from error
    return list(dict.fromkeys(ipaddress.ip_address(str(row[4][0]).partition("%")[0]) for row in found))


def _look_up(host: str, port: int) -> Future[list[Any]]:
    # In a thread, because resolving has no timeout of its own.
    global _resolver, _resolver_pid  # noqa: PLW0603  one pool of threads a process, made anew after a fork
    if _resolver is None or _resolver_pid != os.getpid():
        _resolver = ThreadPoolExecutor(RESOLVER_THREADS, thread_name_prefix="resolve")
        _resolver_pid = os.getpid()
    return _resolver.submit(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)


_resolver: ThreadPoolExecutor | None = None
_resolver_pid = 0


# --- what went wrong, for people ----------------------------------------------------------------------------


def _sentence(error: Exception, url: str, call: _Call) -> str:
    host = urlsplit(url).hostname or url
    root = _root(error)
    no_connection = isinstance(error, requests.exceptions.ConnectTimeout) or call.connection is None
    timed_out = isinstance(error, requests.exceptions.Timeout) or isinstance(root, TimeoutError)
    sentences = (
        (isinstance(error, requests.exceptions.SSLError), f"The TLS connection to {host} failed: {_tls(root)}."),
        (isinstance(error, requests.exceptions.InvalidURL | UnicodeError), f"The endpoint URL is not valid: {error}."),
        (isinstance(root, ConnectionRefusedError), f"{host} refused the connection: nothing listens at that port."),
        (timed_out and no_connection, f"{host} did not accept a connection within {call.connect_timeout:g} s."),
        (timed_out, f"{host} did not answer in time."),
        (isinstance(root, ConnectionError), f"{host} closed the connection without an answer."),
        (isinstance(root, HTTPException), f"{host} sent an answer that is not valid HTTP ({type(root).__name__})."),
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
