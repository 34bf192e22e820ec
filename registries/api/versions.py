"""Collections and versions, in projects and registries alike: the path says which of both."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max
from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from projects import access as projects_access
from projects.api.endpoints import Endpoint
from projects.api.pagination import ByName, NewestVersions
from projects.api.problems import answers_with
from projects.api.runs import project_to_log_to
from projects.models import Project, Run, User
from registries import access, artifacts, collections, uploads, versions
from registries.api.serializers import CollectionSerializer, NewVersionSerializer, VersionSerializer
from registries.models import Collection, Membership

answers_with(
    HTTPStatus.CONFLICT,
    artifacts.TypeConflict,
    artifacts.HoldsLinks,
    collections.LinkedElsewhere,
    uploads.NotPending,
    versions.HasAliases,
)


def collection_at(user: User, path: Mapping[str, str]) -> Collection:
    """The collection a path names, in a project or in a registry.

    Raises:
        Http404: it is not to be seen.
    """
    if "team" in path:
        return access.collection_for(user, path["collection"], project=(path["team"], path["project"]))
    home = (path["organization"], path["registry"])
    return access.collection_for(user, path["collection"], registry=home)


def version_at(user: User, path: Mapping[str, str]) -> Membership:
    """The version a path names by number, alias or `latest`.

    Raises:
        Http404: it is not to be seen.
    """
    return access.version_for(collection_at(user, path), path["version"])


def version_context(user: User, collection: Collection) -> dict[str, Any]:
    """What `VersionSerializer` needs to know about the collection and the reader."""
    versions = Membership.objects.filter(collection=collection)
    visible = {collection.project_id}
    if collection.is_linked:
        sources = versions.values("artifact__collection__project")
        visible = set(Project.objects.visible_to(user).filter(pk__in=sources).values_list("pk", flat=True))
    return {
        "latest_index": versions.aggregate(latest=Max("version_index"))["latest"],
        "visible_projects": visible,
    }


def show_version(user: User, membership: Membership, *, status: int = 200) -> Response:
    """The answer that describes one version."""
    context = version_context(user, membership.collection)
    return Response(VersionSerializer(membership, context=context).data, status=status)


class Artifacts(Endpoint):
    @extend_schema(summary="Log a version", request=NewVersionSerializer, responses={201: VersionSerializer})
    def post(self, request: Request, team: str, project: str) -> Response:
        """Adds the next version to a collection; project and collection are made if there are none yet."""
        with transaction.atomic():
            home = project_to_log_to(self.user, team, project)
            fields = self.body(NewVersionSerializer)
            fields["run"] = self._run(home, fields.get("run"))
            version = artifacts.log_version(home, by=self.user, at=timezone.now(), **fields)
        return show_version(self.user, version, status=201)

    def _run(self, project: Project, run_id: str | None) -> Run | None:
        if run_id is None:
            return None
        try:
            return projects_access.run_for(self.user, project.team.name, project.name, run_id)
        except Http404 as error:
            raise ValidationError({"run": str(error)}) from error


class ProjectCollections(Endpoint):
    pagination_class = ByName

    @extend_schema(summary="List collections", responses=CollectionSerializer(many=True))
    def get(self, request: Request, team: str, project: str) -> Response:
        """The project's artifact collections, by name."""
        found = projects_access.project_for(self.user, team, project)
        rows = Collection.objects.filter(project=found).select_related("project__team").prefetch_related("tags")
        return self.page(rows, CollectionSerializer)


class OneCollection(Endpoint):
    @extend_schema(summary="Show a collection", responses=CollectionSerializer)
    def get(self, request: Request, **path: str) -> Response:
        """One collection."""
        return Response(CollectionSerializer(collection_at(self.user, path)).data)


class Versions(Endpoint):
    pagination_class = NewestVersions

    @extend_schema(summary="List versions", responses=VersionSerializer(many=True))
    def get(self, request: Request, **path: str) -> Response:
        """The collection's versions, newest first."""
        collection = collection_at(self.user, path)
        context = version_context(self.user, collection)
        return self.page(access.memberships_of(collection), VersionSerializer, **context)


class OneVersion(Endpoint):
    @extend_schema(summary="Show a version", responses=VersionSerializer)
    def get(self, request: Request, **path: str) -> Response:
        """One version, by number (`v3`), by alias, or `latest`."""
        return show_version(self.user, version_at(self.user, path))
