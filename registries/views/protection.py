"""What shows which aliases only admins of a registry add, move or remove; `labels` changes which these are."""

from __future__ import annotations

from typing import Any

from projects.models import User
from registries import access, protection
from registries.models import Registry


def context_of(user: User, registry: Registry) -> dict[str, Any]:
    """What the part needs."""
    return {
        "registry": registry,
        "protected": protection.aliases_of(registry),
        "may_protect": access.may(user, access.Permission.EDIT_SETTINGS, registry),
    }
