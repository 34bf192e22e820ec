from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy

from automations.models.health import Health, WithHealth
from automations.models.holding import WithBreaker, WithLimits
from projects.models import Team

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from projects.models import User

validate_webhook_name = RegexValidator(
    r"\A[A-Za-z0-9_-](?:[A-Za-z0-9 _-]*[A-Za-z0-9_-])?\Z",
    gettext_lazy("Use letters, digits, “-”, “_” and spaces between them."),
    code="invalid_name",
)
# Names without a dot too: inside a cluster, hosts are called `receiver`. Where the address leads is judged elsewhere.
validate_endpoint = RegexValidator(
    r"\Ahttps?://(?:[^\s/?#@]*@)?(?:\[[0-9A-Fa-f:.]+\]|[^\s/?#@:\[\]]+)(?::[0-9]{1,5})?(?:[/?#]\S*)?\Z",
    gettext_lazy("Enter an address such as https://example.com/hooks."),
    code="invalid_url",
)
validate_header_name = RegexValidator(
    r"\A[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z",
    gettext_lazy("A header name has letters, digits and “-”, without spaces."),
    code="invalid_header",
)


validate_channel = RegexValidator(
    r"\A[^\s#@/<>&:%?\\\x00-\x1f\x7f]{1,80}\Z",
    gettext_lazy("A channel's name has up to 80 characters, without spaces, “#”, “@” and “/”."),
    code="invalid_channel",
)
validate_channel_id = RegexValidator(
    r"\A[A-Z0-9]{2,32}\Z",
    gettext_lazy("A channel id is made of capital letters and digits, such as C0123456789."),
    code="invalid_channel_id",
)


class SignatureEncoding(models.TextChoices):
    BASE64 = "base64", "Base64"
    HEX = "hex", "Hexadecimal"


class WebhookQuerySet(models.QuerySet["Webhook"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Webhooks of the teams the user may see."""
        return self.filter(team__in=Team.objects.visible_to(user))


class Webhook(WithHealth, WithBreaker):
    """An endpoint a team's automations may call, with the credentials it wants."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="webhooks")
    name = models.CharField(max_length=64, validators=[validate_webhook_name])
    url = models.CharField("endpoint URL", max_length=2000, validators=[validate_endpoint])
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
                condition=Q(breaker_opened_at__isnull=True, next_probe_at__isnull=True)
                | Q(breaker_opened_at__isnull=False, next_probe_at__isnull=False),
                name="webhook_open_breaker_is_probed",
            ),
            models.CheckConstraint(
                condition=Q(signature_encoding__in=SignatureEncoding.values),
                name="webhook_signature_encoding",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def health(self) -> Health:
        """What its badge says."""
        if self.paused_at is not None:
            return Health.PAUSED
        return Health.BREAKER_OPEN if self.breaker_opened_at is not None else super().health


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


class SlackKind(models.TextChoices):
    """How messages get into the channel."""

    BOT = "bot", gettext_lazy("Bot token")
    WEBHOOK = "webhook", gettext_lazy("Incoming webhook")


class SlackChannelQuerySet(models.QuerySet["SlackChannel"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Channels of the teams the user may see."""
        return self.filter(team__in=Team.objects.visible_to(user))


class SlackChannel(WithHealth, WithLimits):
    """A Slack channel a team's automations may post to. `credential` is the bot's token, which all channels of the
    `connection` share, or the address of an incoming webhook; `channel_id` is where a bot posts to.

    The channel that is chosen while Slack is connected belongs to the connection, but is reached by a webhook of its
    own, since the bot need not be in it."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="slack_channels")
    workspace = models.CharField(max_length=80)
    channel = models.CharField(max_length=80, validators=[validate_channel])
    kind = models.CharField(max_length=8, choices=SlackKind)
    channel_id = models.CharField(max_length=32, blank=True, validators=[validate_channel_id])
    connection = models.ForeignKey(
        "automations.SlackWorkspace", on_delete=models.RESTRICT, null=True, blank=True, related_name="channels"
    )
    credential = models.ForeignKey("secrets_vault.Secret", on_delete=models.RESTRICT, related_name="+")
    # The column is older than its name.
    failing_since = models.DateTimeField(null=True, blank=True, editable=False, db_column="failed_at")
    created_by = models.ForeignKey("projects.User", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = SlackChannelQuerySet.as_manager()

    class Meta:
        ordering = ["channel"]
        constraints = [
            models.UniqueConstraint(fields=["team", "channel"], name="slack_channel_once_per_team"),
            models.CheckConstraint(
                condition=Q(hourly_budget__isnull=True) | Q(hourly_budget__gte=1), name="slack_budget_is_positive"
            ),
            models.CheckConstraint(
                condition=Q(quiet_from__isnull=True, quiet_until__isnull=True)
                | Q(quiet_from__isnull=False, quiet_until__isnull=False),
                name="slack_quiet_hours_begin_and_end",
            ),
            models.CheckConstraint(
                condition=(Q(kind=SlackKind.BOT.value) & ~Q(channel_id=""))
                | Q(kind=SlackKind.WEBHOOK.value, channel_id=""),
                name="slack_bot_has_channel_id",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.channel}"
