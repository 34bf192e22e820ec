"""Invitations: a link lets one person into a team, with an account or with one made for it (TS1)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.core import mail
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from projects import invitations, members, teams
from projects.access import role_in
from projects.invitations import NotInvited
from projects.models import AuditRecord, Invitation, Role, Team, User
from tests import factories

pytestmark = pytest.mark.django_db
STRONG = "winter-harbour-lamp-29"


@pytest.fixture
def link(team: Team, alice: User) -> str:
    """The path of an invitation of alice to be a member of research."""
    _, link = invitations.invite(team, role=Role.MEMBER, by=alice, at=timezone.now())
    return link.partition("://")[2].partition("/")[2].join(["/", ""])


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_ts1_somebody_with_an_account_joins_by_the_link_once(link: str, team: Team, charlie: User) -> None:
    client = signed_in(charlie)
    page = client.get(link).content.decode()
    assert "invites you to the team" in page
    assert role_in(charlie, team) is None, "looking is not joining"

    assert client.post(link).url == team.get_absolute_url()  # type: ignore[attr-defined]
    assert role_in(charlie, team) is Role.MEMBER
    again = signed_in(factories.make_user("dana")).post(link)
    assert again.status_code == 410
    assert "used already" in again.content.decode()


def test_ts1_somebody_without_an_account_makes_one_and_is_in(link: str, team: Team) -> None:
    client = Client()
    assert "Create account and join" in client.get(link).content.decode()
    assert client.post(link, {"username": "dana", "password": STRONG}).status_code == 302
    dana = User.objects.get(username="dana")
    assert role_in(dana, team) is Role.MEMBER
    assert dana.check_password(STRONG)
    assert client.get(team.get_absolute_url()).status_code == 200, "and signed in"
    assert str(AuditRecord.objects.filter(kind="invitation").first()).startswith("dana accepted invitation")


@pytest.mark.parametrize(
    ("username", "password", "sentence"),
    [("alice", STRONG, "already"), ("dana", "12345", "too short"), ("da na", STRONG, "Use letters, digits")],
)
def test_an_account_that_cannot_be_is_refused_beside_its_field_and_the_link_stays_good(
    link: str, username: str, password: str, sentence: str
) -> None:
    answer = Client().post(link, {"username": username, "password": password})
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert password not in answer.content.decode()
    assert Invitation.objects.open_at(timezone.now()).exists()


def test_a_member_who_follows_the_link_stays_what_they_are(link: str, team: Team, alice: User) -> None:
    answer = signed_in(alice).post(link)
    assert answer.status_code == 422
    assert "You are in research already" in answer.content.decode()
    assert role_in(alice, team) is Role.ADMIN


def test_an_invitation_is_good_for_seven_days_and_as_long_as_its_host_may_invite(
    team: Team, alice: User, bob: User, charlie: User
) -> None:
    now = timezone.now()
    members.change_role(team.memberships.get(user=bob), role=Role.ADMIN, by=alice)
    invitation, _ = invitations.invite(team, role=Role.ADMIN, by=bob, at=now)
    with pytest.raises(NotInvited, match="too old"):
        invitations.accept(invitation, by=charlie, at=now + timedelta(days=7))
    members.change_role(team.memberships.get(user=bob), role=Role.MEMBER, by=alice)
    with pytest.raises(NotInvited, match="may not do so any more"):
        invitations.accept(invitation, by=charlie, at=now)


def test_a_revoked_link_leads_nowhere(team: Team, alice: User, charlie: User, link: str) -> None:
    client = signed_in(alice)
    pk = Invitation.objects.get().pk
    client.post(reverse("team_settings_revoke_invitation", args=[team.name, pk]))
    assert "was revoked" in signed_in(charlie).post(link).content.decode()
    with pytest.raises(Http404):
        invitations.revoke(Invitation.objects.get(), by=alice, at=timezone.now())


def test_a_link_that_was_never_made_is_a_404(client: Client) -> None:
    assert client.get(reverse("projects:join", args=["x" * 43])).status_code == 404


def test_the_link_is_kept_nowhere(link: str) -> None:
    token = link.rpartition("/")[2]
    kept = Invitation.objects.values_list()[0]
    assert token not in str(kept)
    assert token not in str(list(AuditRecord.objects.values_list()))


def test_who_may_not_invite_is_refused(team: Team, alice: User, bob: User, charlie: User) -> None:
    now = timezone.now()
    with pytest.raises(PermissionDenied):
        invitations.invite(team, role=Role.MEMBER, by=bob, at=now)
    with pytest.raises(Http404):
        invitations.invite(team, role=Role.MEMBER, by=charlie, at=now)
    with pytest.raises(ValidationError, match="personal team"):
        invitations.invite(alice.personal_team, role=Role.MEMBER, by=alice, at=now)
    with pytest.raises(ValidationError, match="valid email"):
        invitations.invite(team, role=Role.MEMBER, by=alice, at=now, email="nobody")
    with pytest.raises(ValidationError, match="at most 254 characters"):
        invitations.invite(team, role=Role.MEMBER, by=alice, at=now, email=f"{'x' * 250}@example.com")


def test_no_more_than_so_many_wait(team: Team, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(invitations, "MOST_OPEN", 1)
    invitations.invite(team, role=Role.MEMBER, by=alice, at=timezone.now())
    with pytest.raises(ValidationError, match="wait already"):
        invitations.invite(team, role=Role.MEMBER, by=alice, at=timezone.now())


def test_the_dialog_shows_the_link_once_and_the_page_the_invitation(team: Team, alice: User) -> None:
    client = signed_in(alice)
    url = reverse("team_settings_invite", args=[team.name])
    shown = client.post(url, {"email": "dana@example.com", "role": "view-only"}).content.decode()
    assert "/accounts/join/" in shown
    assert "could not be mailed" in shown
    page = client.get(reverse("team_settings", args=[team.name])).content.decode()
    assert "dana@example.com" in page
    assert "/accounts/join/" not in page


def test_an_address_that_no_mail_reaches_costs_nobody_the_link(team: Team, alice: User, settings: Settings) -> None:
    settings.EMAIL_CONFIGURED = True
    impossible = f"dana@{'é' * 60}.example.com"
    invitation, link = invitations.invite(team, role=Role.MEMBER, by=alice, at=timezone.now(), email=impossible)
    assert not invitations.mail(invitation, link)


def test_the_link_is_mailed_where_mail_is_set_up(team: Team, alice: User, settings: Settings) -> None:
    settings.EMAIL_CONFIGURED = True
    invitation, link = invitations.invite(team, role=Role.MEMBER, by=alice, at=timezone.now(), email="dana@example.com")
    assert invitations.mail(invitation, link)
    (sent,) = mail.outbox
    assert (sent.to, sent.subject) == (["dana@example.com"], "Join the team research")
    assert link in str(sent.body)


def test_ui6_the_mail_is_in_the_language_of_the_team_whoever_invites(
    team: Team, alice: User, settings: Settings
) -> None:
    settings.EMAIL_CONFIGURED = True
    teams.set_language(team, "ja", by=alice)
    at = datetime(2026, 3, 9, 12, 30, tzinfo=UTC)
    invitation, link = invitations.invite(team, role=Role.MEMBER, by=alice, at=at, email="dana@example.com")
    assert invitations.mail(invitation, link)
    (sent,) = mail.outbox
    assert sent.subject == "チーム research への参加"
    assert "2026年3月16日 12:30 UTC まで有効" in str(sent.body)
    assert link in str(sent.body)


def test_over_rest_admins_invite_list_and_revoke(
    team: Team, alice: User, bob: User, api: Callable[[User | None], APIClient]
) -> None:
    address = "/api/teams/research/invitations/"
    made = api(alice).post(address, {"role": "admin"}).json()
    assert "/accounts/join/" in made["link"]
    (listed,) = api(alice).get(address).json()["results"]
    assert (listed["role"], "link" in listed) == ("admin", False)
    assert api(bob).get(address).status_code == 403
    assert api(alice).delete(f"{address}{made['id']}/").status_code == 204
    assert api(alice).get(address).json()["results"] == []
