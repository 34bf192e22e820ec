"""Organizations, teams, members and projects: one function per change."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Model

from projects.access import Permission, require, role_in_organization
from projects.models import Organization, OrganizationMember, Project, Role, Team, TeamMember, User


def create_organization(name: str) -> Organization:
    """Make an organization.

    Raises:
        ValidationError: bad or taken name.
    """
    organization = Organization(name=name)
    _write(organization)
    return organization


def create_team(name: str, *, organization: Organization) -> Team:
    """Make a team of the organization.

    Raises:
        ValidationError: bad name, or taken by a team or a user.
    """
    team = Team(name=name, organization=organization)
    _write(team)
    return team


def open_team(name: str, *, organization: Organization, by: User, admin: User | None = None) -> Team:
    """Make a team of the organization for somebody, who is its admin: for admins of the organization.

    Raises:
        PermissionDenied: `by` is none.
        ValidationError: bad or taken name.
    """
    if role_in_organization(by, organization) is not Role.ADMIN:
        raise PermissionDenied(f"You may not create teams in {organization}. Ask an admin of the organization.")
    with transaction.atomic():
        team = create_team(name, organization=organization)
        set_role(admin or by, team=team, role=Role.ADMIN)
    return team


def set_organization_role(user: User, *, organization: Organization, role: Role) -> OrganizationMember:
    """Make the user a member of the organization, or change their role in it."""
    membership, _ = OrganizationMember.objects.update_or_create(
        organization=organization, user=user, defaults={"role": role}
    )
    return membership


def set_role(user: User, *, team: Team, role: Role) -> TeamMember:
    """Make the user a member of the team, or change their role in it.

    Raises:
        ValidationError: the team is somebody's personal one.
    """
    if team.is_personal and (team.owner_id != user.pk or role != Role.ADMIN):
        raise ValidationError(
            f"{team} is a personal team: its owner is its admin, and it has no other members.", code="personal_team"
        )
    membership, _ = TeamMember.objects.update_or_create(team=team, user=user, defaults={"role": role})
    return membership


def create_project(name: str, *, team: Team, description: str = "") -> Project:
    """Make a project of the team.

    Raises:
        ValidationError: bad or taken name.
    """
    project = Project(team=team, name=name, description=description)
    _write(project)
    return project


def ensure_project(name: str, *, team: Team, description: str = "") -> Project:
    """The team's project of this name, made if there is none yet: scripts need not create it first.

    The description is for a new one.

    Raises:
        ValidationError: bad name.
    """
    # Checked before the look: PostgreSQL cannot even be asked for some names.
    Project(team=team, name=name).full_clean(exclude=["team"], validate_unique=False, validate_constraints=False)
    project = Project.objects.filter(team=team, name=name).first()
    if project is not None:
        return project
    try:
        with transaction.atomic():
            return Project.objects.create(team=team, name=name, description=description)
    except IntegrityError:
        # Another process made it between the look and the insert.
        return Project.objects.get(team=team, name=name)


def rename_project(project: Project, name: str, *, by: User) -> Project:
    """Give the project another name; addresses with the old one lead nowhere afterwards.

    Raises:
        ValidationError: bad or taken name.
        Http404, PermissionDenied: `by` may not.
    """
    require(by, Permission.EDIT_PROJECTS, project.team)
    project.name = name
    _write(project)
    return project


def delete_project(project: Project, *, by: User) -> None:
    """Delete the project with its runs, what they logged, its artifacts and its automations.

    Raises:
        Http404, PermissionDenied: `by` may not.
    """
    require(by, Permission.EDIT_PROJECTS, project.team)
    project.delete()


def _write(row: Model) -> None:
    row.full_clean()
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        # Somebody took the name between the look and the write: looking again says so.
        row.full_clean()
        raise
