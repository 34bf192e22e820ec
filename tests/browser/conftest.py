"""A real browser in front of a real server, and what no page may do while one looks at it.

One Chromium serves all tests of this folder. Whatever a test is about, it fails if a page writes an error or a
warning to the console, throws, or asks for anything outside of this server.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from tests.browser.visitor import VISITORS, Visitor
from tests.receiver import Receiver

if TYPE_CHECKING:
    from pytest_django.live_server_helper import LiveServer

    from projects.models import User

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
HERE = Path(__file__).parent
# Every step has a page to wait for, on a machine that may be busy with other tests.
PATIENCE = 15_000
HARMLESS = {"log", "info", "debug"}
# What htmx says of a request that gave way to a newer one. Of one that failed there is more to hear.
GAVE_WAY = ("htmx:afterRequest", "htmx:sendAbort")

OpenPage = Callable[..., Page]


@pytest.fixture(scope="package")
def chromium(browser_path: str) -> Iterator[Browser]:
    """The browser, which is gone again before any test outside of this folder runs.

    Playwright drives it from an event loop in this thread, so that Django takes every test for asynchronous code and
    refuses to ask the database; it need not: nothing of a test runs beside it.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        expect.set_options(timeout=PATIENCE)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=browser_path, args=FLAGS)
            yield browser
            browser.close()


class Witness:
    """Writes down what pages do that they must not."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.complaints: list[str] = []
        self.refusals: set[int] = set()
        self.elsewhere: set[str] = set()

    def watch(self, context: BrowserContext) -> None:
        context.on("console", self._hear)
        context.on("weberror", lambda error: self.complaints.append(f"thrown: {error.error}"))
        context.on("request", lambda request: self._check(request.url))

    def _hear(self, message: ConsoleMessage) -> None:
        refused = [f"{words} {status} " for status in self.refusals for words in ("a status of", "Status Error Code")]
        provoked = any(words in message.text for words in refused) or message.text.startswith(GAVE_WAY)
        if message.type not in HARMLESS and not provoked:
            self.complaints.append(f"{message.type}: {message.text} ({message.location['url']})")

    def _check(self, url: str) -> None:
        allowed = (f"{origin}/" for origin in (self.origin, *self.elsewhere))
        if not url.startswith((*allowed, "data:", "about:")):
            self.complaints.append(f"left the server: {url}")


@pytest.fixture
def witness(live_server: LiveServer) -> Witness:
    """What this test's pages did wrong. A test that provokes a refusal adds its status to `refusals`: Chromium and htmx
    write each into the console. One that follows a link to another server adds its origin to `elsewhere`."""
    return Witness(live_server.url)


@pytest.fixture
def context_options() -> dict[str, Any]:
    """How pages of this test are opened; a file may say more."""
    return {}


@pytest.fixture
def open_page(
    chromium: Browser, live_server: LiveServer, witness: Witness, context_options: dict[str, Any]
) -> Iterator[OpenPage]:
    """`open_page(alice)`: a page in a browser of her own, where she is signed in; `open_page()`: nobody is.

    Other arguments are those of Playwright's `new_context`.
    """
    opened: list[BrowserContext] = []

    def open_one(user: User | None = None, **options: Any) -> Page:
        defaults = {"base_url": live_server.url, "reduced_motion": "reduce", "locale": "en"}
        context = chromium.new_context(**(defaults | context_options | options))
        opened.append(context)
        context.set_default_timeout(PATIENCE)
        witness.watch(context)
        if user is not None:
            context.add_cookies([{"name": "sessionid", "value": session_of(user), "url": live_server.url}])
        return context.new_page()

    yield open_one
    for context in opened:
        context.close()
    assert witness.complaints == []


@pytest.fixture
def page(open_page: OpenPage) -> Page:
    """A page in a browser where nobody is signed in."""
    return open_page()


@pytest.fixture(params=VISITORS, ids=["en-1280", "ja-375"])
def visitor(request: pytest.FixtureRequest, open_page: OpenPage, alice: User) -> Visitor:
    """Alice, signed in, without a mouse: once in English on a desk, once in Japanese on a phone."""
    locale, width = request.param
    return Visitor(open_page(alice, locale=locale, viewport={"width": width, "height": 760}), locale)


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    """A receiver of webhooks, which the server is allowed to call."""
    settings.WEBHOOK_ALLOWED_NETWORKS = ["127.0.0.1/32"]
    with Receiver() as listening:
        yield listening


def settle(page: Page) -> None:
    """Wait for the parts of a page that load after it."""
    page.wait_for_load_state()
    expect(page.get_by_text(re.compile("Loading…|読み込み中…"))).to_have_count(0)


def session_of(user: User) -> str:
    """The cookie of somebody who has signed in."""
    from django.test import Client

    client = Client()
    client.force_login(user)
    return client.cookies["sessionid"].value


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here drives a browser."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.requires_service("chromium"))
