"""What a scope covers now, as far as somebody may see it: projects, runs and collections."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Q

from automations.models import EventType
from projects.models import Organization, Project, Run, Team
from registries.models import Collection, CollectionKind, Membership, Registry

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from automations.access import Scope
    from projects.models import User

LINKS = frozenset({EventType.LINK_ARTIFACT, EventType.UNLINK_ARTIFACT})


def projects_in(scope: Scope, *, reader: User) -> QuerySet[Project]:
    """The projects an automation on runs covers; none for a registry or a collection, which have no runs."""
    visible = Project.objects.visible_to(reader)
    if isinstance(scope, Project):
        return visible.filter(pk=scope.pk)
    if isinstance(scope, Team):
        return visible.filter(team=scope.pk)
    return visible.filter(team__organization=scope.pk) if isinstance(scope, Organization) else visible.none()


def runs_in(scope: Scope, *, reader: User) -> QuerySet[Run]:
    """The runs of these projects, the newest first."""
    return Run.objects.filter(project__in=projects_in(scope, reader=reader)).order_by("-created_at", "-pk")


def collections_in(scope: Scope, event_type: EventType, *, reader: User) -> QuerySet[Collection]:
    """The collections in which the event reaches an automation of the scope."""
    visible = Collection.objects.visible_to(reader)
    if isinstance(scope, Collection):
        return visible.filter(pk=scope.pk)
    if isinstance(scope, Registry):
        return visible.filter(registry=scope.pk)
    within = _of_projects(scope)
    if event_type in LINKS:
        # A link happens in the registry, and in the project that the version is of.
        linked = Membership.objects.filter(
            _of_projects(scope, "artifact__collection__project"), collection__registry__isnull=False
        )
        found = Q(within, kind=CollectionKind.PORTFOLIO) | Q(pk__in=linked.values("collection"))
        return visible.filter(found | _of_registries(scope))
    if event_type == EventType.CREATE_ARTIFACT:
        return visible.filter(within, kind=CollectionKind.SEQUENCE)
    return visible.filter(within | _of_registries(scope))


def _of_projects(scope: Organization | Team | Project, path: str = "project") -> Q:
    """What is in the scope's projects, where `path` leads to the project."""
    up = {Organization: "__team__organization", Team: "__team", Project: ""}
    return Q(**{f"{path}{up[type(scope)]}": scope.pk})


def _of_registries(scope: Organization | Team | Project) -> Q:
    """The registries that an organization has; teams and projects have none."""
    return Q(registry__organization=scope.pk) if isinstance(scope, Organization) else Q(pk__in=[])
