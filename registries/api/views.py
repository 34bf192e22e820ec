"""Registries, their collections, and the links to versions of projects."""

from __future__ import annotations

from http import HTTPStatus

from django.core.exceptions import ValidationError
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from projects.api.endpoints import Endpoint
from projects.api.pagination import ByName
from projects.api.problems import Taken, answers_with, naming
from projects.api.roles import organization_for
from projects.models import Organization, User
from registries import access, linking, upkeep
from registries.access import Permission
from registries.api.serializers import (
    CollectionSerializer,
    NewCollectionSerializer,
    NewLinkSerializer,
    NewRegistrySerializer,
    RegistryChangesSerializer,
    RegistrySerializer,
    VersionSerializer,
)
from registries.api.versions import OneVersion, collection_at, show_version, version_at
from registries.models import Collection, Membership, Registry

answers_with(HTTPStatus.CONFLICT, linking.NotALink)


def version_named(user: User, name: str) -> Membership:
    """The version a body names as `team/project/collection:version`.

    Raises:
        ValidationError: it is not written like that, or there is none the user may see.
    """
    place, colon, version = name.rpartition(":")
    parts = place.split("/")
    if not colon or len(parts) != 3 or "\x00" in name:
        raise ValidationError({"version": f"“{name}” names no version. Write it as team/project/collection:v3."})
    path = {"team": parts[0], "project": parts[1], "collection": parts[2], "version": version}
    try:
        return version_at(user, path)
    except Http404 as error:
        raise ValidationError({"version": str(error)}) from error


class Registries(Endpoint):
    @extend_schema(summary="List registries", responses=RegistrySerializer(many=True))
    def get(self, request: Request) -> Response:
        """The registries you may see in all organizations, newest first."""
        rows = Registry.objects.visible_to(self.user).select_related("organization").prefetch_related("accepted_types")
        return self.page(rows, RegistrySerializer)


class OrganizationRegistries(Endpoint):
    pagination_class = ByName

    @extend_schema(
        operation_id="organization_registries_list",
        summary="List an organization's registries",
        responses=RegistrySerializer(many=True),
    )
    def get(self, request: Request, organization: str) -> Response:
        """The registries you may see in the organization, by name."""
        rows = Registry.objects.visible_to(self.user).filter(organization__name=organization)
        if not rows.exists():
            organization_for(self.user, organization)
        rows = rows.select_related("organization").prefetch_related("accepted_types")
        return self.page(rows, RegistrySerializer)

    @extend_schema(summary="Create a registry", request=NewRegistrySerializer, responses={201: RegistrySerializer})
    def post(self, request: Request, organization: str) -> Response:
        """For admins of the organization."""
        home = organization_for(self.user, organization)
        upkeep.require_organization_admin(self.user, home, _("create registries"))
        fields = self.body(NewRegistrySerializer)
        _refuse_taken(home, fields["name"])
        registry = upkeep.open_registry(home, fields.pop("name"), by=self.user, **fields)
        return Response(RegistrySerializer(registry).data, status=201)


class OneRegistry(Endpoint):
    @extend_schema(summary="Show a registry", responses=RegistrySerializer)
    def get(self, request: Request, organization: str, registry: str) -> Response:
        """One registry."""
        return Response(RegistrySerializer(access.registry_for(self.user, organization, registry)).data)

    @extend_schema(summary="Change a registry", request=RegistryChangesSerializer, responses=RegistrySerializer)
    def patch(self, request: Request, organization: str, registry: str) -> Response:
        """For admins of the registry; who sees it is changed by admins of the organization."""
        found = access.registry_for(self.user, organization, registry)
        access.require(self.user, Permission.EDIT_SETTINGS, found)
        fields = self.body(RegistryChangesSerializer, partial=True)
        if fields.get("name") not in {None, found.name}:
            _refuse_taken(found.organization, fields["name"])
        return Response(RegistrySerializer(upkeep.change(found, by=self.user, **fields)).data)

    @extend_schema(summary="Delete a registry", responses={204: None})
    def delete(self, request: Request, organization: str, registry: str) -> Response:
        """With its collections and links, for admins of the organization. Versions stay where they were logged."""
        upkeep.delete(access.registry_for(self.user, organization, registry), by=self.user)
        return Response(status=204)


def _refuse_taken(home: Organization, name: str) -> None:
    if Registry.objects.filter(organization=home, name=name).exists():
        raise Taken(f"There is a registry “{name}” in {home} already. Choose another name.")


class RegistryCollections(Endpoint):
    pagination_class = ByName

    @extend_schema(summary="List a registry's collections", responses=CollectionSerializer(many=True))
    def get(self, request: Request, organization: str, registry: str) -> Response:
        """The registry's collections, by name."""
        found = access.registry_for(self.user, organization, registry)
        rows = (
            Collection.objects.filter(registry=found).select_related("registry__organization").prefetch_related("tags")
        )
        return self.page(rows, CollectionSerializer)

    @extend_schema(
        summary="Create a collection", request=NewCollectionSerializer, responses={201: CollectionSerializer}
    )
    def post(self, request: Request, organization: str, registry: str) -> Response:
        """An empty collection to link versions of one type to."""
        found = access.registry_for(self.user, organization, registry)
        access.require(self.user, Permission.LINK, found)
        fields = self.body(NewCollectionSerializer)
        if Collection.objects.filter(registry=found, name=fields["name"]).exists():
            raise Taken(f"There is a collection “{fields['name']}” in {found} already. Choose another name.")
        collection = linking.create_collection(found, fields.pop("name"), **fields)
        return Response(CollectionSerializer(collection).data, status=201)


class Links(Endpoint):
    @extend_schema(
        summary="Link a version",
        request=NewLinkSerializer,
        responses={200: VersionSerializer, 201: VersionSerializer},
    )
    def post(self, request: Request, **path: str) -> Response:
        """It gets a number of its own here. Linking it again only adds the aliases, and answers 200."""
        collection = collection_at(self.user, path)
        access.require_labels(self.user, collection)
        fields = self.body(NewLinkSerializer)
        source = version_named(self.user, fields["version"])
        with naming("aliases"):
            version, is_new = linking.link(
                source,
                to=collection,
                by=self.user,
                at=timezone.now(),
                aliases=fields.get("aliases", ()),
            )
        return show_version(self.user, version, status=201 if is_new else 200)


class OneLinkedVersion(OneVersion):
    @extend_schema(summary="Unlink a version", responses={204: None})
    def delete(self, request: Request, **path: str) -> Response:
        """Takes it out of the registry; where it was logged it stays."""
        version = version_at(self.user, path)
        access.require_labels(self.user, version.collection)
        linking.unlink(version, by=self.user, at=timezone.now())
        return Response(status=204)
