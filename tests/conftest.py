"""What every test starts from: an environment of its own, a real database, the rule for missing services."""

from __future__ import annotations

import os
import re
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from django.test import Client
    from rest_framework.test import APIClient

    from projects.events import Fact
    from projects.models import Project, Team, User
    from registries.models import Registry

ROOT = Path(__file__).resolve().parent.parent
TEST_DATA_DIR = Path(tempfile.mkdtemp(prefix="automations-tests-"))
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "gw0")


def _isolate_environment() -> None:
    """Forget what the shell says about this server and say what tests need, before settings are read."""
    for name in re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(), flags=re.MULTILINE):
        os.environ.pop(name, None)
        os.environ.pop(f"{name}_FILE", None)
    (TEST_DATA_DIR / "static").mkdir()
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "automations_site.settings",
        "DATA_DIR": str(TEST_DATA_DIR),
        "SECRET_KEY": "a-signing-key-that-only-the-tests-know",
        "FERNET_KEYS": "a-sealing-key-that-only-the-tests-know",
        "LOG_LEVEL": "WARNING",
    }
    if os.environ.get("TEST_DATABASE_URL"):
        os.environ["DATABASE_URL"] = os.environ["TEST_DATABASE_URL"]


_isolate_environment()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes() -> None:
    """Workers find out about the settings here, as this process did: told of them by their environment, pytest-django
    would read them before each worker has its own folder, and all would share this one."""
    del os.environ["DJANGO_SETTINGS_MODULE"]


def pytest_configure(config: pytest.Config) -> None:
    from django.conf import settings

    if Path(settings.DATA_DIR) != TEST_DATA_DIR:
        raise pytest.UsageError(f"Tests would share {settings.DATA_DIR} with others.")
    # Hashing a password is slow on purpose, and hashed file names need a collectstatic: neither is under
    # test.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }


def pytest_unconfigure(config: pytest.Config) -> None:
    shutil.rmtree(TEST_DATA_DIR, ignore_errors=True)


# --- services beside this process ---------------------------------------------------------------------------


def _redis_url() -> str:
    """One database per parallel worker, counted down from the last, so that tests never share a queue."""
    number = 15 - int(WORKER.removeprefix("gw")) % 15
    return f"{os.environ.get('TEST_REDIS_URL', 'redis://127.0.0.1:6379')}/{number}"


def _redis_answers() -> bool:
    host, _, port = _redis_url().split("/")[2].rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=2).close()
    except OSError:
        return False
    return True


