"""Who one is, and the teams, organizations and projects one may see."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import resolve
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from projects import access, teams
from projects.access import Permission
from projects.api.endpoints import Endpoint
from projects.api.pagination import ByName
from projects.api.problems import Taken, not_found
from projects.api.roles import organizations_with_roles, teams_with_roles
from projects.api.serializers import (
    MeSerializer,
    NewProjectSerializer,
    OrganizationSerializer,
    ProjectSerializer,
    TeamChangesSerializer,
    TeamSerializer,
)
from projects.models import Project


class Me(Endpoint):
    @extend_schema(summary="Who am I?", responses=MeSerializer)
    def get(self, request: Request) -> Response:
        """The user the key or session belongs to, with their teams and roles."""
        most = ByName.max_page_size
        context = {
            "teams": teams_with_roles(self.user)[:most],
            "organizations": organizations_with_roles(self.user)[:most],
        }
        return Response(MeSerializer(self.user, context=context).data)


class Teams(Endpoint):
    pagination_class = ByName

    @extend_schema(summary="List teams", responses=TeamSerializer(many=True))
    def get(self, request: Request) -> Response:
        """The teams you may see, your personal one among them, by name."""
        return self.page(teams_with_roles(self.user), TeamSerializer, user=self.user)


class OneTeam(Endpoint):
    @extend_schema(summary="Show a team", responses=TeamSerializer)
    def get(self, request: Request, team: str) -> Response:
        """One team, with your role in it."""
        return self._shown(team)

    @extend_schema(summary="Change a team", request=TeamChangesSerializer, responses=TeamSerializer)
    def patch(self, request: Request, team: str) -> Response:
        """In which language its e-mails and Slack messages are written. For admins of the team."""
        found = access.team_for(self.user, team)
        teams.set_language(found, self.body(TeamChangesSerializer)["language"], by=self.user)
        return self._shown(team)

    def _shown(self, team: str) -> Response:
        found = teams_with_roles(self.user).filter(name=team).first()
        if found is None:
            raise Http404(f"There is no team “{team}”.")
        return Response(TeamSerializer(found, context={"user": self.user}).data)


class Organizations(Endpoint):
    pagination_class = ByName

    @extend_schema(summary="List organizations", responses=OrganizationSerializer(many=True))
    def get(self, request: Request) -> Response:
        """The organizations you are in, directly or through a team, by name."""
        return self.page(organizations_with_roles(self.user), OrganizationSerializer, user=self.user)


class Projects(Endpoint):
    pagination_class = ByName

    @extend_schema(summary="List projects", responses=ProjectSerializer(many=True))
    def get(self, request: Request, team: str) -> Response:
        """The team's projects, by name."""
        found = access.team_for(self.user, team)
        return self.page(Project.objects.filter(team=found).select_related("team"), ProjectSerializer)

    @extend_schema(summary="Create a project", request=NewProjectSerializer, responses={201: ProjectSerializer})
    def post(self, request: Request, team: str) -> Response:
        """Scripts need not do this: starting a run in a project that does not exist makes it."""
        found = access.team_for(self.user, team)
        access.require(self.user, Permission.LOG, found)
        fields = self.body(NewProjectSerializer)
        if Project.objects.filter(team=found, name=fields["name"]).exists():
            raise Taken(f"There is a project “{fields['name']}” in {found} already. Choose another name.")
        project = teams.create_project(team=found, **fields)
        return Response(ProjectSerializer(project).data, status=201)


class OneProject(Endpoint):
    @extend_schema(summary="Show a project", responses=ProjectSerializer)
    def get(self, request: Request, team: str, project: str) -> Response:
        """One project."""
        return Response(ProjectSerializer(access.project_for(self.user, team, project)).data)


@csrf_exempt
def nothing_here(request: HttpRequest) -> HttpResponse:
    """The answer for addresses of the API that do not exist: a problem document like all others."""
    advice = "/api/docs/ describes the addresses there are."
    if not request.path.endswith("/") and resolve(f"{request.path}/").func is not nothing_here:
        advice = "The addresses of this API end with a slash."
    return not_found(f"There is nothing at {request.path[:200]}. {advice}")
