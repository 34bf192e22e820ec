"""Automations, integrations and their history, for admins of the whole server.

What is edited here passes the same checks as everywhere else; what happened is only shown.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest

from automations import editing, schedules, webhooks
from automations.admin_forms import AutomationForm, WebhookForm, WithTeam
from automations.models import (
    Allowance,
    Attempt,
    Automation,
    AutomationSwitch,
    AutomationVersion,
    ChannelPost,
    Cooldown,
    Digest,
    Event,
    Execution,
    Notice,
    NoticeMail,
    NoticeReading,
    Purge,
    Redelivery,
    SlackChannel,
    SlackWorkspace,
    Webhook,
    WebhookHeader,
)
from projects.models import User
from projects.operators import OperatorAdmin, OperatorInline, RecordAdmin
from secrets_vault.models import Secret

# How webhooks and automations fare.
HEALTH = ["health", "failing_since", "last_success_at", "last_failure_at", "last_error"]
SCOPES = ["organization", "team", "project", "registry", "collection"]


class EditedByUser(OperatorAdmin):
    """Saves by a domain function that wants to know who asks; the form checks with the same user."""

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:  # noqa: FBT001, FBT002
        # A class of its own for each request, which may carry the user.
        form: Any = super().get_form(request, obj, change=change, **kwargs)
        form.by = request.user
        return form


@admin.register(Webhook)
class WebhookAdmin(EditedByUser):
    form = WebhookForm
    list_display = ["name", "team", "url", "health", "failing_since", "paused_at", "created_at"]
    list_filter = [("paused_at", admin.EmptyFieldListFilter), ("failing_since", admin.EmptyFieldListFilter)]
    search_fields = ["name", "url", "team__name"]
    autocomplete_fields = ["team"]
    related = ["team", "created_by"]
    actions = ["resume"]
    shown = ["paused_at", "paused_reason", *HEALTH, "created_by", "created_at"]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        edited = ["team", "name", "url", "access_token", "secret", "signature_encoding", "extra_headers"]
        return [*edited, *(self.shown if obj else [])]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["team", *self.shown] if obj else []

    def formfield_for_foreignkey(self, db_field: models.ForeignKey, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.remote_field.model is Secret:
            kwargs |= {
                "form_class": WithTeam,
                "queryset": Secret.objects.select_related("team").order_by("team", "name"),
            }
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: Webhook, form: Any, change: bool) -> None:  # noqa: FBT001
        saved = form.saved()
        obj.pk = saved.pk

    @admin.action(description="Resume selected webhooks")
    def resume(self, request: HttpRequest, chosen: QuerySet[Webhook]) -> None:
        by = request.user
        assert isinstance(by, User)  # the page is for operators
        for webhook in chosen:
            webhooks.resume(webhook, by=by)
            self.log_change(request, webhook, "Resumed.")
        self.message_user(request, f"Resumed: {', '.join(str(webhook) for webhook in chosen)}.")


@admin.register(WebhookHeader)
class WebhookHeaderAdmin(RecordAdmin):
    list_display = ["name", "webhook"]
    search_fields = ["name", "webhook__name"]
    related = ["webhook"]


@admin.register(SlackChannel)
class SlackChannelAdmin(RecordAdmin):
    """Only shown: a token is pasted in the team's settings, where nobody can read it again."""

    list_display = ["channel", "workspace", "team", "kind", "health", "last_error", "failing_since"]
    list_filter = ["kind", ("failing_since", admin.EmptyFieldListFilter)]
    search_fields = ["channel", "workspace", "team__name"]
    related = ["team", "connection", "credential", "created_by"]


@admin.register(SlackWorkspace)
class SlackWorkspaceAdmin(RecordAdmin):
    """Only shown: it is connected in the team's settings."""

    list_display = ["name", "workspace_id", "team", "bot_name", "created_at"]
    search_fields = ["name", "=workspace_id", "team__name"]
    related = ["team", "credential", "created_by"]


