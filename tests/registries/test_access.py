"""Which role somebody has in a registry, by every combination of what gives them one."""

from __future__ import annotations

from itertools import product

import pytest
from django.contrib.auth.models import AnonymousUser

from projects import teams
from projects.models import Role, Team, User
from registries import access
from registries.models import Registry, RegistryMember, RegistryTeam, Visibility
from tests import factories

MAYBE = (None, *Role)


def highest(*roles: Role | None) -> Role | None:
    return max((role for role in roles if role), key=lambda role: role.rank, default=None)


def expected(
    *,
    visibility: Visibility,
    of_organization: Role | None,
    of_team: Role | None,
    own: Role | None,
    teams_own: Role | None,
) -> Role | None:
    """The rule, said once more in other words."""
    if of_organization is Role.ADMIN:
        return Role.ADMIN
    through_team = Role.VIEW_ONLY if of_team is Role.VIEW_ONLY else Role.MEMBER if of_team else None
    here = None
    if of_team and teams_own:
        here = Role.VIEW_ONLY if of_team is Role.VIEW_ONLY else teams_own
    if visibility == Visibility.RESTRICTED:
        return highest(own, here)
    return highest(of_organization, through_team, own, here)


@pytest.mark.parametrize("visibility", Visibility)
@pytest.mark.parametrize("of_organization", MAYBE)
@pytest.mark.parametrize("of_team", MAYBE)
def test_the_role_in_a_registry_is_the_highest_that_counts(
    team: Team,
    registry: Registry,
    charlie: User,
    *,
    visibility: Visibility,
    of_organization: Role | None,
    of_team: Role | None,
) -> None:
    """§8, AZ1: and the lists of those one sees, and of those one may change, agree with it."""
    Registry.objects.update(visibility=visibility)
    registry.refresh_from_db()
    if of_organization:
        teams.set_organization_role(charlie, organization=registry.organization, role=of_organization)
    if of_team:
        teams.set_role(charlie, team=team, role=of_team)
    for own, teams_own in product(MAYBE, MAYBE):
        RegistryMember.objects.filter(user=charlie).delete()
        RegistryTeam.objects.all().delete()
        if own:
            RegistryMember.objects.create(registry=registry, user=charlie, role=own)
        if teams_own:
            RegistryTeam.objects.create(registry=registry, team=team, role=teams_own)
        wanted = expected(
            visibility=visibility, of_organization=of_organization, of_team=of_team, own=own, teams_own=teams_own
        )
        assert access.role_in(charlie, registry) == wanted, (own, teams_own)
        assert Registry.objects.visible_to(charlie).exists() is (wanted is not None)
        for least in Role:
            reached = wanted is not None and wanted.rank >= least.rank
            assert Registry.objects.in_which(charlie, least=least).exists() is reached, (least, own, teams_own)


def test_an_operator_is_an_admin_and_nobody_is_nothing(registry: Registry) -> None:
    operator = factories.make_user("operator", superuser=True)
    assert access.role_in(operator, registry) is Role.ADMIN
    assert access.role_in(AnonymousUser(), registry) is None
    assert not Registry.objects.in_which(AnonymousUser(), least=Role.VIEW_ONLY).exists()


def test_a_role_in_another_organization_counts_for_nothing(registry: Registry, charlie: User) -> None:
    other = factories.make_organization("other")
    teams.set_organization_role(charlie, organization=other, role=Role.ADMIN)
    factories.make_team("elsewhere", other, admin=charlie)
    assert access.role_in(charlie, registry) is None
    assert not Registry.objects.visible_to(charlie).exists()
