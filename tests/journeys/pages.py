"""A browser without a screen: signs in and reads every page that links lead to."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from http.cookiejar import CookieJar
from urllib.error import HTTPError
from urllib.parse import urlencode, urljoin, urlsplit
from urllib.request import HTTPCookieProcessor, OpenerDirector, Request, build_opener

ADDRESSES = re.compile(r"""\b(?:href|hx-get|action)=["']([^"'#]*)""")
MOST_PAGES = 2_000
# Files, the way out, and the admin's many ways to sort and filter one list.
LEFT_OUT = re.compile(r"^/(?:static/|logout|admin/logout|admin/jsi18n|admin/[^?]*\?)")


@dataclass(frozen=True, slots=True)
class Page:
    """What one address answered; `text` holds its headers, too."""

    path: str
    status: int
    text: str


class Browser:
    """Somebody's session."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._cookies = CookieJar()
        self._opener: OpenerDirector = build_opener(HTTPCookieProcessor(self._cookies))

    def sign_in(self, username: str, password: str) -> None:
        page = self.get("/login")
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
        assert token, page.text
        self.post("/login", username=username, password=password, csrfmiddlewaretoken=token[1])
        assert any(cookie.name == "sessionid" for cookie in self._cookies)

    @property
    def cookies(self) -> str:
        return "\n".join(f"{cookie.name}={cookie.value}" for cookie in self._cookies)

    def get(self, path: str) -> Page:
        return self._open(path, Request(self._url + path))  # noqa: S310  the server's own address

    def post(self, path: str, **fields: str) -> Page:
        token = next((cookie.value or "" for cookie in self._cookies if cookie.name == "csrftoken"), "")
        body = urlencode({"csrfmiddlewaretoken": token} | fields).encode()
        return self._open(path, Request(self._url + path, body, {"Referer": self._url}))  # noqa: S310

    def crawl(self, *starts: str) -> list[Page]:
        """The pages at these addresses and all that they lead to; forms are looked at and not sent."""
        waiting = list(starts)
        seen = set(waiting)
        pages = []
        while waiting:
            pages.append(self.get(waiting.pop()))
            assert len(pages) < MOST_PAGES, f"there is no end to the pages: {sorted(seen)}"
            new = {path for path in self._addresses_in(pages[-1]) if not LEFT_OUT.search(path)} - seen
            seen |= new
            waiting += sorted(new)
        return pages

    def _addresses_in(self, page: Page) -> set[str]:
        found = set()
        for address in ADDRESSES.findall(page.text):
            absolute = urlsplit(urljoin(self._url + page.path, html.unescape(address)))
            if f"{absolute.scheme}://{absolute.netloc}" == self._url:
                found.add(absolute.path + (f"?{absolute.query}" if absolute.query else ""))
        return found

    def _open(self, path: str, request: Request) -> Page:
        try:
            with self._opener.open(request, timeout=60) as answer:
                return Page(path, answer.status, f"{answer.headers}\n{answer.read().decode('utf-8', 'replace')}")
        except HTTPError as refusal:
            return Page(path, refusal.code, f"{refusal.headers}\n{refusal.read().decode('utf-8', 'replace')}")
