"""Places of automations as pages name them: where one is, where one may make another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _

from automations.access import administered_teams
from automations.models import ScopeKind
from projects.models import Organization, OrganizationMember, Project, Role, Team, TeamMember
from registries.access import NEEDED_ROLE, Permission
from registries.models import Registry

if TYPE_CHECKING:
    from automations.models import Automation
    from projects.models import User

OFFERED = 20  # of each kind; more are found by their names


@dataclass(frozen=True, slots=True)
class Shown:
    """A place: an icon for its kind, its name with the names of what it is in, and an address."""

    icon: str
    kind: str
    name: str
    url: str


@dataclass(frozen=True, slots=True)
class Group:
    """Places of one kind; `more` says that there are others, which the search finds."""

    label: str
    places: list[Shown]
    more: bool


def place_shown(automation: Automation) -> Shown:
    """What the automation covers, with the address of its page."""
    if automation.organization:
        organization = automation.organization
        url = reverse("automations:organization_automations", args=[organization.name])
        return Shown("users", _("Organization"), organization.name, url)
    if automation.team:
        url = reverse("automations:team_automations", args=[automation.team.name])
        return Shown("users", _("Team"), automation.team.name, url)
    if automation.project:
        project = automation.project
        return Shown("folder", _("Project"), f"{project.team.name}/{project.name}", project.get_absolute_url())
    if automation.registry:
        registry = automation.registry
        name = f"{registry.organization.name}/{registry.name}"
        return Shown("registry", _("Registry"), name, registry.get_absolute_url())
    collection = automation.collection
    assert collection is not None  # automation_has_one_scope
    home = collection.project or collection.registry
    assert home is not None  # collection_in_a_project_or_a_registry
    return Shown("package", _("Collection"), f"{home.name}/{collection.name}", collection.get_absolute_url())


def places(user: User, text: str) -> list[Group]:
    """Where the user may make automations, the names of which hold the text. Four queries, however many there are."""
    projects = _projects(user).filter(Q(name__icontains=text) | Q(team__name__icontains=text))
    registries = _registries(user).filter(Q(name__icontains=text) | Q(organization__name__icontains=text))
    groups = [
        _group(_("Projects"), projects.select_related("team").order_by("team__name", "name"), "folder", "project"),
        _group(
            _("Registries"),
            registries.select_related("organization").order_by("organization__name", "name"),
            "registry",
            "registry",
        ),
        _group(_("Teams, for all their projects"), _teams(user).filter(name__icontains=text), "users", "team"),
        _group(
            _("Organizations, for all their teams and registries"),
            _organizations(user).filter(name__icontains=text),
            "users",
            "organization",
        ),
    ]
    return [group for group in groups if group.places]


def _group(
    label: str,
    found: QuerySet[Project] | QuerySet[Registry] | QuerySet[Team] | QuerySet[Organization],
    icon: str,
    kind: str,
) -> Group:
    rows: list[Project | Registry | Team | Organization] = list(found[: OFFERED + 1])
    address = f"automations:{kind}_new_automation"
    shown = []
    for row in rows[:OFFERED]:
        names = _path(row)
        shown.append(Shown(icon, str(ScopeKind(kind).label), "/".join(names), reverse(address, args=names)))
    return Group(label, shown, more=len(rows) > OFFERED)


def _path(place: Project | Registry | Team | Organization) -> list[str]:
    if isinstance(place, Project):
        return [place.team.name, place.name]
    if isinstance(place, Registry):
        return [place.organization.name, place.name]
    return [place.name]


def _organizations(user: User) -> QuerySet[Organization]:
    """Those the user is an admin of."""
    found = Organization.objects.order_by("name")
    if user.is_superuser:
        return found
    admins = OrganizationMember.objects.filter(user=user, role=Role.ADMIN)
    return found.filter(pk__in=admins.values("organization"))


def _teams(user: User) -> QuerySet[Team]:
    """Those whose automations the user may edit: as an admin, or as a member where the team lets members."""
    found = Team.objects.order_by("name")
    if user.is_superuser:
        return found
    member = TeamMember.objects.filter(user=user, role=Role.MEMBER)
    return found.filter(
        Q(pk__in=administered_teams(user).values("pk")) | Q(pk__in=member.values("team"), members_edit_automations=True)
    )


def _projects(user: User) -> QuerySet[Project]:
    return Project.objects.filter(team__in=_teams(user).order_by())


def _registries(user: User) -> QuerySet[Registry]:
    """Those whose automations the user may edit."""
    return Registry.objects.in_which(user, least=NEEDED_ROLE[Permission.EDIT_AUTOMATIONS])
