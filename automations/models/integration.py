from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.core.validators import RegexValidator, URLValidator
from django.db import models
from django.db.models import Q

from projects.models import Team

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from projects.models import User

validate_webhook_name = RegexValidator(
    r"\A[A-Za-z0-9_-](?:[A-Za-z0-9 _-]*[A-Za-z0-9_-])?\Z",
    "Use letters, digits, “-”, “_” and spaces between them.",
    code="invalid_name",
)
validate_header_name = RegexValidator(
    r"\A[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z",
    "A header name has letters, digits and “-”, without spaces.",
    code="invalid_header",
)


class SignatureEncoding(models.TextChoices):
    BASE64 = "base64", "Base64"
    HEX = "hex", "Hexadecimal"


class WebhookQuerySet(models.QuerySet["Webhook"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Webhooks of the teams the user may see."""
        return self.filter(team__in=Team.objects.visible_to(user))


class Webhook(models.Model):
    """An endpoint a team's automations may call, with the credentials it wants."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="webhooks")
    name = models.CharField(max_length=64, validators=[validate_webhook_name])
    url = models.CharField("endpoint URL", max_length=2000, validators=[URLValidator(schemes=["http", "https"])])
    access_token = models.ForeignKey(
        "secrets_vault.Secret", on_delete=models.RESTRICT, null=True, blank=True, related_name="+"
    )
    secret = models.ForeignKey(
        "secrets_vault.Secret", on_delete=models.RESTRICT, null=True, blank=True, related_name="+"
    )
    signature_encoding = models.CharField(max_length=8, choices=SignatureEncoding, default=SignatureEncoding.BASE64)
    # Set when the endpoint answered 410 Gone: nothing is sent until an admin resumes it.
    paused_at = models.DateTimeField(null=True, blank=True)
    paused_reason = models.CharField(max_length=255, blank=True)
    created_by = models.ForeignKey("projects.User", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = WebhookQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["team", "name"], name="webhook_name_once_per_team"),
            models.CheckConstraint(
                condition=Q(signature_encoding__in=SignatureEncoding.values),
                name="webhook_signature_encoding",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class WebhookHeader(models.Model):
    """An extra request header. Its value may hold one `${SECRET_NAME}`, which `secret` then points at, so that
    the database refuses to delete a secret that a header uses."""

    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="headers")
    name = models.CharField(max_length=128, validators=[validate_header_name])
    value = models.CharField(max_length=1000, blank=True)
    secret = models.ForeignKey(
        "secrets_vault.Secret", on_delete=models.RESTRICT, null=True, blank=True, related_name="+"
    )

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["webhook", "name"], name="header_once_per_webhook")]

    def __str__(self) -> str:
        return self.name
