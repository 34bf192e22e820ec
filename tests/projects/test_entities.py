"""Names of organizations, teams and users: one namespace, because scripts say only the name."""

from collections.abc import Callable, Iterator

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.test import Client

from projects import provisioning, teams
from projects.models import Organization, Team, User
from projects.provisioning import CannotProvision
from tests import factories
from tests.rivals import raised_by_loser

BY_TEAM = "There is a team or a user with this name already."
BY_ORGANIZATION = "There is an organization with this name already."


@pytest.mark.parametrize("name", ["research", "alice"])
def test_an_organization_cannot_be_named_like_a_team_or_a_user(team: Team, name: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        teams.create_organization(name)

    assert refusal.value.message_dict == {"name": [BY_TEAM]}
    with pytest.raises(IntegrityError), transaction.atomic():
        Organization.objects.create(name=name)
    assert not Organization.objects.filter(name=name).exists()


def test_a_team_cannot_be_named_like_an_organization(team: Team) -> None:
    with pytest.raises(ValidationError) as refusal:
        teams.create_team("acme", organization=Organization.objects.get())

    assert refusal.value.message_dict == {"name": [BY_ORGANIZATION]}


def test_a_user_cannot_be_named_like_an_organization(team: Team) -> None:
    with pytest.raises(ValidationError, match=BY_ORGANIZATION):
        User(username="acme", password="x").full_clean()
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create_user("acme")
    assert not User.objects.filter(username="acme").exists()


def test_nothing_is_renamed_to_a_name_that_is_taken(team: Team) -> None:
    organization = Organization.objects.get()
    organization.name = "research"
    team.name = "acme"

    for renamed in (organization, team):
        with pytest.raises(ValidationError):
            renamed.full_clean()
        with pytest.raises(IntegrityError), transaction.atomic():
            renamed.save()
        with pytest.raises(IntegrityError), transaction.atomic():
            renamed.save(update_fields=["name"])


def test_what_shared_a_name_before_stays_as_it_is(team: Team) -> None:
    Organization.objects.filter(name="acme").update(name="research")
    organization = Organization.objects.get()

    for old in (organization, Team.objects.get(name="research")):
        old.full_clean()
        old.save()


@pytest.mark.parametrize(
    "request_",
    [
        provisioning.Request(organization="research"),
        provisioning.Request(organization="alice"),
        provisioning.Request(team="acme", organization="acme"),
        provisioning.Request(user="acme"),
    ],
)
def test_provisioning_says_that_the_name_is_taken(team: Team, request_: provisioning.Request) -> None:
    with pytest.raises(CannotProvision, match="with this name already"):
        provisioning.provision(request_)


def test_the_admin_pages_say_it_at_the_field(operator: Client, team: Team) -> None:
    made = operator.post("/admin/projects/organization/add/", {"name": "research"} | no_members("memberships"))
    user = {"username": "acme", "password1": factories.PASSWORD, "password2": factories.PASSWORD}
    added = operator.post("/admin/projects/user/add/", user | {"usable_password": "true"})

    assert BY_TEAM in made.content.decode()
    assert BY_ORGANIZATION in added.content.decode()


def no_members(inline: str) -> dict[str, str]:
    return {f"{inline}-TOTAL_FORMS": "0", f"{inline}-INITIAL_FORMS": "0"}


@pytest.mark.django_db(transaction=True)
def test_of_a_team_and_an_organization_made_at_once_one_gets_the_name() -> None:
    acme = factories.make_organization()
    makers: Iterator[Callable[[], object]] = iter(
        [
            lambda: teams.create_team("vision", organization=acme),
            lambda: teams.create_organization("vision"),
        ]
    )

    def make_the_other_one() -> object:
        return next(makers)()

    refusal = raised_by_loser(make_the_other_one, over=Organization)

    assert isinstance(refusal, ValidationError)
    assert "with this name already" in refusal.messages[0]
    assert Team.objects.filter(name="vision").count() + Organization.objects.filter(name="vision").count() == 1
