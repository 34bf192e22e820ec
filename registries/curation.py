"""What a registry accepts, who sees it, and which aliases only its admins move."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from projects import audit
from projects.models import User
from registries import labels
from registries.models import AcceptedType, ProtectedAlias, Registry

REGISTRY = audit.kind("registry", "name", "description", "visibility", "accepts_all_types", "accepted_types")
PROTECTED_ALIAS = audit.kind("protected alias")
# For the catalogue: what kinds and fields are called.
WORDS = (
    gettext_noop("registry"),
    gettext_noop("protected alias"),
    gettext_noop("description"),
    gettext_noop("visibility"),
    gettext_noop("accepts all types"),
    gettext_noop("accepted types"),
)


def state_of(registry: Registry) -> dict[str, object]:
    """What the audit log may say of a registry."""
    return {
        "name": registry.name,
        "description": registry.description,
        "visibility": str(registry.visibility),
        "accepts_all_types": registry.accepts_all_types,
        "accepted_types": list(registry.accepted_types.order_by("name").values_list("name", flat=True)),
    }


def change_registry(
    registry: Registry,
    *,
    by: User | None = None,
    description: str | None = None,
    visibility: str | None = None,
    accepts_all_types: bool | None = None,
    accept: Iterable[str] = (),
) -> Registry:
    """Change what is given. Types are only ever added: collections of them may exist already.

    Raises:
        ValidationError: by field.
    """
    before = state_of(Registry.objects.get(pk=registry.pk))
    if description is not None:
        registry.description = description
    if visibility is not None:
        registry.visibility = visibility
    if accepts_all_types is not None:
        registry.accepts_all_types = accepts_all_types
    registry.full_clean()
    types = [AcceptedType(registry=registry, name=name) for name in dict.fromkeys(accept)]
    for one in types:
        one.clean_fields(exclude=["registry"])
    with transaction.atomic():
        registry.save()
        AcceptedType.objects.bulk_create(types, ignore_conflicts=True)
        record(registry, audit.Deed.CHANGED, by=by, before=before, after=state_of(registry))
    return registry


def record(registry: Registry, deed: audit.Deed, *, by: User | None, **states: Any) -> None:
    """Put into the audit log what was done to a registry."""
    audit.record(
        REGISTRY, deed, name=registry.name, pk=registry.pk, by=by, organization=registry.organization, **states
    )


def require_accepted(registry: Registry, type: str) -> None:
    """Let pass types that may be linked to the registry.

    Raises:
        ValidationError: naming those it accepts.
    """
    if registry.accepts_all_types:
        return
    accepted = list(registry.accepted_types.values_list("name", flat=True))
    if type in accepted:
        return
    known = ", ".join(f"“{name}”" for name in accepted) or _("none yet")
    raise ValidationError(
        {
            "type": _(
                "Registry %(registry)s does not accept artifacts of type “%(type)s”. It "
                "accepts: %(known)s. An admin of the registry can add types."
            )
            % {"registry": registry, "type": type, "known": known}
        }
    )


def protect_alias(registry: Registry, name: str, *, by: User | None) -> bool:
    """Let only admins of the registry add, move or remove this alias; False if it is protected already.

    Raises:
        ValidationError: not an alias.
    """
    labels.validate_alias(name)
    with transaction.atomic():
        _, created = ProtectedAlias.objects.get_or_create(registry=registry, name=name)
        if created:
            _record_alias(registry, name, audit.Deed.ADDED, by=by)
    return created


def unprotect_alias(registry: Registry, name: str, *, by: User | None) -> bool:
    """Let every member add, move and remove this alias; False if it was not protected."""
    with transaction.atomic():
        deleted, _ = ProtectedAlias.objects.filter(registry=registry, name=name).delete()
        if deleted:
            _record_alias(registry, name, audit.Deed.REMOVED, by=by)
    return deleted > 0


def _record_alias(registry: Registry, name: str, deed: audit.Deed, *, by: User | None) -> None:
    audit.record(
        PROTECTED_ALIAS,
        deed,
        name=f"{name} in {registry.name}",
        pk=registry.pk,
        by=by,
        organization=registry.organization,
    )
