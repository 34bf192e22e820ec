"""Aliases of a registry that only its admins add, move or remove."""

from __future__ import annotations

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from projects.api.endpoints import Endpoint
from projects.api.pagination import ByName
from projects.api.problems import naming
from registries import access, curation
from registries.access import Permission
from registries.api.serializers import NewAliasSerializer, ProtectedAliasSerializer
from registries.models import ProtectedAlias


class ProtectedAliases(Endpoint):
    pagination_class = ByName

    @extend_schema(summary="List protected aliases", responses=ProtectedAliasSerializer(many=True))
    def get(self, request: Request, organization: str, registry: str) -> Response:
        """Aliases that only admins of the registry add, move or remove, by name."""
        found = access.registry_for(self.user, organization, registry)
        return self.page(ProtectedAlias.objects.filter(registry=found), ProtectedAliasSerializer)

    @extend_schema(
        summary="Protect an alias",
        request=NewAliasSerializer,
        responses={200: ProtectedAliasSerializer, 201: ProtectedAliasSerializer},
    )
    def post(self, request: Request, organization: str, registry: str) -> Response:
        """For admins of the registry. 200 if it is protected already."""
        found = access.registry_for(self.user, organization, registry)
        access.require(self.user, Permission.EDIT_SETTINGS, found)
        name = self.body(NewAliasSerializer)["alias"]
        with naming("alias"):
            is_new = curation.protect_alias(found, name, by=self.user)
        protected = ProtectedAlias.objects.get(registry=found, name=name)
        return Response(ProtectedAliasSerializer(protected).data, status=201 if is_new else 200)


class OneProtectedAlias(Endpoint):
    @extend_schema(summary="Stop protecting an alias", responses={204: None})
    def delete(self, request: Request, organization: str, registry: str, alias: str) -> Response:
        """For admins of the registry. Versions that have the alias keep it."""
        found = access.registry_for(self.user, organization, registry)
        access.require(self.user, Permission.EDIT_SETTINGS, found)
        if not curation.unprotect_alias(found, alias, by=self.user):
            raise Http404(f"The alias “{alias}” is not protected in {found}.")
        return Response(status=204)
