"""Who is in a registry: people and teams of its organization, added, given another role, removed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F, QuerySet
from django.http import Http404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from projects import audit, people
from projects.models import Role, Team, User
from registries.access import Permission, require
from registries.models import Registry, RegistryMember, RegistryTeam

REGISTRY_MEMBER = audit.kind("registry member", "role")
# For the catalogue: what kinds and fields are called.
WORDS = (gettext_noop("registry member"),)


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
        raise Http404(_("“%(name)s” is not in %(registry)s.") % {"name": name, "registry": registry})
    return found


def team_named(registry: Registry, name: str, *, seen_by: User) -> RegistryTeam:
    """The role of the team of this name.

    Raises:
        Http404: it has none, or is not to be seen.
    """
    found = teams_of(registry, seen_by).filter(team__name=name).first()
    if found is None:
        raise Http404(_("“%(name)s” is not in %(registry)s.") % {"name": name, "registry": registry})
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
        for one in _both(users, teams):
            row = {"registry": registry, "user" if isinstance(one, User) else "team": one}
            if _model(one).objects.get_or_create(**row, defaults={"role": role})[1]:
                _record(registry, one, audit.Deed.ADDED, by=by, after={"role": str(role)})


def change_role(registry: Registry, member: User | Team, *, role: Role, by: User) -> None:
    """Give somebody who is in the registry another role.

    Raises:
        Http404, PermissionDenied: `by` may not.
        ValidationError: they are not in it.
    """
    require(by, Permission.EDIT_SETTINGS, registry)
    with transaction.atomic():
        row = _rows(registry, member).select_for_update().first()
        if row is None:
            raise ValidationError(
                _("%(member)s is not in %(registry)s. Add them first.") % {"member": member, "registry": registry},
                code="no_member",
            )
        was, row.role = row.role, role
        row.save(update_fields=["role"])
        _record(registry, member, audit.Deed.CHANGED, by=by, before={"role": was}, after={"role": str(role)})


def remove(registry: Registry, *, users: Iterable[User] = (), teams: Iterable[Team] = (), by: User) -> None:
    """Take people and teams out; who is not in it is left out already. Roles in the organization still count.

    Raises:
        Http404, PermissionDenied: `by` may not.
    """
    require(by, Permission.EDIT_SETTINGS, registry)
    with transaction.atomic():
        for one in _both(users, teams):
            if _rows(registry, one).delete()[0]:
                _record(registry, one, audit.Deed.REMOVED, by=by)


def _both(users: Iterable[User], teams: Iterable[Team]) -> list[User | Team]:
    return [*users, *teams]


def _model(member: User | Team) -> Any:
    return RegistryMember if isinstance(member, User) else RegistryTeam


def _rows(registry: Registry, member: User | Team) -> Any:
    return _model(member).objects.filter(registry=registry, **{"user" if isinstance(member, User) else "team": member})


def _record(registry: Registry, member: User | Team, deed: audit.Deed, *, by: User, **states: Any) -> None:
    audit.record(
        REGISTRY_MEMBER,
        deed,
        name=f"{member} in {registry.name}",
        pk=member.pk,
        by=by,
        organization=registry.organization,
        **states,
    )


def _refuse_outsiders(registry: Registry, users: list[User], teams: list[Team]) -> None:
    inside = set(people.in_organization(registry.organization).filter(pk__in=[user.pk for user in users]))
    outsiders = [str(user) for user in users if user not in inside]
    outsiders += [str(team) for team in teams if team.organization_id != registry.organization_id]
    if outsiders:
        raise ValidationError(
            _(
                "Not of the organization %(organization)s: %(outsiders)s. Only its people and "
                "teams can be let into its registries."
            )
            % {"organization": registry.organization, "outsiders": ", ".join(outsiders)},
            code="outsider",
        )
