"""The factories themselves: each makes something with no arguments, and the defaults share their parts."""

from collections.abc import Callable
from typing import Any

import pytest

from tests import factories

MAKERS: list[Callable[[], Any]] = [
    getattr(factories, name)
    for name in vars(factories)
    if name.startswith("make_") and name not in {"make_api_key", "make_link"}
]


@pytest.mark.django_db
@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
def test_everything_can_be_made_without_arguments(make: Callable[[], Any]) -> None:
    make().refresh_from_db()


@pytest.mark.django_db
def test_things_made_by_default_belong_together() -> None:
    run, version, webhook = factories.make_run(), factories.make_version(), factories.make_webhook()
    link = factories.make_link(version, factories.make_collection())

    assert run.project == version.collection.project
    assert webhook.team == run.project.team
    assert link.collection.registry is not None
    assert link.collection.registry.organization == webhook.team.organization
