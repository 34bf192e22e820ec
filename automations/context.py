"""What the frame around every page shows of automations: how many notices the user has not read."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from automations.models import Notice


def bell(request: HttpRequest) -> dict[str, Any]:
    """`unread_notices`, counted when a template asks; nothing for nobody."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {}
    return {"unread_notices": SimpleLazyObject(lambda: Notice.objects.count_unread(user))}
