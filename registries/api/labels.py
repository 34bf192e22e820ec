"""Aliases and tags of versions, and tags of collections, in projects and registries alike."""

from __future__ import annotations

from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from projects.api.endpoints import Endpoint
from projects.api.problems import naming
from projects.models import User
from registries import access, labels
from registries.api.serializers import (
    CollectionSerializer,
    NewAliasSerializer,
    NewTagSerializer,
    VersionSerializer,
)
from registries.api.versions import collection_at, show_version, version_at
from registries.models import Collection, Membership


def version_to_label(user: User, path: dict[str, str]) -> Membership:
    """The version a path names, for somebody who may change its aliases and tags.

    Raises:
        Http404: it is not to be seen.
        PermissionDenied: the user may only look.
    """
    version = version_at(user, path)
    access.require_labels(user, version.collection)
    return version


class Aliases(Endpoint):
    @extend_schema(
        summary="Add an alias",
        request=NewAliasSerializer,
        responses={200: VersionSerializer, 201: VersionSerializer},
    )
    def post(self, request: Request, **path: str) -> Response:
        """The alias moves here from the version of the collection that had it. 200 if it was here before."""
        version = version_to_label(self.user, path)
        name = self.body(NewAliasSerializer)["alias"]
        with naming("alias"):
            added = labels.add_alias(version, name, by=self.user, at=timezone.now())
        return show_version(
            self.user, version_at(self.user, path | {"version": version.version}), status=201 if added else 200
        )


class OneAlias(Endpoint):
    @extend_schema(summary="Remove an alias", responses={204: None})
    def delete(self, request: Request, alias: str, **path: str) -> Response:
        """Take the alias from this version."""
        version = version_to_label(self.user, path)
        if not labels.remove_alias(version, alias, by=self.user):
            raise Http404(f"{version} has no alias “{alias}”.")
        return Response(status=204)


class Tags(Endpoint):
    @extend_schema(
        summary="Add a tag",
        request=NewTagSerializer,
        responses={200: VersionSerializer, 201: VersionSerializer},
    )
    def post(self, request: Request, **path: str) -> Response:
        """Tag the version. 200 if it had the tag before."""
        version = version_to_label(self.user, path)
        name = self.body(NewTagSerializer)["tag"]
        with naming("tag"):
            added = labels.add_tag(version, name, by=self.user, at=timezone.now())
        return show_version(self.user, version_at(self.user, path), status=201 if added else 200)


class OneTag(Endpoint):
    @extend_schema(summary="Remove a tag", responses={204: None})
    def delete(self, request: Request, tag: str, **path: str) -> Response:
        """Take the tag from this version."""
        version = version_to_label(self.user, path)
        if not labels.remove_tag(version, tag, by=self.user, at=timezone.now()):
            raise Http404(f"{version} has no tag “{tag}”.")
        return Response(status=204)


def collection_to_label(user: User, path: dict[str, str]) -> Collection:
    """The collection a path names, for somebody who may change its tags.

    Raises:
        Http404: it is not to be seen.
        PermissionDenied: the user may only look.
    """
    collection = collection_at(user, path)
    access.require_labels(user, collection)
    return collection


class CollectionTags(Endpoint):
    @extend_schema(
        summary="Add a tag to a collection",
        request=NewTagSerializer,
        responses={200: CollectionSerializer, 201: CollectionSerializer},
    )
    def post(self, request: Request, **path: str) -> Response:
        """Tag the collection as a whole. 200 if it had the tag before."""
        collection = collection_to_label(self.user, path)
        name = self.body(NewTagSerializer)["tag"]
        with naming("tag"):
            added = labels.tag_collection(collection, [name], by=self.user, at=timezone.now())
        return Response(CollectionSerializer(collection).data, status=201 if added else 200)


class OneCollectionTag(Endpoint):
    @extend_schema(summary="Remove a tag from a collection", responses={204: None})
    def delete(self, request: Request, tag: str, **path: str) -> Response:
        """Take the tag from the collection."""
        collection = collection_to_label(self.user, path)
        if not labels.untag_collection(collection, [tag], by=self.user, at=timezone.now()):
            raise Http404(f"{collection} has no tag “{tag}”.")
        return Response(status=204)
