"""`make screenshots`: every page as a picture, for docs/gallery.md and for whoever changed how pages look.

Not a test of its own: it is given to pytest by name, for the browser, the server and the team that tests have. Pictures
of the main pages go to `docs/gallery`; with GALLERY set, every page in every look goes to that folder.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import OpenPage, settle
from tests.browser.showcase import Naming, Showcase
from tests.receiver import Receiver

if TYPE_CHECKING:
    from projects.models import User

DESK = {"viewport": {"width": 1280, "height": 860}}
PHONE = {"viewport": {"width": 375, "height": 760}, "has_touch": True, "is_mobile": True}
LOOKS: dict[str, dict[str, Any]] = {
    "light": {**DESK, "color_scheme": "light"},
    "dark": {**DESK, "color_scheme": "dark"},
    "japanese": {**DESK, "locale": "ja"},
    "phone": {**PHONE, "color_scheme": "light"},
}
GALLERY = Path(__file__).parents[2] / "docs" / "gallery.md"


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("long", [False, True], ids=["plain", "longest"])
def test_pictures(open_page: OpenPage, alice: User, receiver: Receiver, *, look: str, long: bool) -> None:
    folder = Path(os.environ["GALLERY"]) if "GALLERY" in os.environ else None
    if long and folder is None:
        pytest.skip("docs/gallery.md shows ordinary names; set GALLERY to a folder for the longest")
    wanted = set(re.findall(r"gallery/([a-z-]+\.png)", GALLERY.read_text()))
    addresses = Showcase(alice, receiver, Naming(long=long)).furnish()
    page = open_page(alice, **LOOKS[look])
    for name, address in addresses.items():
        picture = f"{re.sub(r'[^a-z]+', '-', name.lower())}-{look}{'-longest' * long}.png"
        if folder or picture in wanted:
            page.set_viewport_size(LOOKS[look]["viewport"])
            page.goto(address)
            settle(page)
            page.wait_for_load_state("networkidle")
            path = (folder or GALLERY.with_suffix("")) / picture
            if folder:
                _unroll(page)
            page.screenshot(path=path)
            assert path.stat().st_size > 0


def _unroll(page: Page) -> None:
    """Make the window as high as the page. A picture of more than the window shows no plot that was not in sight yet,
    and phones as if they had a mouse."""
    height = max(page.evaluate("document.scrollingElement.scrollHeight"), page.viewport_size["height"])
    page.set_viewport_size({"width": page.viewport_size["width"], "height": height})
    page.wait_for_load_state("networkidle")
