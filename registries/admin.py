"""Collections, versions and registries, for admins of the whole server.

Versions, their aliases and their tags are only shown: they change by the functions that announce it, so that
automations hear of every change.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from projects.operators import AuditedAdmin, OperatorInline, RecordAdmin
from registries.models import (
    AcceptedType,
    Alias,
    Artifact,
    ArtifactFile,
    ArtifactManifest,
    ArtifactUse,
    Collection,
    CollectionKind,
    CollectionTag,
    Membership,
    ProtectedAlias,
    Registry,
    RegistryMember,
    RegistryTeam,
    Tag,
)


class RegistryMemberInline(OperatorInline):
    model = RegistryMember
    autocomplete_fields = ["user"]


class AcceptedTypeInline(OperatorInline):
    model = AcceptedType


class ProtectedAliasInline(OperatorInline):
    model = ProtectedAlias


@admin.register(Registry)
class RegistryAdmin(AuditedAdmin):
    list_display = ["name", "organization", "visibility", "created_at"]
    search_fields = ["name", "organization__name"]
    autocomplete_fields = ["organization"]
    inlines = [RegistryMemberInline, AcceptedTypeInline, ProtectedAliasInline]
    related = ["organization"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["organization"] if obj else []


@admin.register(RegistryMember)
class RegistryMemberAdmin(AuditedAdmin):
    list_display = ["user", "registry", "role"]
    list_filter = ["role"]
    search_fields = ["user__username", "registry__name"]
    autocomplete_fields = ["user", "registry"]
    related = ["user", "registry__organization"]


@admin.register(RegistryTeam)
class RegistryTeamAdmin(AuditedAdmin):
    list_display = ["team", "registry", "role"]
    list_filter = ["role"]
    search_fields = ["team__name", "registry__name"]
    autocomplete_fields = ["team", "registry"]
    related = ["team", "registry__organization"]


@admin.register(AcceptedType)
class AcceptedTypeAdmin(AuditedAdmin):
    list_display = ["name", "registry"]
    search_fields = ["name", "registry__name"]
    autocomplete_fields = ["registry"]
    related = ["registry__organization"]


@admin.register(ProtectedAlias)
class ProtectedAliasAdmin(AuditedAdmin):
    list_display = ["name", "registry"]
    search_fields = ["name", "registry__name"]
    autocomplete_fields = ["registry"]
    related = ["registry__organization"]


class CollectionForm(forms.ModelForm):
    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if self.instance.pk is None:
            homes = [self.cleaned_data.get("project"), self.cleaned_data.get("registry")]
            if homes.count(None) != 1:
                raise ValidationError("Choose the project or the registry that holds the collection, and only one.")
            if self.cleaned_data.get("registry"):
                self.instance.kind = CollectionKind.PORTFOLIO
        return cleaned


@admin.register(Collection)
class CollectionAdmin(AuditedAdmin):
    form = CollectionForm
    list_display = ["name", "type", "project", "registry", "created_at"]
    search_fields = ["name", "type", "project__name", "registry__name"]
    fields = ["project", "registry", "name", "type", "description"]
    autocomplete_fields = ["project", "registry"]
    related = ["project__team", "registry__organization"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        # A version is of its collection's type, where it is logged and where it is linked.
        return ["project", "registry", "type"] if obj else []


@admin.register(CollectionTag)
class CollectionTagAdmin(RecordAdmin):
    list_display = ["name", "collection"]
    search_fields = ["name", "collection__name"]
    related = ["collection__project__team", "collection__registry__organization"]


@admin.register(Artifact)
class ArtifactAdmin(RecordAdmin):
    list_display = ["pk", "collection", "user", "created_at"]
    list_filter = ["created_at"]
    search_fields = ["collection__name", "digest"]
    related = ["collection__project__team", "collection__registry__organization", "user", "run__project__team"]


@admin.register(ArtifactFile)
class ArtifactFileAdmin(RecordAdmin):
    list_display = ["path", "artifact", "size"]
    search_fields = ["path", "artifact__collection__name"]
    related = ["artifact__collection__project__team", "artifact__collection__registry__organization", "blob"]


@admin.register(ArtifactManifest)
class ArtifactManifestAdmin(RecordAdmin):
    list_display = ["artifact", "md5"]
    search_fields = ["artifact__collection__name", "md5"]
    related = ["artifact__collection__project__team", "artifact__collection__registry__organization", "blob", "base"]


@admin.register(ArtifactUse)
class ArtifactUseAdmin(RecordAdmin):
    list_display = ["run", "artifact", "created_at"]
    search_fields = ["run__run_id", "artifact__collection__name"]
    related = [
        "run__project__team",
        "artifact__collection__project__team",
        "artifact__collection__registry__organization",
    ]


@admin.register(Membership)
class MembershipAdmin(RecordAdmin):
    list_display = ["version", "collection", "artifact", "user", "created_at"]
    search_fields = ["collection__name"]
    related = [
        "collection__project__team",
        "collection__registry__organization",
        "artifact__collection__project__team",
        "artifact__collection__registry__organization",
        "user",
    ]


@admin.register(Alias)
class AliasAdmin(RecordAdmin):
    list_display = ["name", "membership", "created_at"]
    search_fields = ["name", "collection__name"]
    related = [
        "collection__project__team",
        "collection__registry__organization",
        "membership__collection__project__team",
        "membership__collection__registry__organization",
    ]


@admin.register(Tag)
class TagAdmin(RecordAdmin):
    list_display = ["name", "artifact"]
    search_fields = ["name", "artifact__collection__name"]
    related = ["artifact__collection__project__team", "artifact__collection__registry__organization"]
