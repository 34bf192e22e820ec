"""Members of a team come, change and go; a team keeps an admin."""

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404

from projects import members
from projects.models import Role, Team, TeamMember, User


def membership(team: Team, user: User) -> TeamMember:
    return TeamMember.objects.get(team=team, user=user)


def test_an_admin_adds_somebody_by_name(team: Team, alice: User, charlie: User) -> None:
    added = members.add(team, "charlie", role=Role.VIEW_ONLY, by=alice)
    assert (added.user, added.role) == (charlie, Role.VIEW_ONLY)


@pytest.mark.parametrize(("name", "said"), [("nobody", "Nobody has the user name"), ("bob", "is a member")])
def test_unknown_people_and_members_are_refused_by_field(team: Team, alice: User, name: str, said: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        members.add(team, name, role=Role.MEMBER, by=alice)
    assert said in refusal.value.message_dict["username"][0]


def test_nobody_joins_a_personal_team(alice: User, bob: User) -> None:
    with pytest.raises(ValidationError, match="personal team"):
        members.add(alice.personal_team, "bob", role=Role.MEMBER, by=alice)


def test_the_only_admin_stays_admin_and_stays(team: Team, alice: User, bob: User) -> None:
    only = membership(team, alice)
    with pytest.raises(ValidationError, match="the only admin"):
        members.change_role(only, role=Role.MEMBER, by=alice)
    with pytest.raises(ValidationError, match="the only admin"):
        members.remove(only, by=alice)
    assert membership(team, alice).role == Role.ADMIN


def test_one_of_two_admins_may_go(team: Team, alice: User, bob: User) -> None:
    members.change_role(membership(team, bob), role=Role.ADMIN, by=alice)
    members.remove(membership(team, alice), by=bob)
    assert not TeamMember.objects.filter(team=team, user=alice).exists()


def test_a_member_is_removed(team: Team, alice: User, bob: User) -> None:
    members.remove(membership(team, bob), by=alice)
    assert not Team.objects.visible_to(bob).filter(pk=team.pk).exists()


def test_only_admins_change_members(team: Team, alice: User, bob: User, charlie: User) -> None:
    """Spec §8"""
    with pytest.raises(PermissionDenied):
        members.add(team, "charlie", role=Role.MEMBER, by=bob)
    with pytest.raises(PermissionDenied):
        members.change_role(membership(team, bob), role=Role.ADMIN, by=bob)
    with pytest.raises(Http404):
        members.remove(membership(team, alice), by=charlie)
