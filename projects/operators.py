"""What the admin pages of every application have in common: they are for admins of the whole server."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any, cast

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.db import models
from django.db.models.deletion import Collector, ProtectedError, RestrictedError
from django.http import HttpRequest

from projects import audit
from projects.models import Organization, Team, User


class OperatorAdmin(admin.ModelAdmin):
    """Pages for superusers alone: to other staff, what a team did not show them does not exist (AZ1).

    `related` names what a row's columns and names need, so that no list asks again for each row.
    """

    related: Sequence[str] = ()
    # Counting a big table a second time, to say how many rows the filter left out, is not worth the wait.
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> models.QuerySet:
        rows = super().get_queryset(request)
        return rows.select_related(*self.related) if self.related else rows

    def has_module_permission(self, request: HttpRequest) -> bool:
        return _is_operator(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_operator(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return _is_operator(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_operator(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_operator(request)

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """What goes along, as counts: a project may hold millions of rows, too many to list or to load."""
        collector = Collector(using=self.model.objects.db, origin=objs)
        protected: list[str] = []
        try:
            collector.collect(objs)
        except ProtectedError as error:
            protected = sorted(_named(row) for row in error.protected_objects)
        except RestrictedError as error:
            protected = sorted(_named(row) for row in error.restricted_objects)
        counts: Counter[str] = Counter()
        for model, rows in collector.data.items():
            counts[str(model._meta.verbose_name_plural)] += len(rows)
        for query in collector.fast_deletes:
            counts[str(query.model._meta.verbose_name_plural)] += query.count()
        return [_named(row) for row in objs], dict(counts), set(), protected


class AuditedAdmin(OperatorAdmin):
    """Pages that write rows themselves, where others call the domain: what was changed goes into the audit log, as
    names of fields without their values."""

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        self._record(request, obj, audit.Deed.CREATED, message)
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        # Saved without a change: an empty list.
        if message:
            self._record(request, obj, audit.Deed.CHANGED, message)
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        for obj in queryset:
            self._record(request, obj, audit.Deed.DELETED, "")
        return super().log_deletions(request, queryset)

    def _record(self, request: HttpRequest, obj: models.Model, deed: audit.Deed, message: Any) -> None:
        said = LogEntry(change_message=message if isinstance(message, str) else json.dumps(message))
        audit.record(
            audit.ADMIN_PAGE,
            deed,
            name=_named(obj),
            pk=obj.pk,
            by=acting(request),
            after={"change": str(said.get_change_message())},
            **_place_of(obj),
        )


class RecordAdmin(OperatorAdmin):
    """Pages that only show: what happened is not edited."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class OperatorInline(admin.TabularInline):
    """Rows on the page of what they belong to."""

    extra = 0

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_operator(request)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_operator(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_operator(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_operator(request)


def _is_operator(request: HttpRequest) -> bool:
    return bool(request.user.is_active and request.user.is_superuser)


def acting(request: HttpRequest) -> User:
    """Who uses the admin pages."""
    return cast("User", request.user)


def _place_of(row: models.Model) -> dict[str, Any]:
    """The team or organization that a row belongs to."""
    if isinstance(row, Team):
        return {"team": row}
    if isinstance(row, Organization):
        return {"organization": row}
    for name in ("team", "registry", "project", "organization"):
        owner = getattr(row, name, None)
        if owner is not None:
            return _place_of(owner)
    return {}


def _named(row: models.Model) -> str:
    return f"{str(row._meta.verbose_name).capitalize()}: {row}"
