"""People and teams in a registry, and what their roles let them do."""

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404

from projects import teams
from projects.models import Organization, Role, Team, User
from registries import access, listing, roster
from registries.access import Permission
from registries.models import Registry, RegistryMember, RegistryTeam, Visibility
from tests import factories


@pytest.fixture
def dora(team: Team) -> User:
    """In the team vision of the same organization, and in no other."""
    dora = factories.make_user("dora")
    factories.make_team("vision", Organization.objects.get(), member=dora)
    return dora


@pytest.fixture
def restricted(registry: Registry) -> Registry:
    """Only its members see the registry; alice is its admin."""
    registry.visibility = Visibility.RESTRICTED
    registry.save()
    return registry


def test_a_team_brings_its_people_into_a_restricted_registry(restricted: Registry, alice: User, dora: User) -> None:
    vision = Team.objects.get(name="vision")
    assert access.role_in(dora, restricted) is None

    roster.add(restricted, teams=[vision], role=Role.ADMIN, by=alice)

    assert access.role_in(dora, restricted) is Role.ADMIN
    assert Registry.objects.visible_to(dora).get() == restricted
    assert listing.registries_open_to(dora).get() == restricted
    roster.remove(restricted, teams=[vision], by=alice)
    assert access.role_in(dora, restricted) is None
    assert not Registry.objects.visible_to(dora).exists()


def test_who_only_views_in_the_team_only_views_in_the_registry(restricted: Registry, alice: User, dora: User) -> None:
    vision = Team.objects.get(name="vision")
    teams.set_role(dora, team=vision, role=Role.VIEW_ONLY)

    roster.add(restricted, teams=[vision], role=Role.ADMIN, by=alice)

    assert access.role_in(dora, restricted) is Role.VIEW_ONLY
    assert not listing.registries_open_to(dora).exists()


def test_the_highest_of_several_roles_counts(registry: Registry, alice: User, bob: User, team: Team) -> None:
    roster.add(registry, users=[bob], teams=[team], role=Role.VIEW_ONLY, by=alice)
    assert access.role_in(bob, registry) is Role.MEMBER

    roster.change_role(registry, team, role=Role.ADMIN, by=alice)

    assert access.role_in(bob, registry) is Role.ADMIN
    assert access.may(bob, Permission.EDIT_SETTINGS, registry)


def test_who_is_in_already_keeps_the_role(registry: Registry, alice: User) -> None:
    roster.add(registry, users=[alice], role=Role.VIEW_ONLY, by=alice)

    assert RegistryMember.objects.get(registry=registry, user=alice).role == Role.ADMIN


def test_only_people_and_teams_of_the_organization_are_let_in(
    registry: Registry, alice: User, bob: User, charlie: User
) -> None:
    elsewhere = factories.make_team("elsewhere", factories.make_organization("umbrella"))

    with pytest.raises(ValidationError, match="charlie, elsewhere"):
        roster.add(registry, users=[charlie, bob], teams=[elsewhere], role=Role.MEMBER, by=alice)
    with pytest.raises(ValidationError, match="alice"):
        roster.add(registry, teams=[alice.personal_team], role=Role.MEMBER, by=alice)
    assert not RegistryTeam.objects.exists()
    assert RegistryMember.objects.count() == 1


def test_who_is_not_in_it_has_no_role_to_change(registry: Registry, alice: User, bob: User) -> None:
    with pytest.raises(ValidationError, match="bob is not in acme/models"):
        roster.change_role(registry, bob, role=Role.ADMIN, by=alice)


def test_only_admins_of_the_registry_change_who_is_in_it(
    registry: Registry, alice: User, bob: User, charlie: User
) -> None:
    for user, refusal in ((bob, PermissionDenied), (charlie, Http404)):
        with pytest.raises(refusal):
            roster.add(registry, users=[user], role=Role.ADMIN, by=user)
        with pytest.raises(refusal):
            roster.change_role(registry, alice, role=Role.VIEW_ONLY, by=user)
        with pytest.raises(refusal):
            roster.remove(registry, users=[alice], by=user)
