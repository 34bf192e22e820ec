"""The admin pages of secrets: a value goes in and never comes out."""

import json
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from projects.models import (
    Team,
    User,
)
from secrets_vault.models import Secret
from tests import factories
from tests.admin_pages import page, shown

CANARY = "canary-3f9c-value-that-must-not-sing"


def value_of(secret: Secret) -> str:
    return str(Secret.objects.defer(None).get(pk=secret.pk).value)


def test_a_secret_goes_in_and_never_comes_out(operator: Client, team: Team) -> None:
    """SE1, also for the log of what was done in the admin."""
    added = operator.post(page(Secret, "add"), {"team": team.pk, "name": "TOKEN", "new_value": CANARY}, follow=True)
    secret = Secret.objects.get()
    assert value_of(secret) == CANARY
    assert secret.created_by == User.objects.get(username="operator")
    rotated = operator.post(page(Secret, "change", secret.pk), {"new_value": f"{CANARY}-two"}, follow=True)
    assert value_of(secret) == f"{CANARY}-two"
    secret.refresh_from_db()
    assert secret.rotated_at is not None

    pages = [added, rotated, operator.get(page(Secret, "history", secret.pk)), operator.get(reverse("admin:index"))]
    assert all(CANARY not in shown(answer) for answer in pages)
    assert CANARY not in json.dumps(list(LogEntry.objects.values("object_repr", "change_message")))
    assert LogEntry.objects.count() == 2


def test_a_refused_form_does_not_repeat_the_value(operator: Client, team: Team) -> None:
    answer = operator.post(page(Secret, "add"), {"team": team.pk, "name": "not a name", "new_value": CANARY})

    assert "name" in answer.context["adminform"].form.errors
    assert CANARY not in shown(answer)


def test_a_secret_keeps_its_name_and_needs_a_value(operator: Client, team: Team) -> None:
    secret = factories.make_secret(team, value=CANARY)

    answer = operator.post(page(Secret, "change", secret.pk), {"name": "OTHER", "new_value": ""})

    assert "new_value" in answer.context["adminform"].form.errors
    secret.refresh_from_db()
    assert secret.name == "TOKEN"
    assert value_of(secret) == CANARY


def test_a_secret_name_is_free_once_per_team(operator: Client, team: Team) -> None:
    factories.make_secret(team)
    answer = operator.post(page(Secret, "add"), {"team": team.pk, "name": "TOKEN", "new_value": "x"})

    assert answer.context["adminform"].form.errors
    assert Secret.objects.count() == 1


@pytest.mark.parametrize("way", ["page", "action"])
def test_a_secret_in_use_stays(operator: Client, team: Team, way: str) -> None:
    """SE3."""
    secret = factories.make_secret(team)
    factories.make_webhook(team, access_token=secret)
    unused = factories.make_secret(team, name="UNUSED")

    def delete(one: Secret) -> Any:
        if way == "page":
            return operator.post(page(Secret, "delete", one.pk), {"post": "yes"})
        chosen = {"action": "delete_selected", "_selected_action": [one.pk], "post": "yes"}
        return operator.post(page(Secret, "changelist"), chosen)

    assert "Webhook: pager" in shown(delete(secret))
    delete(unused)
    assert list(Secret.objects.values_list("name", flat=True)) == ["TOKEN"]
