"""What the admin pages of every application have in common: they are for admins of the whole server."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db import models
from django.db.models.deletion import Collector, ProtectedError, RestrictedError
from django.http import HttpRequest


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


def _named(row: models.Model) -> str:
    return f"{str(row._meta.verbose_name).capitalize()}: {row}"
