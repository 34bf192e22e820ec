"""WH6, WH9 under TLS: the certificate is that of the name, the connection goes to the checked address."""

from __future__ import annotations

import datetime as dt
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from automations import http, sockets
from automations.addresses import Policy

LOOPBACK = Policy.parse(["127.0.0.0/8"])
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A self-signed certificate of hooks.example, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hooks.example")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("hooks.example")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "hooks.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


class TLSReceiver:
    """Answers one TLS connection after the other; `asked_for` are the names that clients asked for (SNI)."""

    def __init__(self, certificate: Path) -> None:
        self.asked_for: list[str | None] = []
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate)
        self.context.sni_callback = lambda _socket, name, _context: self.asked_for.append(name)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self.listener.getsockname()[1])
        self.thread = threading.Thread(target=self.serve)

    def serve(self) -> None:
        while True:
            try:
                plain, _ = self.listener.accept()
            except OSError:
                return
            with plain:
                plain.settimeout(10)
                self.answer(plain)

    def answer(self, plain: socket.socket) -> None:
        try:
            with self.context.wrap_socket(plain, server_side=True) as secured:
                received = b""
                while not received.endswith(b"{}"):
                    received += secured.recv(65536)
                secured.sendall(ANSWER)
        except OSError:
            return  # the client did not like the certificate


@pytest.fixture
def receiver(certificate: Path) -> Iterator[TLSReceiver]:
    receiver = TLSReceiver(certificate)
    receiver.thread.start()
    yield receiver
    receiver.listener.shutdown(socket.SHUT_RDWR)
    receiver.listener.close()
    receiver.thread.join()


@pytest.fixture(autouse=True)
def forget_trust() -> Iterator[None]:
    """What one test trusts, and the connections made with it, are nobody else's."""
    http.forget_connections()
    yield
    http.forget_connections()


@pytest.fixture(autouse=True)
def everything_resolves_to_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    def getaddrinfo(host: str, port: int, *args: Any, **kwargs: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


def send(url: str, **options: Any) -> http.Response:
    return http.send(url, body=b"{}", headers={}, policy=LOOPBACK, **options)


def test_a_self_signed_certificate_is_named_as_the_reason(receiver: TLSReceiver) -> None:
    with pytest.raises(http.DeliveryError, match=r"The TLS connection to hooks\.example failed: self-signed") as error:
        send(f"https://hooks.example:{receiver.port}/")
    assert not error.value.permanent


def test_wh9_the_certificate_is_that_of_the_name_though_the_address_is_connected_to(
    receiver: TLSReceiver, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    response = send(f"https://hooks.example:{receiver.port}/")
    assert (response.status, response.body, response.peer) == (200, b"ok", "127.0.0.1")
    assert receiver.asked_for == ["hooks.example"]


def test_a_certificate_of_another_name_is_refused(
    receiver: TLSReceiver, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with pytest.raises(http.DeliveryError, match=r"not valid for 'other\.example'"):
        send(f"https://other.example:{receiver.port}/")


def test_wh6_a_handshake_that_never_comes_ends_at_the_deadline() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(http.DeliveryError, match=r"No complete answer within 0\.3 s"):
            send(f"https://hooks.example:{port}/", total_timeout=0.3)


def test_a_call_that_is_over_has_no_time_left() -> None:
    over = sockets.Call(policy=LOOPBACK, connect_timeout=1.0, deadline=0.0)
    assert over.expired()
    with pytest.raises(TimeoutError):
        over.remaining()
