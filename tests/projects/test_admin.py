"""The admin pages of people, places and keys."""

import json

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from projects import keys
from projects.models import (
    ApiKey,
    Role,
    Team,
    TeamMember,
    User,
)
from tests import factories
from tests.admin_pages import empty_inline, page, shown


def test_a_new_user_gets_a_personal_team(operator: Client) -> None:
    """SC5."""
    answer = operator.post(
        page(User, "add"),
        {"username": "charlie", "usable_password": "true", "password1": "a long phrase", "password2": "a long phrase"},
    )

    assert answer.status_code == 302
    assert Team.objects.get(name="charlie").owner == User.objects.get(username="charlie")


@pytest.mark.parametrize("name", ["research", "api", "with space"])
def test_a_user_name_that_cannot_be_a_team_is_refused(operator: Client, team: Team, name: str) -> None:
    answer = operator.post(
        page(User, "add"),
        {"username": name, "usable_password": "true", "password1": "a long phrase", "password2": "a long phrase"},
    )

    assert "username" in answer.context["adminform"].form.errors
    assert not User.objects.filter(username=name).exists()


def test_a_team_needs_an_organization(operator: Client) -> None:
    answer = operator.post(page(Team, "add"), {"name": "research", "language": "en", **empty_inline("memberships")})

    assert answer.context["adminform"].form.errors == {"organization": ["Choose the organization the team belongs to."]}


def test_nobody_joins_a_personal_team(operator: Client, alice: User, bob: User) -> None:
    personal = Team.objects.get(name="alice")
    answer = operator.post(page(TeamMember, "add"), {"user": bob.pk, "team": personal.pk, "role": Role.MEMBER})

    assert answer.context["adminform"].form.errors == {
        "team": ["alice is a personal team: its owner is its only member."]
    }
    own = personal.memberships.get()
    assert operator.post(page(TeamMember, "change", own.pk), {"role": Role.VIEW_ONLY}).status_code == 403
    operator.post(page(Team, "delete", personal.pk), {"post": "yes"})
    assert Team.objects.filter(pk=personal.pk).exists()


def test_a_key_is_shown_once_and_works(operator: Client, alice: User) -> None:
    """AZ2."""
    answer = operator.post(page(ApiKey, "add"), {"user": alice.pk, "name": "laptop"}, follow=True)

    row = ApiKey.objects.get()
    message = str(next(iter(answer.context["messages"])))
    key = next(word for word in message.split() if word.endswith(row.hint))
    assert keys.user_of(key) == alice
    assert row.name == "laptop"
    for url in (page(ApiKey, "changelist"), page(ApiKey, "change", row.pk), reverse("admin:index")):
        assert key not in shown(operator.get(url))
        assert row.digest not in shown(operator.get(url))
    assert key not in json.dumps(list(LogEntry.objects.values("object_repr", "change_message")))


def test_only_the_name_of_a_key_changes(operator: Client, alice: User, bob: User) -> None:
    key = factories.make_api_key(alice)
    row = ApiKey.objects.get()

    operator.post(page(ApiKey, "change", row.pk), {"name": "desktop", "user": bob.pk, "digest": "0" * 64})

    row.refresh_from_db()
    assert row.name == "desktop"
    assert keys.user_of(key) == alice


def test_a_key_is_revoked(operator: Client, alice: User) -> None:
    key = factories.make_api_key(alice)

    operator.post(page(ApiKey, "changelist"), {"action": "revoke", "_selected_action": [ApiKey.objects.get().pk]})

    assert keys.user_of(key) is None
