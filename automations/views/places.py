"""Where automations live, as pages see it: a project or a registry, with the addresses of its tabs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.urls import reverse

from automations.access import Scope, may_edit
from projects.access import project_for
from projects.models import Organization, Project, Team
from registries.access import registry_for
from registries.models import Collection, Registry

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from projects.models import User


@dataclass(frozen=True, slots=True)
class Place:
    """A project or a registry. `editable` says whether the user may change its automations."""

    home: Project | Registry
    editable: bool

    @property
    def project(self) -> Project | None:
        return self.home if isinstance(self.home, Project) else None

    @property
    def registry(self) -> Registry | None:
        return self.home if isinstance(self.home, Registry) else None

    @property
    def automations_url(self) -> str:
        return self._page("automations")

    @property
    def new_url(self) -> str:
        return self._page("new_automation")

    @property
    def history_url(self) -> str:
        return self._page("history")

    @property
    def frame(self) -> dict[str, Any]:
        """What the side bar of a page whose address does not name the place has to be told."""
        if isinstance(self.home, Project):
            return {"nav": "projects", "current_team": self.home.team}
        return {"nav": "registries"}

    def _page(self, page: str) -> str:
        home = self.home
        if isinstance(home, Project):
            kwargs = {"team": home.team.name, "project": home.name}
            return reverse(f"automations:project_{page}", kwargs=kwargs)
        kwargs = {"organization": home.organization.name, "registry": home.name}
        return reverse(f"automations:registry_{page}", kwargs=kwargs)


def project_place(user: User | AnonymousUser, team: str, project: str) -> Place:
    """The project of this name, if the user may see it.

    Raises:
        Http404: they may not, or there is none.
    """
    home = project_for(user, team, project)
    return Place(home, editable=may_edit(user, home))


def registry_place(user: User | AnonymousUser, organization: str, registry: str) -> Place:
    """The registry of this name, if the user may see it.

    Raises:
        Http404: they may not, or there is none.
    """
    home = registry_for(user, organization, registry)
    return Place(home, editable=may_edit(user, home))


def place_of(user: User | AnonymousUser, scope: Scope) -> Place | None:
    """The project or registry that a scope is, or is in; a team or an organization is in none."""
    if isinstance(scope, Collection):
        scope = scope.registry or scope.project  # type: ignore[assignment]  # one of both is set
    if isinstance(scope, Organization | Team | Collection):
        return None
    return Place(scope, editable=may_edit(user, scope))
