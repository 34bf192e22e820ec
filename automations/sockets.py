"""Sockets for deliveries: connected only to checked addresses (WH9), and never slower than their deadline (WH6).

A socket's own timeout starts again with every byte, so a receiver that drips could hold a worker for hours. Here every
wait is cut to what is left of the whole send. `automations.http` puts HTTP on top.
"""

from __future__ import annotations

import ipaddress
import os
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from automations.addresses import Address, Policy, refusal

MAX_WIRE_BYTES = 250_000  # of an answer, read at all: a chunk of length -1 must not fill the memory
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


@dataclass(slots=True)
class Call:
    """One send: whom it may reach, how long it may take (`deadline` by the monotonic clock), and how far it came."""

    policy: Policy
    connect_timeout: float
    deadline: float
    peer: str = ""
    received: int = 0

    def expired(self) -> bool:
        """Whether the deadline has come."""
        return time.monotonic() >= self.deadline

    def remaining(self) -> float:
        """Seconds until the deadline. Raises TimeoutError when it has come."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def count(self, received: int) -> None:
        """Note bytes read. Raises DeliveryError when they are more than any answer that could be kept."""
        self.received += received
        if self.received > MAX_WIRE_BYTES:
            raise DeliveryError("The receiver's answer has no end, or headers without measure; it was not read on.")


_local = threading.local()


@contextmanager
def carrying(call: Call) -> Iterator[None]:
    """While this lasts, the thread's sockets obey this call."""
    _local.call = call
    try:
        yield
    finally:
        _local.call = None


def current() -> Call:
    """The call that this thread is making."""
    call: Call = _local.call
    return call


if TYPE_CHECKING:
    _AnySocket = socket.socket
else:
    _AnySocket = object  # whatever mixes this in is a socket


class _Bounded(_AnySocket):
    def recv_into(self, buffer: Any, nbytes: int | None = None, flags: int = 0) -> int:
        call = current()
        self.settimeout(call.remaining())
        received = super().recv_into(buffer, nbytes or len(buffer), flags)
        call.count(received)
        return received

    def sendall(self, *args: Any) -> None:
        self.settimeout(current().remaining())
        super().sendall(*args)

    def send(self, *args: Any) -> int:
        # A TLS socket's `sendall` comes here once a piece.
        self.settimeout(current().remaining())
        return super().send(*args)


class _Socket(_Bounded, socket.socket):
    """Plain TCP."""


class _TLSSocket(_Bounded, ssl.SSLSocket):
    """TCP under TLS, made by `tls_context`."""


def tls_context(authorities: str) -> ssl.SSLContext:
    """Whom TLS trusts: the authorities of this file, and the system's (`SSL_CERT_FILE`, `SSL_CERT_DIR`)."""
    context = ssl.create_default_context()
    context.load_verify_locations(authorities)
    context.sslsocket_class = _TLSSocket
    return context


def connect(host: str, port: int) -> socket.socket:
    """Connect to an address of the host that was checked, and to no other.

    Raises:
        Refused: one of the addresses is behind our own door.
        DeliveryError: the name cannot be resolved.
        OSError: nobody accepted the connection.
    """
    call = current()
    addresses = _resolved(host, port, call)
    for address in addresses:
        reason = refusal(address, call.policy, host)
        if reason is not None:
            raise Refused(reason)
    problem: OSError | None = None
    for address in addresses:
        sock = _Socket(socket.AF_INET if address.version == 4 else socket.AF_INET6, socket.SOCK_STREAM)
        try:
            sock.settimeout(min(call.connect_timeout, call.remaining()))
            sock.connect((str(address), port))
        except OSError as error:
            sock.close()
            problem = error
        else:
            return _verified(sock, address)
    raise problem or OSError("no addresses")


def objection(host: str, port: int, *, policy: Policy, timeout: float) -> str | None:
    """Why a send to this host would be refused as its name resolves now, or None: a name may resolve differently, or
    at all, when something is sent, and is judged again then."""
    call = Call(policy=policy, connect_timeout=timeout, deadline=time.monotonic() + timeout)
    try:
        addresses = _resolved(host, port, call)
    except DeliveryError:
        return None
    return next((reason for address in addresses if (reason := refusal(address, policy, host))), None)


def peer_of(sock: socket.socket) -> Address:
    """The address at the other end."""
    return ipaddress.ip_address(str(sock.getpeername()[0]).partition("%")[0])


def _verified(sock: socket.socket, address: Address) -> socket.socket:
    peer = peer_of(sock)
    if peer != address:
        sock.close()
        raise Refused(f"The connection to {address} ended up at {peer}; nothing was sent.")
    current().peer = str(peer)
    sock.settimeout(current().remaining())  # also the limit of a TLS handshake
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def _resolved(host: str, port: int, call: Call) -> list[Address]:
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
