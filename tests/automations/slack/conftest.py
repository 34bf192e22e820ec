"""A Slack that the server may ask."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.slack import FakeSlack


@pytest.fixture
def slack(settings: Any) -> Iterator[FakeSlack]:
    with FakeSlack() as server:
        server.serve(settings)
        yield server