@admin.register(Automation)
class AutomationAdmin(EditedByUser):
    form = AutomationForm
    list_display = [
        "name",
        "scope_kind",
        "scope",
        "event_type",
        "action_kind",
        "enabled",
        "shadow",
        "health",
        "snoozed_until",
        "last_triggered_at",
    ]
    list_filter = ["enabled", "shadow", ("failing_since", admin.EmptyFieldListFilter), "event_type", "action_kind"]
    search_fields = ["name", "description", *(f"{scope}__name" for scope in SCOPES)]
    autocomplete_fields = SCOPES
    related = [
        "organization",
        "team",
        "project__team",
        "registry__organization",
        "collection__project__team",
        "collection__registry__organization",
        "webhook",
        "slack_channel",
        "created_by",
        "rearmed_by",
    ]
    actions = ["enable", "disable"]
    shown = [
        "snoozed_until",
        "created_by",
        "created_at",
        "updated_at",
        "last_triggered_at",
        *HEALTH,
        "rearmed_by",
        "rearmed_at",
    ]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        scope = [obj.scope_kind.value] if obj else SCOPES
        asked = ["event_type", "filter", "condition"]
        done = ["action_kind", "webhook", "payload", "slack_channel", "title", "message", "severity"]
        dates = self.shown if obj else []
        return [*scope, "name", "description", "enabled", "shadow", *asked, *done, *dates]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [*SCOPES, *self.shown] if obj else []

    def formfield_for_foreignkey(self, db_field: models.ForeignKey, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.remote_field.model is Webhook:
            kwargs |= {
                "form_class": WithTeam,
                "queryset": Webhook.objects.select_related("team").order_by("team", "name"),
            }
        if db_field.remote_field.model is SlackChannel:
            kwargs |= {
                "form_class": WithTeam,
                "queryset": SlackChannel.objects.select_related("team").order_by("team", "channel"),
            }
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: Automation, form: Any, change: bool) -> None:  # noqa: FBT001
        saved = form.saved()
        obj.pk = saved.pk

    @admin.action(description="Enable selected automations")
    def enable(self, request: HttpRequest, chosen: QuerySet[Automation]) -> None:
        self._switch(request, chosen, enabled=True)

    @admin.action(description="Disable selected automations")
    def disable(self, request: HttpRequest, chosen: QuerySet[Automation]) -> None:
        self._switch(request, chosen, enabled=False)

    def _switch(self, request: HttpRequest, chosen: QuerySet[Automation], *, enabled: bool) -> None:
        by = request.user
        assert isinstance(by, User)  # the page is for operators
        word = "Enabled" if enabled else "Disabled"
        for automation in chosen:
            editing.set_enabled(automation, enabled, by=by)
            self.log_change(request, automation, f"{word}.")
        self.message_user(request, f"{word}: {', '.join(str(automation) for automation in chosen)}.")


@admin.register(AutomationVersion)
class AutomationVersionAdmin(RecordAdmin):
    list_display = ["automation", "number", "created_by", "created_at"]
    search_fields = ["automation__name"]
    related = ["automation", "created_by"]


@admin.register(AutomationSwitch)
class AutomationSwitchAdmin(RecordAdmin):
    list_display = ["automation", "version", "field", "value", "until", "created_by", "created_at"]
    list_filter = ["field", "value"]
    search_fields = ["automation__name"]
    related = ["automation", "created_by"]


@admin.register(Event)
class EventAdmin(RecordAdmin):
    list_display = ["kind", "occurred_at", "project", "registry", "actor"]
    list_filter = ["kind", "occurred_at"]
    search_fields = ["=dedupe_key", "=run__run_id"]
    related = ["project__team", "registry__organization", "actor"]


class AttemptInline(OperatorInline):
    model = Attempt
    fields = ["number", "started_at", "duration", "status_code", "error"]
    readonly_fields = ["number", "started_at", "duration", "status_code", "error"]
    can_delete = False
    show_change_link = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Execution)
