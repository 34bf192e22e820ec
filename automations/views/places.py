"""Where automations live, as pages see it: a project, a registry, a team or an organization, with its addresses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext as _

from automations.access import Scope, may_edit
from automations.forms.event import Home
from projects.access import project_for, team_for
from projects.models import Organization, Project, Team, TeamMember
from registries.access import registry_for
from registries.models import Collection, Registry

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser
    from django.db.models import QuerySet

    from projects.models import User


@dataclass(frozen=True, slots=True)
class Place:
    """A project, a registry, a team or an organization. `editable` says whether the user may change its automations."""

    home: Home
    editable: bool

    @property
    def project(self) -> Project | None:
        return self.home if isinstance(self.home, Project) else None

    @property
    def registry(self) -> Registry | None:
        return self.home if isinstance(self.home, Registry) else None

    @property
    def team(self) -> Team | None:
        return self.home if isinstance(self.home, Team) else None

    @property
    def organization(self) -> Organization | None:
        return self.home if isinstance(self.home, Organization) else None

    @property
    def members(self) -> QuerySet[TeamMember]:
        """Whose runs there may be there."""
        members = TeamMember.objects.all()
        if self.organization is not None:
            return members.filter(team__organization=self.organization)
        team = self.project.team_id if self.project else self.team.pk if self.team else None
        return members.filter(team=team)

    @property
    def automations_url(self) -> str:
        return self._page("automations")

    @property
    def new_url(self) -> str:
        return self._page("new_automation")

    @property
    def curves_url(self) -> str:
        """Where metrics of its runs are drawn from, "" for a registry, which has no runs."""
        return "" if self.registry else self._page("curves")

    @property
    def history_url(self) -> str:
        """Its History tab, "" for a team or an organization, whose automations act in projects and registries."""
        return self._page("history") if self.project or self.registry else ""

    @property
    def redeliver_url(self) -> str:
        """Where executions of its history are sent again from, "" where it has none."""
        return self._page("redeliver") if self.project or self.registry else ""

    @property
    def frame(self) -> dict[str, Any]:
        """What the side bar of a page whose address does not name the place has to be told."""
        if self.registry is not None:
            return {"nav": "registries"}
        if self.project is not None:
            return {"nav": "projects", "current_team": self.project.team}
        # What is wider than a project is reached from the list of all.
        return {"nav": "automations", **({"current_team": self.team} if self.team else {})}

    def _page(self, page: str) -> str:
        home = self.home
        if isinstance(home, Project):
            return reverse(f"automations:project_{page}", args=[home.team.name, home.name])
        if isinstance(home, Registry):
            return reverse(f"automations:registry_{page}", args=[home.organization.name, home.name])
        kind = "team" if isinstance(home, Team) else "organization"
        return reverse(f"automations:{kind}_{page}", args=[home.name])


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


def team_place(user: User | AnonymousUser, team: str) -> Place:
    """The team of this name, if the user may see it.

    Raises:
        Http404: they may not, or there is none.
    """
    home = team_for(user, team)
    return Place(home, editable=may_edit(user, home))


def organization_place(user: User | AnonymousUser, organization: str) -> Place:
    """The organization of this name, if the user may see it.

    Raises:
        Http404: they may not, or there is none.
    """
    home = Organization.objects.visible_to(user).filter(name=organization).first()
    if home is None:
        raise Http404(_("There is no organization “%(organization)s”.") % {"organization": organization})
    return Place(home, editable=may_edit(user, home))


def place_of(user: User | AnonymousUser, scope: Scope) -> Place:
    """The place that a scope is, or is in: collections have none of their own."""
    home = scope.registry or scope.project if isinstance(scope, Collection) else scope
    assert home is not None  # the check constraint says so
    return Place(home, editable=may_edit(user, home))
