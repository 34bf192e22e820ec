"""A server for each file of journeys, and a receiver for each journey."""

from collections.abc import Iterator

import pytest

from tests.journeys.server import Server
from tests.receiver import Receiver


@pytest.fixture(scope="module")
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The real server, started and ready. A file's `VARIABLES` are added to its environment."""
    served = Server(tmp_path_factory.mktemp("server"), **getattr(request.module, "VARIABLES", {}))
    try:
        served.start()
        yield served
    finally:
        served.discard()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as listening:
        yield listening
