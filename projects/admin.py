"""People, places, runs and keys, for admins of the whole server."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from projects import keys
from projects.models import (
    ApiKey,
    AuditRecord,
    Blob,
    ChosenColumns,
    ConsoleChunk,
    DrawnUpTo,
    Invitation,
    MetricChunk,
    MetricCurve,
    MetricWindow,
    Organization,
    OrganizationMember,
    Project,
    Run,
    RunAlert,
    RunFile,
    Team,
    TeamMember,
    User,
)
from projects.operators import AuditedAdmin, OperatorAdmin, OperatorInline, RecordAdmin, acting


@admin.register(User)
class PersonAdmin(AuditedAdmin, UserAdmin):
    list_display = ["username", "email", "is_active", "is_staff", "is_superuser", "last_login"]
    list_filter = ["is_active", "is_superuser"]
    search_fields = ["username", "email", "first_name", "last_name"]
    filter_horizontal = ()
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "email")}),
        ("May sign in", {"fields": ("is_active", "is_staff", "is_superuser")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        # The personal team carries the user's name, and scripts carry the team's.
        return ("username", "last_login", "date_joined") if obj else ()


class OrganizationMemberInline(OperatorInline):
    model = OrganizationMember
    autocomplete_fields = ["user"]


@admin.register(Organization)
class OrganizationAdmin(AuditedAdmin):
    list_display = ["name", "created_at"]
    search_fields = ["name"]
    inlines = [OrganizationMemberInline]


@admin.register(OrganizationMember)
class OrganizationMemberAdmin(AuditedAdmin):
    list_display = ["user", "organization", "role"]
    list_filter = ["role"]
    search_fields = ["user__username", "organization__name"]
    autocomplete_fields = ["user", "organization"]
    related = ["user", "organization"]


class TeamForm(forms.ModelForm):
    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        organization = self.cleaned_data.get("organization")
        if self.instance.is_personal and organization:
            raise ValidationError({"organization": "A personal team belongs to its owner, to no organization."})
        if not self.instance.is_personal and not organization:
            raise ValidationError({"organization": "Choose the organization the team belongs to."})
        return cleaned


class TeamMemberForm(forms.ModelForm):
    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        team = self.cleaned_data.get("team")
        if team is not None and team.is_personal:
            raise ValidationError({"team": f"{team} is a personal team: its owner is its only member."})
        return cleaned


class TeamMemberInline(OperatorInline):
    model = TeamMember
    autocomplete_fields = ["user"]


@admin.register(Team)
class TeamAdmin(AuditedAdmin):
    form = TeamForm
    list_display = ["name", "organization", "owner", "members_edit_automations", "created_at"]
    list_filter = ["members_edit_automations"]
    search_fields = ["name", "organization__name"]
    fields = ["name", "organization", "owner", "members_edit_automations", "language"]
    readonly_fields = ["owner"]
    autocomplete_fields = ["organization"]
    related = ["organization", "owner"]

    def get_inlines(self, request: HttpRequest, obj: Any) -> list[Any]:
        # A personal team has its owner as only member, which is nothing to edit.
        return [] if obj and obj.is_personal else [TeamMemberInline]

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        deleted, counts, permissions, protected = super().get_deleted_objects(objs, request)
        personal = [f"Personal team: {team} (it goes with its user)" for team in objs if team.is_personal]
        return deleted, counts, permissions, protected + personal


@admin.register(TeamMember)
class TeamMemberAdmin(AuditedAdmin):
    form = TeamMemberForm
    list_display = ["user", "team", "role"]
    list_filter = ["role"]
    search_fields = ["user__username", "team__name"]
    autocomplete_fields = ["user", "team"]
    related = ["user", "team"]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and not (obj and obj.team.is_personal)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and not (obj and obj.team.is_personal)


@admin.register(ApiKey)
class ApiKeyAdmin(OperatorAdmin):
    """A key is made by the server and shown once; afterwards only its name changes, or it is revoked."""

    list_display = ["hint", "user", "name", "created_at", "last_used_at", "revoked_at"]
    search_fields = ["=hint", "name", "user__username"]
    autocomplete_fields = ["user"]
    related = ["user"]
    actions = ["revoke"]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        kept = ["hint", "created_at", "last_used_at", "revoked_at"]
        return ["user", "name", *kept] if obj else ["user", "name"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["user", "hint", "created_at", "last_used_at", "revoked_at"] if obj else []

    def save_model(self, request: HttpRequest, obj: ApiKey, form: forms.ModelForm, change: bool) -> None:  # noqa: FBT001
        if change:
            obj.save(update_fields=["name"])
            return
        made, key = keys.create(obj.user, by=acting(request), name=obj.name)
        obj.pk = made.pk
        obj.refresh_from_db()
        self.message_user(request, f"The API key of {obj.user} is {key} – it is shown only now.", messages.WARNING)

    @admin.action(description="Revoke selected API keys")
    def revoke(self, request: HttpRequest, chosen: QuerySet[ApiKey]) -> None:
        for key in chosen:
            keys.revoke(key, by=acting(request), at=timezone.now())
            self.log_change(request, key, "Revoked.")
        self.message_user(request, f"Revoked: {', '.join(str(key) for key in chosen)}.")


@admin.register(AuditRecord)
class AuditRecordAdmin(RecordAdmin):
    list_display = ["at", "actor_name", "deed", "kind", "object_name", "place"]
    list_filter = ["kind", "deed", "at"]
    search_fields = ["actor_name", "object_name", "place"]


@admin.register(Invitation)
class InvitationAdmin(RecordAdmin):
    list_display = ["team", "email", "role", "invited_by", "created_at", "expires_at", "accepted_by", "revoked_at"]
    search_fields = ["email", "team__name", "invited_by__username"]
    related = ["team", "invited_by", "accepted_by"]


@admin.register(Project)
class ProjectAdmin(AuditedAdmin):
    list_display = ["name", "team", "created_at"]
    search_fields = ["name", "team__name"]
    fields = ["team", "name", "description"]
    autocomplete_fields = ["team"]
    related = ["team"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["team"] if obj else []


@admin.register(Run)
class RunAdmin(RecordAdmin):
    """Runs are written by their scripts. They may be deleted here, with all they logged."""

    list_display = ["run_id", "display_name", "project", "state", "user", "created_at", "heartbeat_at"]
    list_filter = ["state", "created_at"]
    search_fields = ["run_id", "display_name", "project__name"]
    related = ["project__team", "user"]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return OperatorAdmin.has_delete_permission(self, request, obj)


@admin.register(MetricChunk)
class MetricChunkAdmin(RecordAdmin):
    list_display = ["run", "stream", "first_line", "line_count", "created_at"]
    list_filter = ["stream"]
    search_fields = ["=run__run_id"]
    exclude = ["payload"]
    related = ["run__project__team"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[MetricChunk]:
        return super().get_queryset(request).defer("payload")


@admin.register(MetricWindow)
class MetricWindowAdmin(RecordAdmin):
    list_display = ["run", "metric", "capacity", "next_line"]
    search_fields = ["=run__run_id", "metric"]
    exclude = ["values"]
    related = ["run__project__team"]


@admin.register(MetricCurve)
class MetricCurveAdmin(RecordAdmin):
    list_display = ["run", "metric"]
    search_fields = ["=run__run_id", "metric"]
    exclude = ["payload"]
    related = ["run__project__team"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[MetricCurve]:
        return super().get_queryset(request).defer("payload")


@admin.register(DrawnUpTo)
class DrawnUpToAdmin(RecordAdmin):
    """How far the curves of plots go."""

    list_display = ["run", "stream", "line", "arrived_at"]
    list_filter = ["stream"]
    search_fields = ["=run__run_id"]
    related = ["run__project__team"]


@admin.register(ChosenColumns)
class ChosenColumnsAdmin(RecordAdmin):
    """What somebody wishes to see in the table of a project's runs."""

    list_display = ["user", "project", "columns"]
    search_fields = ["=user__username", "=project__name"]
    related = ["user", "project__team"]


@admin.register(ConsoleChunk)
class ConsoleChunkAdmin(RecordAdmin):
    list_display = ["run", "first_line", "line_count", "created_at"]
    search_fields = ["=run__run_id"]
    exclude = ["payload"]
    related = ["run__project__team"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[ConsoleChunk]:
        return super().get_queryset(request).defer("payload")


@admin.register(RunAlert)
class RunAlertAdmin(RecordAdmin):
    list_display = ["title", "level", "run", "count", "raised_at"]
    list_filter = ["level"]
    search_fields = ["title", "=run__run_id"]
    related = ["run__project__team"]


@admin.register(RunFile)
class RunFileAdmin(RecordAdmin):
    list_display = ["name", "run", "blob", "updated_at"]
    search_fields = ["name", "=run__run_id"]
    related = ["run__project__team", "blob"]


@admin.register(Blob)
class BlobAdmin(RecordAdmin):
    """Bytes go by themselves when nothing uses them any more."""

    list_display = ["sha256", "team", "size", "created_at"]
    search_fields = ["=sha256", "=md5", "team__name"]
    related = ["team"]
