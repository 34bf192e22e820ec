"""Service accounts: users of a team that are nobody, with keys that outlive whoever made them (AZ2, TS1)."""

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.http import Http404
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from projects import keys, members, service_accounts, teams
from projects.access import role_in
from projects.models import AuditRecord, Role, Run, Team, TeamMember, User
from tests import factories

pytestmark = pytest.mark.django_db
ACCOUNTS = "/api/teams/research/service-accounts/"


@pytest.fixture
def account(team: Team, alice: User) -> TeamMember:
    return service_accounts.create(team, "research-ci", role=Role.MEMBER, by=alice)


def with_key(key: str) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {key}")
    return client


def test_a_service_account_logs_to_its_team_with_its_key(account: TeamMember, alice: User) -> None:
    _, key = service_accounts.create_key(account.user, by=alice, name="nightly")
    answer = with_key(key).post("/api/projects/research/digits/runs/", {"display_name": "nightly"})
    assert answer.status_code == 201
    assert Run.objects.get().user == account.user


def test_az3_it_goes_on_when_whoever_made_it_leaves(account: TeamMember, team: Team, alice: User) -> None:
    _, key = service_accounts.create_key(account.user, by=alice)
    alice.delete()
    assert keys.user_of(key) == account.user
    assert role_in(account.user, team) is Role.MEMBER


def test_a_view_only_account_does_not_log(team: Team, alice: User) -> None:
    account = service_accounts.create(team, "research-reader", role=Role.VIEW_ONLY, by=alice)
    _, key = service_accounts.create_key(account.user, by=alice)
    assert with_key(key).post("/api/projects/research/digits/runs/", {}).status_code == 403
    assert with_key(key).get("/api/me/").json()["username"] == "research-reader"


def test_it_has_no_personal_team_and_no_other_one(account: TeamMember, team: Team) -> None:
    assert list(Team.objects.visible_to(account.user)) == [team]
    assert not Team.objects.filter(name="research-ci").exists()
    with pytest.raises(ValidationError, match="service account of another team"):
        teams.set_role(account.user, team=factories.make_team("other"), role=Role.MEMBER)
    with pytest.raises(ValidationError, match="and of nothing else"):
        teams.set_organization_role(account.user, organization=factories.make_organization(), role=Role.ADMIN)


def test_it_is_never_an_admin(account: TeamMember, team: Team, alice: User) -> None:
    with pytest.raises(ValidationError, match="is no admin"):
        service_accounts.create(team, "boss", role=Role.ADMIN, by=alice)
    with pytest.raises(ValidationError, match="is no admin"):
        members.change_role(account, role=Role.ADMIN, by=alice)
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.filter(pk=account.user.pk).update(is_superuser=True)


def test_it_does_not_sign_in_to_pages(account: TeamMember) -> None:
    assert not account.user.has_usable_password()
    answer = Client().post(reverse("login"), {"username": "research-ci", "password": "anything"})
    assert "wrong" in answer.content.decode()


def test_a_closed_account_has_no_key_that_works_and_its_name_is_not_given_again(
    account: TeamMember, team: Team, alice: User
) -> None:
    _, key = service_accounts.create_key(account.user, by=alice)
    service_accounts.close(account.user, by=alice, at=timezone.now())
    assert keys.user_of(key) is None
    assert not service_accounts.of_team(team).exists()
    with pytest.raises(ValidationError):
        service_accounts.create(team, "research-ci", role=Role.MEMBER, by=alice)
    with pytest.raises(Http404):
        service_accounts.close(account.user, by=alice, at=timezone.now())


def test_members_are_added_and_removed_without_touching_accounts(account: TeamMember, alice: User) -> None:
    other = factories.make_team("other", admin=alice)
    with pytest.raises(ValidationError, match="Nobody has the user name"):
        members.add(other, "research-ci", role=Role.MEMBER, by=alice)
    with pytest.raises(ValidationError, match="close it instead"):
        members.remove(account, by=alice)


def test_a_members_name_is_not_an_accounts(team: Team, alice: User, bob: User) -> None:
    for name in ("bob", "research", "a/b", "teams"):
        with pytest.raises(ValidationError):
            service_accounts.create(team, name, role=Role.MEMBER, by=alice)


