"""Organizations, teams, members and projects."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction

from projects import teams
from projects.api import problems
from projects.models import Organization, Project, Role, Team, User
from tests import factories
from tests.rivals import raised_by_loser


@pytest.mark.parametrize("name", ["", "with space", "a/b", "-dash", "api", "Admin", "x" * 129, "ä", "a\n"])
def test_a_bad_team_name_is_refused(db: None, name: str) -> None:
    organization = factories.make_organization()

    with pytest.raises(ValidationError) as refusal:
        teams.create_team(name, organization=organization)

    assert "name" in refusal.value.message_dict


@pytest.mark.parametrize("name", ["", "with space", "a/b", "registries"])
def test_a_bad_organization_name_is_refused(db: None, name: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        teams.create_organization(name)

    assert "name" in refusal.value.message_dict


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "what?", "50%", "a:b", "a\x00"])
def test_a_bad_project_name_is_refused_at_both_doors(team: Team, name: str) -> None:
    for make in (teams.create_project, teams.ensure_project):
        with pytest.raises(ValidationError) as refusal:
            make(name, team=team)
        assert "name" in refusal.value.message_dict
    assert not Project.objects.exists()


def test_a_project_name_may_have_spaces_and_letters_of_any_script(team: Team) -> None:
    assert teams.create_project("手書き 数字", team=team).name == "手書き 数字"


def test_names_are_taken_once(team: Team, alice: User) -> None:
    organization = Organization.objects.get()
    factories.make_project(team)

    with pytest.raises(ValidationError):
        teams.create_organization("acme")
    with pytest.raises(ValidationError, match="a team or a user with this name"):
        teams.create_team("research", organization=organization)
    with pytest.raises(ValidationError, match="a team or a user with this name"):
        teams.create_team("alice", organization=organization)
    with pytest.raises(ValidationError):
        teams.create_project("digits", team=team)


def test_a_user_cannot_take_a_teams_name(team: Team) -> None:
    with pytest.raises(ValidationError, match="There is a team or a user with this name already"):
        User(username="research", password="x").full_clean()
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create_user("research")

    assert not User.objects.filter(username="research").exists()


def test_every_user_has_a_team_of_their_own(alice: User) -> None:
    """SC5."""
    personal = Team.objects.get(owner=alice)

    assert (personal.name, personal.organization, personal.is_personal) == ("alice", None, True)
    assert personal.memberships.get().role == Role.ADMIN


def test_saving_a_user_again_makes_no_second_team(alice: User) -> None:
    alice.email = "alice@example.com"
    alice.save()

    assert Team.objects.filter(owner=alice).count() == 1


def test_a_role_is_given_and_changed(team: Team, bob: User) -> None:
    teams.set_role(bob, team=team, role=Role.VIEW_ONLY)

    assert [row.role for row in team.memberships.filter(user=bob)] == [Role.VIEW_ONLY]


def test_ui6_a_team_begins_with_the_language_of_the_instance(db: None, settings: Any, alice: User) -> None:
    settings.LANGUAGE_CODE = "ja"
    assert factories.make_team(admin=alice).language == "ja"


def test_a_team_takes_no_language_there_is_not(team: Team, alice: User) -> None:
    with pytest.raises(ValidationError, match="tlh"):
        teams.set_language(team, "tlh", by=alice)


def test_nobody_else_joins_a_personal_team(alice: User, bob: User) -> None:
    with pytest.raises(ValidationError, match="alice is a personal team"):
        teams.set_role(bob, team=Team.objects.get(name="alice"), role=Role.MEMBER)


def test_a_team_is_an_organizations_or_somebodys(alice: User) -> None:
    for owner, organization in ((None, None), (factories.make_user("charlie"), factories.make_organization())):
        with pytest.raises(IntegrityError), transaction.atomic():
            Team.objects.create(name="limbo", owner=owner, organization=organization)


def test_a_role_that_does_not_exist_cannot_be_stored(team: Team, bob: User) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        team.memberships.filter(user=bob).update(role="boss")


@pytest.mark.django_db(transaction=True)
def test_many_scripts_that_start_at_once_share_one_project() -> None:
    team = factories.make_team()

    def start(_: int) -> int:
        try:
            return teams.ensure_project("digits", team=team).pk
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        assert len(set(pool.map(start, range(6)))) == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("model", [Organization, Team, Project])
def test_of_two_who_make_the_same_at_once_one_is_told_like_who_comes_later(
    model: type[Organization | Team | Project],
) -> None:
    organization = None if model is Organization else factories.make_organization()
    team = factories.make_team() if model is Project else None

    def make() -> object:
        if team is not None:
            return teams.create_project("digits", team=team)
        if organization is not None:
            return teams.create_team("vision", organization=organization)
        return teams.create_organization("umbrella")

    told = problems.describe(raised_by_loser(make, over=model))

    with pytest.raises(ValidationError) as late:
        make()
    assert told == problems.describe(late.value)
    assert told is not None
    assert told["status"] == 409
