"""Who is in a registry: people and teams of its organization, added, given another role, removed."""

from __future__ import annotations

from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F, QuerySet
from django.http import Http404

from projects import people
from projects.models import Role, Team, User
from registries.access import Permission, require
from registries.models import Registry, RegistryMember, RegistryTeam


def members_of(registry: Registry) -> QuerySet[RegistryMember]:
    """The users with a role of their own, by name, each with their `name`."""
    rows = RegistryMember.objects.filter(registry=registry).select_related("user")
    return rows.annotate(name=F("user__username")).order_by("name")


def teams_of(registry: Registry, user: User) -> QuerySet[RegistryTeam]:
    """The teams with a role, as far as the user may see them, by name, each with its `name`."""
    rows = RegistryTeam.objects.filter(registry=registry, team__in=Team.objects.visible_to(user))
    return rows.select_related("team").annotate(name=F("team__name")).order_by("name")


def member_named(registry: Registry, name: str) -> RegistryMember:
    """The role of the user of this name.

    Raises:
        Http404: they have none of their own.
    """
    found = members_of(registry).filter(user__username=name).first()
    if found is None:
        raise Http404(f"“{name}” is not in {registry}.")
    return found


def team_named(registry: Registry, name: str, *, seen_by: User) -> RegistryTeam:
    """The role of the team of this name.

    Raises:
        Http404: it has none, or is not to be seen.
    """
    found = teams_of(registry, seen_by).filter(team__name=name).first()
    if found is None:
        raise Http404(f"“{name}” is not in {registry}.")
    return found


def add(registry: Registry, *, users: Iterable[User] = (), teams: Iterable[Team] = (), role: Role, by: User) -> None:
    """Let people and teams in; who is in already keeps their role.

    Raises:
        Http404, PermissionDenied: `by` may not.
        ValidationError: somebody is not of the organization.
    """
    require(by, Permission.EDIT_SETTINGS, registry)
    users, teams = list(users), list(teams)
    _refuse_outsiders(registry, users, teams)
    with transaction.atomic():
        RegistryMember.objects.bulk_create(
            [RegistryMember(registry=registry, user=user, role=role) for user in users], ignore_conflicts=True
        )
        RegistryTeam.objects.bulk_create(
            [RegistryTeam(registry=registry, team=team, role=role) for team in teams], ignore_conflicts=True
        )


def change_role(registry: Registry, member: User | Team, *, role: Role, by: User) -> None:
    """Give somebody who is in the registry another role.

    Raises:
        Http404, PermissionDenied: `by` may not.
        ValidationError: they are not in it.
    """
    require(by, Permission.EDIT_SETTINGS, registry)
    if not _rows(registry, member).update(role=role):
        raise ValidationError(f"{member} is not in {registry}. Add them first.", code="no_member")


def remove(registry: Registry, *, users: Iterable[User] = (), teams: Iterable[Team] = (), by: User) -> None:
    """Take people and teams out; who is not in it is left out already. Roles in the organization still count.

    Raises:
        Http404, PermissionDenied: `by` may not.
    """
    require(by, Permission.EDIT_SETTINGS, registry)
    with transaction.atomic():
        RegistryMember.objects.filter(registry=registry, user__in=list(users)).delete()
        RegistryTeam.objects.filter(registry=registry, team__in=list(teams)).delete()


def _rows(registry: Registry, member: User | Team) -> QuerySet[RegistryMember] | QuerySet[RegistryTeam]:
    if isinstance(member, User):
        return RegistryMember.objects.filter(registry=registry, user=member)
    return RegistryTeam.objects.filter(registry=registry, team=member)


def _refuse_outsiders(registry: Registry, users: list[User], teams: list[Team]) -> None:
    inside = set(people.in_organization(registry.organization).filter(pk__in=[user.pk for user in users]))
    outsiders = [str(user) for user in users if user not in inside]
    outsiders += [str(team) for team in teams if team.organization_id != registry.organization_id]
    if outsiders:
        raise ValidationError(
            f"Not of the organization {registry.organization}: {', '.join(outsiders)}. Only its people and teams can be"
            " let into its registries.",
            code="outsider",
        )
