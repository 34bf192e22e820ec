"""Two admins edit the same thing: the second is told what the first has saved, and decides."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import time
from typing import Any

import pytest
from django import forms
from django.http import Http404
from django.test import Client
from django.utils import timezone

from automations import webhooks
from automations.models import SlackChannel, Webhook
from automations.slack import limits
from projects import conflicts, members, teams
from projects.models import Role, Team, TeamMember, User
from registries import roster, upkeep
from registries.models import Registry, RegistryMember
from tests import factories

HTMX = {"HX-Request": "true"}


@dataclass
class Edited:
    """A form at an address: what the first admin saves, what the second one would, and what is saved then."""

    address: str
    first: Callable[[], object]
    second: dict[str, Any]
    saved: Callable[[], object]
    mine: object
    theirs: object
    told: tuple[str, ...]


def of_webhook(team: Team, by: User) -> Edited:
    hook = factories.make_webhook(team)
    kept = {"access_token": None, "secret": None, "signature_encoding": "base64", "headers": {}}
    return Edited(
        f"/teams/research/settings/webhooks/{hook.pk}/edit",
        lambda: webhooks.update(hook, by=by, name="pager", url="https://theirs.example.com/", **kept),
        {"name": "pager", "url": "https://mine.example.com/", "signature_encoding": "base64"},
        lambda: Webhook.objects.get().url,
        "https://mine.example.com/",
        "https://theirs.example.com/",
        ("Endpoint URL", "https://theirs.example.com/", "https://mine.example.com/"),
    )


def of_channel(team: Team, by: User) -> Edited:
    channel = factories.make_slack_channel(team, credential="https://hooks.slack.test/services")
    return Edited(
        f"/teams/research/settings/slack/{channel.pk}/edit",
        lambda: SlackChannel.objects.update(workspace="Theirs"),
        {"channel": "#ml-alerts", "workspace": "Mine"},
        lambda: SlackChannel.objects.get().workspace,
        "Mine",
        "Theirs",
        ("Workspace", "Theirs", "Mine"),
    )


def of_limits(team: Team, by: User) -> Edited:
    channel = factories.make_slack_channel(team)
    asked = limits.Limits(4, time(22), time(7), "Europe/Berlin", [0, 1])
    return Edited(
        f"/teams/research/settings/slack/{channel.pk}/limits",
        lambda: limits.set_limits(channel, asked, by=by, at=timezone.now()),
        {"hourly_budget": "9", "errors_pass_quiet_hours": "on"},
        lambda: SlackChannel.objects.get().hourly_budget,
        9,
        4,
        ("Messages an hour", "Quiet from", "22:00", "Monday, Tuesday"),
    )


def of_role(team: Team, by: User) -> Edited:
    member = TeamMember.objects.get(team=team, user__username="bob")
    return Edited(
        f"/teams/research/settings/members/{member.pk}/role",
        lambda: members.change_role(member, role=Role.ADMIN, by=by),
        {"role": "view-only"},
        lambda: TeamMember.objects.get(pk=member.pk).role,
        "view-only",
        "admin",
        ("Role", "Admin", "View-only"),
    )


def of_language(team: Team, by: User) -> Edited:
    team.language = "en"
    team.save()

    def first() -> None:
        Team.objects.filter(pk=team.pk).update(language="ja", name="research")

    return Edited(
        "/teams/research/settings/language",
        first,
        {"language": "en"},
        lambda: Team.objects.get(pk=team.pk).language,
        "en",
        "ja",
        ("Language",),
    )


def of_registry(team: Team, by: User) -> Edited:
    registry = Registry.objects.get()
    return Edited(
        f"/registries/{registry.pk}/settings",
        lambda: upkeep.change(registry, by=by, description="Theirs."),
        {"name": "models", "description": "Mine.", "visibility": "organization"},
        lambda: Registry.objects.get().description,
        "Mine.",
        "Theirs.",
        ("Description", "Theirs.", "Mine."),
    )


def of_registry_role(team: Team, by: User) -> Edited:
    registry, bob = Registry.objects.get(), User.objects.get(username="bob")
    roster.add(registry, users=[bob], teams=[], role=Role.MEMBER, by=by)
    return Edited(
        "/registries/acme/models/people/bob/role",
        lambda: roster.change_role(registry, bob, role=Role.ADMIN, by=by),
        {"role": "view-only"},
        lambda: RegistryMember.objects.get(user=bob).role,
        "view-only",
        "admin",
        ("Role", "Admin", "View-only"),
    )


FORMS = [of_webhook, of_channel, of_limits, of_role, of_language, of_registry, of_registry_role]


@pytest.fixture(params=FORMS, ids=lambda make: make.__name__)
def edited(request: Any, team: Team, registry: Registry, alice: User) -> Edited:
    assert team.organization is not None
    operator = factories.make_user("operator", superuser=True)
    teams.set_organization_role(alice, organization=team.organization, role=Role.ADMIN)
    made: Edited = request.param(team, operator)
    return made


@pytest.fixture
def browser(alice: User) -> Client:
    client = Client(headers=HTMX)
    client.force_login(alice)
    return client


def seen_in(page: Any) -> str:
    """The mark that the form carries."""
    found = re.search(r'name="seen"\s+value="([^"]+)"', page.content.decode())
    assert found, page.content.decode()
    return found[1]


def test_the_second_is_shown_the_difference_and_nothing_is_saved(edited: Edited, browser: Client) -> None:
    seen = seen_in(browser.get(edited.address))
    edited.first()
    answer = browser.post(edited.address, edited.second | {"seen": seen})
    assert answer.status_code == 422
    page = answer.content.decode()
    for word in (*edited.told, "Somebody else saved this", "Save mine instead", "Take what is saved"):
        assert word in page
    assert edited.saved() == edited.theirs


def test_saving_once_more_is_meant(edited: Edited, browser: Client) -> None:
    seen = seen_in(browser.get(edited.address))
    edited.first()
    told = browser.post(edited.address, edited.second | {"seen": seen})
    answer = browser.post(edited.address, edited.second | {"seen": seen_in(told)})
    assert answer.status_code == 200
    assert "HX-Redirect" in answer
    assert edited.saved() == edited.mine


def test_who_is_alone_is_asked_nothing(edited: Edited, browser: Client) -> None:
    seen = seen_in(browser.get(edited.address))
    assert "HX-Redirect" in browser.post(edited.address, edited.second | {"seen": seen})
    assert edited.saved() == edited.mine


def test_a_third_change_is_told_again(team: Team, browser: Client) -> None:
    edited = of_webhook(team, factories.make_user("operator", superuser=True))
    seen = seen_in(browser.get(edited.address))
    edited.first()
    told = browser.post(edited.address, edited.second | {"seen": seen})
    Webhook.objects.update(url="https://third.example.com/")
    again = browser.post(edited.address, edited.second | {"seen": seen_in(told)})
    assert "https://third.example.com/" in again.content.decode()
    assert edited.saved() == "https://third.example.com/"


def test_a_form_with_a_mistake_keeps_what_was_seen(team: Team, browser: Client) -> None:
    """Putting the mistake right does not make one have seen what was saved meanwhile."""
    edited = of_webhook(team, factories.make_user("operator", superuser=True))
    seen = seen_in(browser.get(edited.address))
    edited.first()
    wrong = browser.post(edited.address, edited.second | {"url": "", "seen": seen})
    assert seen_in(wrong) == seen


def test_who_saves_the_same_as_somebody_else_is_told_nothing(team: Team, browser: Client) -> None:
    edited = of_webhook(team, factories.make_user("operator", superuser=True))
    seen = seen_in(browser.get(edited.address))
    edited.first()
    same = edited.second | {"url": "https://theirs.example.com/", "seen": seen}
    assert "HX-Redirect" in browser.post(edited.address, same)


def test_what_somebody_deleted_a_moment_ago_is_not_there(registry: Registry) -> None:
    rows = Registry.objects.filter(pk=registry.pk)
    guard = conflicts.Guard(rows, saved=lambda: {"name": rows.get().name})
    seen = guard.mark()
    registry.delete()
    with pytest.raises(Http404, match="not there any more"):
        guard.look(seen, forms.Form({}))


def test_values_are_told_as_the_form_says_them() -> None:
    class Form(forms.Form):
        on = forms.BooleanField(required=False)
        several = forms.MultipleChoiceField(choices=[("a", "Anna"), ("b", "Berta")])
        grouped = forms.ChoiceField(choices=[("Birds", [("c", "Crow")])])
        text = forms.CharField(required=False)

    form = Form({"on": "on", "several": ["b"], "grouped": "c", "text": ""})
    saved = {"on": False, "several": ["a", "b"], "grouped": "d", "text": "then", "unknown": 1}
    assert [(one.label, one.theirs, one.mine) for one in conflicts.differences(saved, form)] == [
        ("On", "no", "yes"),
        ("Several", "Anna, Berta", "Berta"),
        ("Grouped", "d", "Crow"),
        ("Text", "then", "–"),
    ]
