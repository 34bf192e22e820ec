"""Cursor pagination: pages stay right while rows are added, and the last one costs what the first does."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from rest_framework.exceptions import NotFound
from rest_framework.pagination import CursorPagination

STALE = "This cursor is unknown. Begin again without “cursor”, and follow “next” of the answers."

NEXT = "https://automations.example.com/api/teams/?cursor=cD1yZXNlYXJjaA%3D%3D"


class Newest(CursorPagination):
    """Lists come newest first, a page at a time; `next` in the answer is the address of the next page."""

    ordering: Any = "-pk"
    page_size_query_param = "page_size"
    max_page_size = 500
    invalid_cursor_message = STALE

    def paginate_queryset(self, queryset: Any, request: Any, view: Any = None) -> list[Any] | None:
        """One page.

        Raises:
            NotFound: the cursor was not made by this list.
        """
        try:
            return super().paginate_queryset(queryset, request, view)
        except (ValueError, OverflowError, ValidationError) as error:
            # The position inside the cursor is not of the type the list is ordered by.
            raise NotFound(STALE) from error

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """How OpenAPI 3.1 describes a page; the framework's own words are those of 3.0."""
        address = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["results", "next", "previous"],
            "properties": {
                "next": address | {"description": "Address of the next page.", "example": NEXT},
                "previous": address | {"description": "Address of the page before.", "example": None},
                "results": schema,
            },
        }

    def decode_cursor(self, request: Any) -> Any:
        """The position the request asks for, or None for the beginning."""
        cursor = super().decode_cursor(request)
        if cursor is not None and "\x00" in str(cursor.position):
            raise NotFound(STALE)
        return cursor


class ByName(Newest):
    """In alphabetical order of names that are unique in the list."""

    ordering = "name"


class NewestRuns(Newest):
    """The order of the index `run_newest_of_project`."""

    ordering = ("-created_at", "-pk")


class NewestVersions(Newest):
    """The highest version number first."""

    ordering = "-version_index"
