from __future__ import annotations

from typing import Any

from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, models, transaction
from django.utils.translation import gettext_lazy as _

from projects.names import NAME_LENGTH, validate_not_reserved, validate_slug_name

# By kind of entity, the sentence for whoever wants the name as well. Users have the names of their personal teams.
TAKEN = {
    "Team": _("There is a team or a user with this name already."),
    "Organization": _("There is an organization with this name already."),
}
# Accounts of teams have no personal team, but log under their names all the same.
TAKEN_BY_ACCOUNT = _("There is a service account with this name already.")


class Entity(models.Model):
    """What a name alone points at: teams, personal ones among them, and organizations share one namespace.

    Each table keeps its own names unique; that the other has none of this name is looked up while nobody else may
    write it. Rows that shared a name before stay as they are.
    """

    name = models.CharField(max_length=NAME_LENGTH, unique=True, validators=[validate_slug_name, validate_not_reserved])

    class Meta:
        abstract = True

    def clean(self) -> None:
        super().clean()
        if self._is_named_anew() and (complaint := complaint_about(self.name, but=type(self))):
            raise ValidationError({"name": ValidationError(complaint, code="unique")})

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Write the row.

        Raises:
            IntegrityError: the name is taken, in this table or in the other.
        """
        changed = kwargs.get("update_fields")
        with transaction.atomic():
            if (changed is None or "name" in changed) and self._is_named_anew():
                hold(self.name)
                if complaint := complaint_about(self.name, but=type(self)):
                    raise IntegrityError(complaint)
            super().save(*args, **kwargs)

    def _is_named_anew(self) -> bool:
        return self._state.adding or not _rows(type(self)).filter(pk=self.pk, name=self.name).exists()


def complaint_about(name: str, *, but: type[models.Model] | None = None) -> str | None:
    """The sentence about what has this name already, leaving out one kind; None if nothing has."""
    if "\x00" in name:  # which PostgreSQL cannot even be asked for
        return None
    for kind in Entity.__subclasses__():
        if kind is not but and _rows(kind).filter(name=name).exists():
            return str(TAKEN[kind.__name__])
    users = apps.get_model("projects", "User")
    if users is not but and users.objects.filter(username=name, service_of__isnull=False).exists():
        return str(TAKEN_BY_ACCOUNT)
    return None


def _rows(kind: type[Entity]) -> models.Manager[Any]:
    return kind._default_manager  # noqa: SLF001  # Django documents it under this name


def hold(name: str) -> None:
    """One writer of a name at a time, until the transaction ends; SQLite lets only one writer in anyway."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"entity:{name}"])
