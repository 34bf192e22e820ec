"""GraphQL as the client asks it, without the client."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client

if TYPE_CHECKING:
    from projects.models import User


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the status, the data, and the sentences of the errors."""

    status: int
    data: Any
    errors: list[str]


class Asking:
    """One user's way in: `graphql(alice)("{ viewer { username } }")`."""

    def __init__(self, user: User | None) -> None:
        from tests import factories  # not before Django is set up

        self.client = Client()
        self.headers = {"Authorization": f"Bearer {factories.make_api_key(user)}"} if user else {}

    def __call__(self, query: str, **variables: Any) -> Answer:
        """Ask, whatever comes of it."""
        body = {"query": query, "variables": variables, "operationName": ""}
        response = self.client.post("/graphql", body, "application/json", headers=self.headers)
        found = response.json()
        return Answer(response.status_code, found.get("data"), [error["message"] for error in found.get("errors", [])])

    def data(self, query: str, **variables: Any) -> Any:
        """The data; anything but a success fails the test."""
        answer = self(query, **variables)
        assert (answer.status, answer.errors) == (200, [])
        return answer.data


@pytest.fixture
def graphql(db: None) -> Callable[[User | None], Asking]:
    """Asks as a user, with a key of theirs; None asks without one."""
    return Asking