class ExecutionAdmin(RecordAdmin):
    list_display = ["key", "automation", "event", "status", "reason_code", "target", "created_at"]
    list_filter = ["status", "shadow", "reason_code", "created_at"]
    search_fields = ["=key", "automation__name", "target"]
    related = [
        "automation",
        "event",
        "project__team",
        "registry__organization",
        "webhook",
        "slack_channel",
        "origin",
        "redelivery",
        "cancelled_by",
    ]
    inlines = [AttemptInline]


@admin.register(Redelivery)
class RedeliveryAdmin(RecordAdmin):
    list_display = ["key", "content", "asked_by", "asked_at", "reason", "prepared_at", "cancelled_at"]
    list_filter = ["content", "asked_at"]
    search_fields = ["=key", "asked_by__username", "reason"]
    related = ["project__team", "registry__organization", "asked_by", "cancelled_by"]


@admin.register(Attempt)
class AttemptAdmin(RecordAdmin):
    list_display = ["execution", "number", "started_at", "duration", "status_code", "error"]
    list_filter = ["status_code", "started_at"]
    search_fields = ["=execution__key", "url"]
    related = ["execution"]


@admin.register(Notice)
class NoticeAdmin(RecordAdmin):
    list_display = ["__str__", "kind", "place", "opened_at", "closed_at", "times"]
    list_filter = ["kind", ("closed_at", admin.EmptyFieldListFilter), "opened_at"]
    search_fields = ["webhook__name", "slack_channel__channel", "automation__name"]
    related = [
        "webhook",
        "slack_channel",
        "automation",
        "team",
        "registry__organization",
        "organization",
        "execution",
        "closed_by",
    ]


@admin.register(NoticeReading)
class NoticeReadingAdmin(RecordAdmin):
    list_display = ["notice", "user", "read_at"]
    search_fields = ["user__username"]
    related = ["notice__webhook", "notice__slack_channel", "notice__automation", "user"]


@admin.register(NoticeMail)
class NoticeMailAdmin(RecordAdmin):
    list_display = ["notice", "user", "said", "due_at", "attempts", "sent_at"]
    list_filter = [("sent_at", admin.EmptyFieldListFilter), "said"]
    search_fields = ["user__username"]
    related = ["notice__webhook", "notice__slack_channel", "notice__automation", "user"]


@admin.register(Purge)
class PurgeAdmin(RecordAdmin):
    """What the task that deletes old history did; when it runs next is in the queue's schedule, too."""

    list_display = ["started_at", "seconds", "executions", "events", "notices", "complete", "executions_before"]
    readonly_fields = ["next_run"]

    @admin.display(description="The next one")
    def next_run(self, purge: Purge) -> datetime | None:
        return schedules.next_run("automations.tasks.purge_history")


@admin.register(Cooldown)
class CooldownAdmin(RecordAdmin):
    list_display = ["automation", "run", "state", "fired_at", "surplus"]
    search_fields = ["automation__name", "=run__run_id"]
    related = ["automation", "run__project__team"]


@admin.register(Digest)
class DigestAdmin(RecordAdmin):
    list_display = ["key", "channel", "reason", "opened_at", "due_at", "finished_at"]
    list_filter = ["reason", ("finished_at", admin.EmptyFieldListFilter)]
    search_fields = ["=key", "channel__channel"]
    related = ["channel__team"]


@admin.register(ChannelPost)
class ChannelPostAdmin(RecordAdmin):
    list_display = ["channel", "at", "execution"]
    search_fields = ["channel__channel"]
    related = ["channel__team", "execution"]


@admin.register(Allowance)
class AllowanceAdmin(RecordAdmin):
    list_display = ["automation", "minute_began_at", "in_minute", "hour_began_at", "in_hour"]
    search_fields = ["automation__name"]
    related = ["automation"]
