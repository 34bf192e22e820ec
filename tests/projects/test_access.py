"""Who may see and do what in a team (spec §8), and that strangers are told nothing (AZ1)."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import Http404

from projects import access
from projects.access import Permission
from projects.models import Project, Run, Team, User
from tests import factories

Somebody = User | AnonymousUser

NOTHING, REFUSED, ALLOWED = "does not exist", "refused", "allowed"
PEOPLE = ["nobody", "stranger", "organization member", "view-only", "member", "admin", "organization admin", "operator"]
# What each of PEOPLE gets, in this order.
MATRIX = {
    Permission.LOG: [NOTHING, NOTHING, NOTHING, REFUSED, ALLOWED, ALLOWED, ALLOWED, ALLOWED],
    Permission.EDIT_AUTOMATIONS: [NOTHING, NOTHING, NOTHING, REFUSED, REFUSED, ALLOWED, ALLOWED, ALLOWED],
    Permission.EDIT_SETTINGS: [NOTHING, NOTHING, NOTHING, REFUSED, REFUSED, ALLOWED, ALLOWED, ALLOWED],
}


def somebody(who: str, team: Team) -> Somebody:
    if who == "nobody":
        return AnonymousUser()
    user = factories.make_user("charlie", superuser=who == "operator")
    if who == "organization member":
        factories.make_organization("acme", member=user)
    elif who == "organization admin":
        factories.make_organization("acme", admin=user)
    elif who == "view-only":
        factories.make_team(viewer=user)
    elif who == "member":
        factories.make_team(member=user)
    elif who == "admin":
        factories.make_team(admin=user)
    return user


def outcome(ask: Callable[[], object]) -> str:
    try:
        ask()
    except Http404:
        return NOTHING
    except PermissionDenied:
        return REFUSED
    return ALLOWED


@pytest.mark.parametrize(
    ("who", "permission", "expected"),
    [(who, permission, row[i]) for permission, row in MATRIX.items() for i, who in enumerate(PEOPLE)],
)
def test_each_role_may_what_the_table_says(team: Team, who: str, permission: Permission, expected: str) -> None:
    user = somebody(who, team)

    assert outcome(lambda: access.require(user, permission, team)) == expected
    assert access.may(user, permission, team) is (expected == ALLOWED)


@pytest.mark.parametrize(("who", "expected"), [("view-only", False), ("member", True), ("stranger", False)])
def test_a_team_may_let_members_edit_automations(team: Team, who: str, expected: bool) -> None:
    team.members_edit_automations = True
    team.save()

    user = somebody(who, team)

    assert access.may(user, Permission.EDIT_AUTOMATIONS, team) is expected
    assert not access.may(user, Permission.EDIT_SETTINGS, team)


@pytest.mark.parametrize("who", PEOPLE)
def test_what_one_may_not_see_does_not_exist(project: Project, who: str) -> None:
    """AZ1: by the doors and in the lists alike."""
    run = factories.make_run(project, run_id="r1")
    user = somebody(who, project.team)
    visible = PEOPLE.index(who) >= PEOPLE.index("view-only")
    expected = ALLOWED if visible else NOTHING

    assert outcome(lambda: access.team_for(user, "research")) == expected
    assert outcome(lambda: access.project_for(user, "research", "digits")) == expected
    assert outcome(lambda: access.run_for(user, "research", "digits", "r1")) == expected
    assert Team.objects.visible_to(user).filter(pk=project.team_id).exists() is visible
    assert Project.objects.visible_to(user).filter(pk=project.pk).exists() is visible
    assert Run.objects.visible_to(user).filter(pk=run.pk).exists() is visible


def test_something_that_is_missing_looks_like_something_hidden(project: Project, charlie: User) -> None:
    """AZ1: the sentence gives nothing away either."""
    with pytest.raises(Http404) as hidden:
        access.project_for(charlie, "research", "digits")
    with pytest.raises(Http404) as missing:
        access.project_for(charlie, "research", "nothing")

    assert str(hidden.value).replace("digits", "nothing") == str(missing.value)


def test_a_refusal_says_who_can_help(team: Team, bob: User) -> None:
    with pytest.raises(PermissionDenied) as refusal:
        access.require(bob, Permission.EDIT_SETTINGS, team)

    assert str(refusal.value) == (
        "You may not change webhooks, secrets or members in research: your role there is member. Ask a team admin."
    )


def test_the_admin_of_another_organization_is_a_stranger(team: Team, charlie: User) -> None:
    factories.make_organization("globex", admin=charlie)

    assert outcome(lambda: access.team_for(charlie, "research")) == NOTHING


def test_a_personal_team_is_its_owners_alone(alice: User, bob: User) -> None:
    """SC5."""
    personal = Team.objects.get(name="alice")
    factories.make_organization("acme", admin=bob)

    assert access.may(alice, Permission.EDIT_SETTINGS, personal)
    assert outcome(lambda: access.team_for(bob, "alice")) == NOTHING


def test_a_team_role_is_never_lowered_by_the_organizations(team: Team, alice: User) -> None:
    factories.make_organization("acme", member=alice)

    assert access.role_in(alice, team) == "admin"