def test_only_admins_make_accounts_and_keys(account: TeamMember, team: Team, bob: User) -> None:
    for ask in (
        lambda: service_accounts.create(team, "mine", role=Role.MEMBER, by=bob),
        lambda: service_accounts.create_key(account.user, by=bob),
        lambda: service_accounts.close(account.user, by=bob, at=timezone.now()),
        lambda: service_accounts.create_key(account.user, by=account.user),
    ):
        with pytest.raises(PermissionDenied):
            ask()


def test_over_rest_an_admin_makes_an_account_with_a_key_and_ends_both(team: Team, alice: User, bob: User) -> None:
    client = with_key(factories.make_api_key(alice))
    assert client.post(ACCOUNTS, {"name": "research-ci", "role": "admin"}).status_code == 400
    assert client.post(ACCOUNTS, {"name": "research-ci"}).json()["role"] == "member"
    assert client.post(ACCOUNTS, {"name": "research-ci"}).status_code == 409
    assert client.patch(f"{ACCOUNTS}research-ci/", {"role": "view-only"}).json()["role"] == "view-only"
    made = client.post(f"{ACCOUNTS}research-ci/keys/", {"name": "nightly"}).json()
    assert with_key(made["key"]).get("/api/me/").status_code == 200
    (listed,) = client.get(f"{ACCOUNTS}research-ci/keys/").json()["results"]
    assert (listed["hint"], "key" in listed) == (made["key"][-4:], False)
    assert listed["last_used_at"]

    viewer = with_key(factories.make_api_key(bob))
    assert [one["name"] for one in viewer.get(ACCOUNTS).json()["results"]] == ["research-ci"]
    assert viewer.get(f"{ACCOUNTS}research-ci/keys/").status_code == 403

    assert client.delete(f"{ACCOUNTS}research-ci/keys/{made['id']}/").status_code == 204
    assert with_key(made["key"]).get("/api/me/").status_code == 401
    assert client.delete(f"{ACCOUNTS}research-ci/").status_code == 204
    assert client.get(ACCOUNTS).json()["results"] == []


def test_in_team_settings_an_account_is_made_given_a_key_and_closed(team: Team, alice: User) -> None:
    client = Client()
    client.force_login(alice)

    def address(name: str, *more: object) -> str:
        return reverse(f"team_settings_{name}", args=[team.name, *more])

    client.post(address("create_service_account"), {"username": "research-ci", "role": "member"})
    shown = client.post(address("create_service_key", "research-ci"), {"name": "nightly"}).content.decode()
    key = shown.partition('id="new-key"')[2].partition(">")[2].partition("<")[0].strip()
    assert keys.user_of(key) == User.objects.get(username="research-ci")

    page = client.get(reverse("team_settings", args=[team.name])).content.decode()
    assert key[-4:] in page
    assert key not in page
    client.post(address("service_role", "research-ci"), {"role": "view-only"})
    row = keys.ApiKey.objects.get(user__username="research-ci")
    client.post(address("revoke_service_key", "research-ci", row.pk))
    assert keys.user_of(key) is None
    client.post(address("close_service_account", "research-ci"))
    assert not service_accounts.of_team(team).exists()
    assert str(AuditRecord.objects.first()) == "alice closed service account research-ci"


def test_a_team_cannot_take_the_name_of_a_service_account(team: Team, alice: User) -> None:
    """Nor the other way round: what a script logs under a name would be found in two places."""
    service_accounts.create(team, "ci-bot", role=Role.MEMBER, by=alice)
    for make in (
        lambda: teams.create_team("ci-bot", organization=team.organization),
        lambda: teams.create_organization("ci-bot"),
    ):
        with pytest.raises(ValidationError, match="There is a service account with this name already"):
            make()
    with pytest.raises(ValidationError, match="There is a team or a user with this name already"):
        service_accounts.create(team, team.name, role=Role.MEMBER, by=alice)


def test_of_a_team_and_an_account_that_take_a_name_at_once_one_gets_it(team: Team, alice: User) -> None:
    """Whoever looked before the other wrote is refused by the write itself."""
    service_accounts.create(team, "ci-bot", role=Role.MEMBER, by=alice)
    with pytest.raises(IntegrityError, match="service account"):
        Team(name="ci-bot", organization=team.organization).save()
    teams.create_team("nightly", organization=team.organization)
    with pytest.raises(IntegrityError, match="team or a user"):
        User(username="nightly", service_of=team).save()
