"""Aliases that only admins of a registry add, move or remove: whoever changes aliases asks here first."""

from __future__ import annotations

from collections.abc import Iterable

from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext as _

from projects.models import Role, User
from registries import access
from registries.models import Collection, Registry


def aliases_of(registry: Registry) -> list[str]:
    """The protected aliases of the registry, by name."""
    return list(registry.protected_aliases.order_by("name").values_list("name", flat=True))


def require_aliases(user: User | None, collection: Collection, names: Iterable[str]) -> None:
    """Let pass who may add, move or remove these aliases in the collection; without a user, the server acts itself.

    Raises:
        PermissionDenied: one of them is protected, and the user is no admin of the registry.
    """
    registry = collection.registry
    wanted = set(names)
    if user is None or registry is None or not wanted:
        return
    protected = sorted(registry.protected_aliases.filter(name__in=wanted).values_list("name", flat=True))
    if not protected or access.role_in(user, registry) is Role.ADMIN:
        return
    named = ", ".join(f"“{name}”" for name in protected)
    raise PermissionDenied(
        _(
            "You may not add, move or remove %(named)s in %(registry)s: only admins of the "
            "registry may change protected aliases. Ask one of them."
        )
        % {"named": named, "registry": registry}
    )
