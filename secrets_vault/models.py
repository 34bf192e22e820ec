from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.core.validators import RegexValidator
from django.db import models
from fernet_fields import EncryptedTextField

from projects.models import Team

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from projects.models import User

validate_secret_name = RegexValidator(
    r"\A[A-Za-z_][A-Za-z0-9_]*\Z",
    "Use letters, digits and underscores, not beginning with a digit.",
    code="invalid_name",
)


class SecretQuerySet(models.QuerySet["Secret"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Secrets (their names, that is) of the teams the user may see."""
        return self.filter(team__in=Team.objects.visible_to(user))


class SecretManager(models.Manager.from_queryset(SecretQuerySet)):  # type: ignore[misc]
    def get_queryset(self) -> SecretQuerySet:
        """Without the value: listing secrets must not unseal them."""
        queryset: SecretQuerySet = super().get_queryset().defer("value")
        return queryset


class Secret(models.Model):
    """A named value of a team, sealed with Fernet. Once saved it is unsealed only while something is sent."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="secrets")
    name = models.CharField(max_length=64, validators=[validate_secret_name])
    value = EncryptedTextField()
    created_by = models.ForeignKey("projects.User", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    rotated_at = models.DateTimeField(null=True, blank=True)

    objects = SecretManager()

    class Meta:
        ordering = ["name"]
        # Also when it is reached from a webhook, listing must not unseal.
        base_manager_name = "objects"
        constraints = [models.UniqueConstraint(fields=["team", "name"], name="secret_name_once_per_team")]

    def __str__(self) -> str:
        return self.name
