"""Registries opened, changed, renamed, deleted: by admins of the organization, partly by their own admins.

And projects deleted, as far as registries have versions of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from projects import access, audit, teams
from projects.access import role_in_organization
from projects.models import Organization, Project, Role, User
from registries import curation, linking
from registries.access import Permission, require
from registries.models import Membership, Registry
from registries.versions import lock_memberships, take_out


def require_organization_admin(user: User, organization: Organization, what: str) -> None:
    """Let pass admins of the organization; `what` completes the sentence “You may not …”.

    Raises:
        PermissionDenied: the user is none.
    """
    if role_in_organization(user, organization) is not Role.ADMIN:
        raise PermissionDenied(
            _("You may not %(what)s in %(organization)s. Ask an admin of the organization.")
            % {"what": what, "organization": organization}
        )


def open_registry(
    organization: Organization,
    name: str,
    *,
    by: User,
    description: str = "",
    visibility: str | None = None,
    accepts_all_types: bool | None = None,
    accept: Iterable[str] = (),
) -> Registry:
    """Make a registry, of which `by` is the first admin: for admins of the organization.

    Raises:
        PermissionDenied: `by` is none.
        ValidationError: by field.
    """
    require_organization_admin(by, organization, _("create registries"))
    with transaction.atomic():
        registry = linking.create_registry(organization, name, by=by, description=description)
        return curation.change_registry(
            registry, by=by, visibility=visibility, accepts_all_types=accepts_all_types, accept=accept
        )


def change(
    registry: Registry,
    *,
    by: User,
    name: str | None = None,
    description: str | None = None,
    visibility: str | None = None,
    accepts_all_types: bool | None = None,
    accept: Iterable[str] = (),
) -> Registry:
    """Change what is given. Who sees the registry is for admins of its organization, the rest for its own as well.

    Raises:
        Http404, PermissionDenied: `by` may not.
        ValidationError: by field.
    """
    require(by, Permission.EDIT_SETTINGS, registry)
    if visibility not in {None, registry.visibility}:
        require_organization_admin(by, registry.organization, _("change who sees registries"))
    with transaction.atomic():
        if name is not None:
            rename(registry, name, by=by)
        return curation.change_registry(
            registry,
            by=by,
            description=description,
            visibility=visibility,
            accepts_all_types=accepts_all_types,
            accept=accept,
        )


def rename(registry: Registry, name: str, *, by: User) -> Registry:
    """Give the registry another name; addresses with the old one lead nowhere afterwards.

    Raises:
        Http404, PermissionDenied: `by` may not.
        ValidationError: bad or taken name.
    """
    require(by, Permission.EDIT_SETTINGS, registry)
    before = curation.state_of(Registry.objects.get(pk=registry.pk))
    registry.name = name
    registry.full_clean()
    try:
        with transaction.atomic():
            registry.save(update_fields=["name", "updated_at"])
            curation.record(registry, audit.Deed.CHANGED, by=by, before=before, after=curation.state_of(registry))
    except IntegrityError:
        # Somebody took the name between the look and the write: looking again says so.
        registry.full_clean()
        raise
    return registry


def delete(registry: Registry, *, by: User) -> None:
    """Delete the registry with its collections and links; the versions stay where they were logged.

    Raises:
        Http404, PermissionDenied: `by` may not.
    """
    require(by, Permission.EDIT_SETTINGS, registry)
    require_organization_admin(by, registry.organization, _("delete registries"))
    with transaction.atomic():
        curation.record(registry, audit.Deed.DELETED, by=by, before=curation.state_of(registry))
        registry.delete()


def delete_project(project: Project, *, by: User, at: datetime) -> None:
    """Delete the project with all that is in it. Versions of it go wherever they are linked, and whoever watches that
    hears of it.

    Raises:
        Http404, PermissionDenied: `by` may not, or a version has a protected alias in a registry.
    """
    access.require(by, access.Permission.EDIT_PROJECTS, project.team)
    links = Membership.objects.filter(artifact__collection__project=project).exclude(collection__project=project)
    with transaction.atomic():
        take_out(lock_memberships(links), by=by, at=at)
        teams.delete_project(project, by=by)
