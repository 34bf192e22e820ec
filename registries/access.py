"""The door to collections, versions and registries, with the same rules as `projects.access`."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied
from django.db.models import Case, CharField, Q, Value, When
from django.http import Http404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from projects import access as projects_access
from projects.models import Role
from registries.models import Artifact, ArtifactState, Collection, Membership, Registry
from registries.models.registry import reaches

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser
    from django.db.models import QuerySet

    from projects.models import User

VERSION_NUMBER = re.compile(r"\Av(0|[1-9][0-9]{0,8})\Z")
CONTENT_NAME = re.compile(r"\A[0-9a-f]{20,64}\Z")


class Permission(StrEnum):
    """Things one may do in a registry. The values complete the sentence “You may not …”, in English."""

    LINK = gettext_noop("link versions or change aliases and tags")
    EDIT_AUTOMATIONS = gettext_noop("create, edit or delete automations")
    EDIT_SETTINGS = gettext_noop("change the registry or its members")
    REDELIVER = gettext_noop("redeliver, try or cancel executions")


NEEDED_ROLE = {
    Permission.LINK: Role.MEMBER,
    Permission.EDIT_AUTOMATIONS: Role.MEMBER,
    Permission.EDIT_SETTINGS: Role.ADMIN,
    Permission.REDELIVER: Role.ADMIN,
}


def role_in(user: User | AnonymousUser, registry: Registry) -> Role | None:
    """The user's role in the registry, by the rules of `reaches`."""
    if not user.is_authenticated:
        return None
    if user.is_superuser:
        return Role.ADMIN
    highest_first = sorted(Role, key=lambda role: role.rank, reverse=True)
    steps = [When(reaches(user, role), then=Value(role.value)) for role in highest_first]
    rows = Registry.objects.filter(pk=registry.pk).annotate(
        reached=Case(*steps, default=None, output_field=CharField())
    )
    reached = rows.values_list("reached", flat=True).first()
    return Role(reached) if reached else None


def may(user: User | AnonymousUser, permission: Permission, registry: Registry) -> bool:
    """Whether the user may do this in the registry."""
    role = role_in(user, registry)
    return role is not None and role.rank >= NEEDED_ROLE[permission].rank


def may_decide_who_sees(user: User | AnonymousUser, registry: Registry) -> bool:
    """Whether the user may change who sees the registry, and delete it: as an admin of its organization."""
    return projects_access.role_in_organization(user, registry.organization) is Role.ADMIN


def require(user: User | AnonymousUser, permission: Permission, registry: Registry) -> None:
    """Let pass who may do this in the registry.

    Raises:
        Http404: the user may not even see it.
        PermissionDenied: with a sentence for the user.
    """
    role = role_in(user, registry)
    if role is None:
        raise Http404(_("There is no registry “%(registry)s”.") % {"registry": registry.name})
    if role.rank < NEEDED_ROLE[permission].rank:
        raise PermissionDenied(
            _(
                "You may not %(permission)s in %(registry)s: your role there is %(role)s. Ask an "
                "admin of the registry or of its organization."
            )
            % {"permission": _(permission.value), "registry": registry, "role": role.label.lower()}
        )


def require_labels(user: User | AnonymousUser, collection: Collection) -> None:
    """Let pass who may add versions, aliases and tags in the collection, wherever it is.

    Raises:
        Http404, PermissionDenied: as `require`.
    """
    if collection.registry is not None:
        require(user, Permission.LINK, collection.registry)
    else:
        assert collection.project is not None  # the check constraint says so
        projects_access.require(user, projects_access.Permission.LOG, collection.project.team)


def registry_for(user: User | AnonymousUser, organization: str, name: str) -> Registry:
    """The registry of this name in the organization.

    Raises:
        Http404: there is none the user may see.
    """
    found = (
        Registry.objects.visible_to(user)
        .select_related("organization")
        .filter(organization__name=organization, name=name)
        .first()
    )
    if found is None:
        raise Http404(
            _("There is no registry “%(organization)s/%(name)s”.") % {"organization": organization, "name": name}
        )
    return found


def registry_of_key(user: User | AnonymousUser, key: int) -> Registry:
    """The registry of this key, whatever it is called by now.

    Raises:
        Http404: there is none the user may see.
    """
    found = Registry.objects.visible_to(user).select_related("organization").filter(pk=key).first()
    if found is None:
        raise Http404(_("It is not there any more. Reload the page."))
    return found


def collection_for(
    user: User | AnonymousUser,
    name: str,
    *,
    project: tuple[str, str] | None = None,
    registry: tuple[str, str] | None = None,
) -> Collection:
    """The collection of this name in a (team, project) or an (organization, registry).

    Raises:
        Http404: there is none the user may see.
    """
    collections = Collection.objects.visible_to(user).select_related(
        "project__team__organization", "registry__organization"
    )
    if project is not None:
        collections = collections.filter(project__team__name=project[0], project__name=project[1])
    elif registry is not None:
        collections = collections.filter(registry__organization__name=registry[0], registry__name=registry[1])
    found = collections.filter(name=name).first()
    if found is None:
        container = "/".join(project or registry or ())
        raise Http404(_("There is no collection “%(name)s” in %(container)s.") % {"name": name, "container": container})
    return found


def memberships_of(collection: Collection) -> QuerySet[Membership]:
    """The collection's versions, newest first, with all that their pages and facts show."""
    return with_facts(Membership.objects.filter(collection=collection)).order_by("-version_index")


def with_facts(memberships: QuerySet[Membership]) -> QuerySet[Membership]:
    """The same rows with all that their pages and facts show."""
    return memberships.select_related(
        "collection__project__team__organization",
        "collection__registry__organization",
        "artifact__user",
        "artifact__run__project__team",
        "artifact__collection__project__team",
    ).prefetch_related("aliases", "artifact__tags")


def version_for(collection: Collection, name: str) -> Membership:
    """The version called `v3`, `latest`, by an alias, or by its digest or commit hash.

    Raises:
        Http404: the collection has none.
    """
    versions = memberships_of(collection)
    number = VERSION_NUMBER.match(name)
    if number:
        found = versions.filter(version_index=int(number[1])).first()
    elif name == "latest":
        found = versions.first()
    else:
        found = versions.filter(aliases__name=name).first()
        # The client also knows a version by what no one chose: its content, or the moment of its commit.
        by_content = Q(artifact__digest=name) | Q(artifact__commit_hash=name)
        found = found or (versions.filter(by_content).first() if CONTENT_NAME.match(name) else None)
    if found is None:
        raise Http404(_("There is no version “%(name)s” in %(collection)s.") % {"name": name, "collection": collection})
    return found


def begun_version(user: User | AnonymousUser, pk: int) -> Artifact:
    """The version with this key, complete or still being uploaded, for somebody who may log in its project.

    Raises:
        Http404: there is none the user may see.
        PermissionDenied: the user may only look.
    """
    found = (
        Artifact.objects.filter(pk=pk, collection__in=Collection.objects.visible_to(user))
        .exclude(state=ArtifactState.DELETED)
        .select_related("collection__project__team__organization")
        .first()
    )
    if found is None:
        raise Http404(_("There is no such version."))
    require_labels(user, found.collection)
    return found
