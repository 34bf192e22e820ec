"""Teams and organizations with the role the user has in each, in a fixed number of queries."""

from __future__ import annotations

from django.db.models import OuterRef, QuerySet, Subquery
from django.http import Http404

from projects.models import Organization, OrganizationMember, Role, Team, TeamMember, User


def teams_with_roles(user: User) -> QuerySet[Team]:
    """The teams the user may see, with what `role_in_team` needs."""
    in_team = TeamMember.objects.filter(team=OuterRef("pk"), user=user).values("role")
    in_organization = OrganizationMember.objects.filter(organization=OuterRef("organization"), user=user).values("role")
    return (
        Team.objects.visible_to(user)
        .select_related("organization")
        .annotate(own_role=Subquery(in_team), organization_role=Subquery(in_organization))
    )


def role_in_team(team: Team, user: User) -> str | None:
    """The same answer as `access.role_in`, from a row of `teams_with_roles`."""
    if user.is_superuser or getattr(team, "organization_role", None) == Role.ADMIN:
        return Role.ADMIN.value
    role: str | None = getattr(team, "own_role", None)
    return role


def organizations_with_roles(user: User) -> QuerySet[Organization]:
    """The organizations the user may see, with what `role_in_organization` needs."""
    memberships = OrganizationMember.objects.filter(user=user)
    return Organization.objects.visible_to(user).annotate(
        own_role=Subquery(memberships.filter(organization=OuterRef("pk")).values("role"))
    )


def role_in_organization(organization: Organization, user: User) -> str | None:
    """The same answer as `access.role_in_organization`, from a row of `organizations_with_roles`."""
    if user.is_superuser:
        return Role.ADMIN.value
    role: str | None = getattr(organization, "own_role", None)
    return role


def organization_for(user: User, name: str) -> Organization:
    """The organization of this name.

    Raises:
        Http404: there is none the user may see.
    """
    found = organizations_with_roles(user).filter(name=name).first()
    if found is None:
        raise Http404(f"There is no organization “{name}”.")
    return found
