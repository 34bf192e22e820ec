"""What pages weigh: each is to be useful within a second, also over a slow line."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

from tests.browser.conftest import OpenPage, settle
from tests.browser.showcase import Naming, Showcase
from tests.receiver import Receiver

if TYPE_CHECKING:
    from projects.models import User

MOST_KB = 150
CHARTS = "Chart.bundle"


def test_no_page_weighs_more_than_150_kb_compressed(open_page: OpenPage, alice: User, receiver: Receiver) -> None:
    """With all it asks for, but without the library that draws charts, which is asked for where there are some."""
    addresses = Showcase(alice, receiver, Naming()).furnish()
    page = open_page(alice)
    asked_for: set[str] = set()
    page.on("requestfinished", lambda request: asked_for.add(request.url))
    sizes: dict[str, float] = {}
    weights: dict[str, float] = {}
    for name, address in addresses.items():
        asked_for.clear()
        page.goto(address)
        settle(page)
        page.wait_for_load_state("networkidle")
        for url in asked_for - sizes.keys():
            sizes[url] = len(gzip.compress(page.context.request.get(url).body())) / 1000
        weights[name] = sum(sizes[url] for url in asked_for if CHARTS not in url)

    assert {name: weight for name, weight in weights.items() if weight > MOST_KB} == {}
    assert min(weights.values()) > 20  # page, styles and scripts were counted
