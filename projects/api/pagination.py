from rest_framework.pagination import CursorPagination


class Newest(CursorPagination):
    """Lists come newest first, a page at a time; `next` in the answer is the address of the following page."""

    ordering = "-pk"
    page_size_query_param = "page_size"
    max_page_size = 500
