"""What a registry accepts, who sees it, and which aliases only its admins move."""

from __future__ import annotations

from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.db import transaction

from registries import labels
from registries.models import AcceptedType, ProtectedAlias, Registry


def change_registry(
    registry: Registry,
    *,
    description: str | None = None,
    visibility: str | None = None,
    accepts_all_types: bool | None = None,
    accept: Iterable[str] = (),
) -> Registry:
    """Change what is given. Types are only ever added: collections of them may exist already.

    Raises:
        ValidationError: by field.
    """
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
    return registry


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
    known = ", ".join(f"“{name}”" for name in accepted) or "none yet"
    raise ValidationError(
        {
            "type": f"Registry {registry} does not accept artifacts of type “{type}”. It accepts: {known}."
            " An admin of the registry can add types."
        }
    )


def protect_alias(registry: Registry, name: str) -> bool:
    """Let only admins of the registry add, move or remove this alias; False if it is protected already.

    Raises:
        ValidationError: not an alias.
    """
    labels.validate_alias(name)
    _, created = ProtectedAlias.objects.get_or_create(registry=registry, name=name)
    return created


def unprotect_alias(registry: Registry, name: str) -> bool:
    """Let every member add, move and remove this alias; False if it was not protected."""
    deleted, _ = ProtectedAlias.objects.filter(registry=registry, name=name).delete()
    return deleted > 0
