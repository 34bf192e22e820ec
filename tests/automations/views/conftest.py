"""People who sign in to pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from django.test import Client

if TYPE_CHECKING:
    from automations.models import Webhook
    from projects.models import Project, Team, User
    from tests.automations.views.filling import Filling


@pytest.fixture
def dana(db: None, team: Team) -> User:
    """View-only in the team research."""
    from tests import factories

    user = factories.make_user("dana")
    factories.make_team(viewer=user)
    return user


@pytest.fixture
def browser(db: None) -> Callable[[User], Client]:
    """`browser(alice)`: a browser in which alice is signed in."""

    def signed_in(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return signed_in


@pytest.fixture
def tab(project: Project) -> str:
    """Address of the project's Automations tab."""
    return f"/{project.team.name}/{project.name}/automations"


@pytest.fixture
def webhook(team: Team) -> Webhook:
    """The team's webhook, pager."""
    from tests import factories

    return factories.make_webhook(team)


@pytest.fixture
def filling(browser: Callable[[User], Client], alice: User, tab: str) -> Filling:
    """Alice, at the first step of a new automation of the project."""
    from tests.automations.views.filling import Filling

    return Filling(browser(alice), f"{tab}/new")
