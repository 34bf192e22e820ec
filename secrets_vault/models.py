from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Self

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, OuterRef, Q, Subquery
from django.utils.translation import gettext_lazy as _
from fernet_fields import EncryptedTextField

from projects.models import Team

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from projects.models import User

validate_secret_name = RegexValidator(
    r"\A[A-Za-z_][A-Za-z0-9_]*\Z",
    _("Use letters, digits and underscores, not beginning with a digit."),
    code="invalid_name",
)


class SecretQuerySet(models.QuerySet["Secret"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Secrets (their names, that is) of the teams the user may see."""
        return self.filter(team__in=Team.objects.visible_to(user))

    def with_overlap(self, *, at: datetime) -> Self:
        """Each with its `old_value_until`: when the old value ends that still signs at this time, or None."""
        old = OldValue.objects.filter(secret=OuterRef("pk"), ends_at__gt=at)
        return self.annotate(old_value_until=Subquery(old.values("ends_at")[:1]))


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
    version = models.PositiveIntegerField(default=1, editable=False, help_text="Each rotation makes the next one.")

    objects = SecretManager()

    class Meta:
        ordering = ["name"]
        # Also when it is reached from a webhook, listing must not unseal.
        base_manager_name = "objects"
        constraints = [models.UniqueConstraint(fields=["team", "name"], name="secret_name_once_per_team")]

    def __str__(self) -> str:
        return self.name


class OldValue(models.Model):
    """What a secret was before it was rotated, while it still signs beside the new value (SE2): for seven days at
    most. It is in a table of its own, so that ending it leaves nothing behind."""

    secret = models.OneToOneField(Secret, on_delete=models.CASCADE, related_name="old_value")
    value = EncryptedTextField()
    kept_at = models.DateTimeField()
    ends_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(ends_at__gt=F("kept_at")), name="old_value_ends_later")]
        indexes = [
            # Those whose time is over, to be deleted.
            models.Index(fields=["ends_at"], name="old_value_by_end"),
        ]

    def __str__(self) -> str:
        return f"old value of {self.secret_id}"
