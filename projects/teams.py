"""Organizations, teams, members and projects: one function per change.

Where `by` may be left out, None is the server itself: a command, the first start.
"""

from __future__ import annotations

from collections.abc import Callable

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Model
from django.utils.translation import gettext as _

from projects import audit
from projects.access import Permission, require, role_in_organization
from projects.models import Organization, OrganizationMember, Project, Role, Team, TeamMember, User


def create_organization(name: str, *, by: User | None = None) -> Organization:
    """Make an organization.

    Raises:
        ValidationError: bad or taken name.
    """
    organization = Organization(name=name)
    _write(
        organization,
        lambda: audit.record(
            audit.ORGANIZATION,
            audit.Deed.CREATED,
            name=name,
            pk=organization.pk,
            by=by,
            organization=organization,
        ),
    )
    return organization


def create_team(name: str, *, organization: Organization, by: User | None = None) -> Team:
    """Make a team of the organization.

    Raises:
        ValidationError: bad name, or taken by a team or a user.
    """
    team = Team(name=name, organization=organization)
    _write(team, lambda: audit.record(audit.TEAM, audit.Deed.CREATED, name=name, pk=team.pk, by=by, team=team))
    return team


def open_team(name: str, *, organization: Organization, by: User, admin: User | None = None) -> Team:
    """Make a team of the organization for somebody, who is its admin: for admins of the organization.

    Raises:
        PermissionDenied: `by` is none.
        ValidationError: bad or taken name.
    """
    if role_in_organization(by, organization) is not Role.ADMIN:
        raise PermissionDenied(
            _("You may not create teams in %(organization)s. Ask an admin of the organization.")
            % {"organization": organization}
        )
    with transaction.atomic():
        team = create_team(name, organization=organization, by=by)
        set_role(admin or by, team=team, role=Role.ADMIN, by=by)
    return team


def set_organization_role(
    user: User, *, organization: Organization, role: Role, by: User | None = None
) -> OrganizationMember:
    """Make the user a member of the organization, or change their role in it.

    Raises:
        ValidationError: the user is a service account, which has its own team alone.
    """
    if user.service_of_id is not None:
        raise ValidationError(
            _("%(user)s is a service account of team %(service_of)s, and of nothing else.")
            % {"user": user, "service_of": user.service_of}
        )
    with transaction.atomic():
        was = _role_of(organization.memberships.select_for_update().filter(user=user).first())
        membership, _created = OrganizationMember.objects.update_or_create(
            organization=organization, user=user, defaults={"role": role}
        )
        audit.record(
            audit.ORGANIZATION_MEMBER,
            audit.Deed.CHANGED if was else audit.Deed.ADDED,
            name=user.username,
            pk=user.pk,
            by=by,
            organization=organization,
            before=was,
            after={"role": str(role)},
        )
    return membership


def set_role(user: User, *, team: Team, role: Role, by: User | None = None) -> TeamMember:
    """Make the user a member of the team, or change their role in it.

    Raises:
        ValidationError: the team is somebody's personal one; or not that of a service account, which is no admin.
    """
    if team.is_personal and (team.owner_id != user.pk or role != Role.ADMIN):
        raise ValidationError(
            _("%(team)s is a personal team: its owner is its admin, and it has no other members.") % {"team": team},
            code="personal_team",
        )
    if user.service_of_id is not None:
        _check_service_role(user, team=team, role=role)
    with transaction.atomic():
        was = _role_of(team.memberships.select_for_update().filter(user=user).first())
        membership, _created = TeamMember.objects.update_or_create(team=team, user=user, defaults={"role": role})
        audit.record(
            audit.MEMBER,
            audit.Deed.CHANGED if was else audit.Deed.ADDED,
            name=user.username,
            pk=user.pk,
            by=by,
            team=team,
            before=was,
            after={"role": str(role)},
        )
    return membership


def _check_service_role(user: User, *, team: Team, role: Role) -> None:
    if user.service_of_id != team.pk:
        raise ValidationError(
            _("%(user)s is a service account of another team. Make one of %(team)s instead.")
            % {"user": user, "team": team}
        )
    if role == Role.ADMIN:
        raise ValidationError({"role": _("A service account is no admin: whoever finds its key would be.")})


def set_language(team: Team, language: str, *, by: User) -> None:
    """Write the team's e-mails and Slack messages in this language from now on.

    Raises:
        ValidationError: there is no such language.
        Http404, PermissionDenied: `by` may not.
    """
    require(by, Permission.EDIT_SETTINGS, team)
    before = {"language": Team.objects.values_list("language", flat=True).get(pk=team.pk)}
    team.language = language
    _write(
        team,
        lambda: audit.record(
            audit.TEAM,
            audit.Deed.CHANGED,
            name=team.name,
            pk=team.pk,
            by=by,
            team=team,
            before=before,
            after={"language": language},
        ),
    )


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
    before = {"name": Project.objects.values_list("name", flat=True).get(pk=project.pk)}
    project.name = name
    _write(
        project,
        lambda: audit.record(
            audit.PROJECT,
            audit.Deed.CHANGED,
            name=name,
            pk=project.pk,
            by=by,
            team=project.team,
            before=before,
            after={"name": name},
        ),
    )
    return project


def delete_project(project: Project, *, by: User) -> None:
    """Delete the project with its runs, what they logged, its artifacts and its automations.

    Raises:
        Http404, PermissionDenied: `by` may not.
    """
    require(by, Permission.EDIT_PROJECTS, project.team)
    with transaction.atomic():
        audit.record(audit.PROJECT, audit.Deed.DELETED, name=project.name, pk=project.pk, by=by, team=project.team)
        project.delete()


def _role_of(membership: TeamMember | OrganizationMember | None) -> dict[str, str]:
    return {"role": membership.role} if membership else {}


def _write(row: Model, record: Callable[[], None] | None = None) -> None:
    """Check and save the row, and put it into the audit log."""
    row.full_clean()
    try:
        with transaction.atomic():
            row.save()
            if record is not None:
                record()
    except IntegrityError:
        # Somebody took the name between the look and the write: looking again says so.
        row.full_clean()
        raise