def _chromium() -> str | None:
    names = (os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome")
    return next((path for name in names if name and (path := shutil.which(name))), None)


_SERVICES: dict[str, tuple[Callable[[], bool], str]] = {
    "redis": (_redis_answers, "start Redis or set TEST_REDIS_URL"),
    "chromium": (lambda: _chromium() is not None, "install Chromium or set CHROMIUM to its path"),
    "postgresql": (
        lambda: os.environ.get("DATABASE_URL", "").startswith("postgres"),
        "set TEST_DATABASE_URL to a PostgreSQL whose user may create databases",
    ),
}


def pytest_runtest_setup(item: pytest.Item) -> None:
    """A test marked `requires_service("redis")` is skipped without Redis; where CI=true, it fails.

    PostgreSQL is the exception: the suite runs once on each database, so its tests are skipped on SQLite.
    """
    for marker in item.iter_markers("requires_service"):
        name = marker.args[0]
        present, remedy = _SERVICES[name]
        if present():
            continue
        sentence = f"{name} is missing: {remedy}."
        if os.environ.get("CI") == "true" and name != "postgresql":
            pytest.fail(sentence, pytrace=False)
        pytest.skip(sentence)


@pytest.fixture
def redis_url() -> Iterator[str]:
    """An empty Redis database of this test's own. Use with `@pytest.mark.requires_service("redis")`."""
    import redis

    with redis.Redis.from_url(_redis_url()) as connection:
        connection.flushdb()
        yield _redis_url()
        connection.flushdb()


@pytest.fixture(scope="session")
def browser_path() -> str:
    """The Chromium to drive. Use with `@pytest.mark.requires_service("chromium")`."""
    return _chromium() or "chromium"


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """On SQLite, test on a file as in production: WAL, real locks, seen by threads and child processes."""
    from django.db import connection

    if connection.vendor == "sqlite":
        connection.settings_dict["TEST"]["NAME"] = str(TEST_DATA_DIR / f"test-{WORKER}.sqlite3")


# --- fixtures of the product --------------------------------------------------------------------------------
# They import inside, because models can only be imported after Django is set up, which is after this file.


@pytest.fixture
def alice(db: None) -> User:
    """Admin of the team research."""
    from tests import factories

    return factories.make_user("alice")


@pytest.fixture
def bob(db: None) -> User:
    """Member of the team research."""
    from tests import factories

    return factories.make_user("bob")


@pytest.fixture
def charlie(db: None) -> User:
    """A stranger: in no team but his own."""
    from tests import factories

    return factories.make_user("charlie")


@pytest.fixture
def team(alice: User, bob: User) -> Team:
    """The team research of the organization acme: alice is its admin, bob a member."""
    from tests import factories

    return factories.make_team(admin=alice, member=bob)


@pytest.fixture
def project(team: Team) -> Project:
    """The project digits of the team research."""
    from tests import factories

    return factories.make_project(team)


@pytest.fixture
def registry(team: Team, alice: User) -> Registry:
    """The registry models of the organization acme: alice is its admin."""
    from tests import factories

    return factories.make_registry(team.organization, admin=alice)


@pytest.fixture
def api(db: None) -> Callable[[User | None], APIClient]:
    """`api(user)`: a client of the REST API, signed in with a key of the user; `api(None)` is nobody."""

    from rest_framework.test import APIClient

    from tests import factories

    def client_of(user: User | None) -> APIClient:
        client = APIClient()
        if user is not None:
            client.credentials(HTTP_AUTHORIZATION=f"Bearer {factories.make_api_key(user)}")
        return client

    return client_of


@pytest.fixture(autouse=True)
def forget_watched_metrics() -> Iterator[None]:
    """Rolled-back tests use the same primary keys again, so what a process remembers of them must go."""
    yield
    from automations import candidates, watching
    from projects import keys, series

    candidates.forget()
    watching.watches_of.cache_clear()
    keys.forget_uses()
    series.forget()


@pytest.fixture
def operator(db: None, client: Client) -> Client:
    """A browser in which an admin of the whole server is signed in."""
    from tests import factories

    client.force_login(factories.make_user("operator", superuser=True, is_staff=True))
    return client


@pytest.fixture
def facts() -> Iterator[list[Fact]]:
    """Every fact announced during the test, in order."""
    from projects.events import announced

    heard: list[Fact] = []

    def hear(sender: object, fact: Fact, **kwargs: object) -> None:
        heard.append(fact)

    announced.connect(hear, weak=False)
    yield heard
    announced.disconnect(hear)


@pytest.fixture(autouse=True)
def no_replay_rests() -> Iterator[None]:
    """A replay leaves a rest behind, for which the next test need not wait."""
    yield
    for turn in TEST_DATA_DIR.glob("replay-*.lock"):
        turn.unlink()


@pytest.fixture(autouse=True)
def no_name_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests ask nobody outside: only addresses and names of this machine resolve."""
    resolve = socket.getaddrinfo

    def of_this_machine(host: Any, *args: Any, **kwargs: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else str(host or "")
        if name and name.lower() not in {"localhost", socket.gethostname()}:
            kwargs["flags"] = kwargs.get("flags", 0) | socket.AI_NUMERICHOST
        return resolve(host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", of_this_machine)
