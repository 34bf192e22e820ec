"""What webhooks and Slack channels know of holding executions back."""

from __future__ import annotations

import uuid
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db import models
from django.db.models import Q
from django.urls import reverse

from automations.quiethours import QuietHours


class WithBreaker(models.Model):
    """The breaker of an endpoint (WH8): how often it failed in a row, since when what goes there is held, and when the
    next is sent to see whether it works again. Written in the transactions of outcomes (`automations.breaker`)."""

    failures_in_a_row = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    breaker_opened_at = models.DateTimeField(null=True, editable=False)
    next_probe_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        abstract = True


class WithLimits(models.Model):
    """How much a Slack channel takes: so many messages an hour, and none, or only those of severity ERROR, in its quiet
    hours. What is too much waits for a digest (`automations.digests`)."""

    hourly_budget = models.PositiveIntegerField(null=True, blank=True, editable=False)
    quiet_from = models.TimeField(null=True, blank=True, editable=False)
    quiet_until = models.TimeField(null=True, blank=True, editable=False)
    quiet_zone = models.CharField(max_length=64, blank=True, default="", db_default="", editable=False)
    # Digits, 0 for Monday: on these days they begin.
    quiet_days = models.CharField(max_length=7, blank=True, default="", db_default="", editable=False)
    errors_pass_quiet_hours = models.BooleanField(default=True, db_default=True, editable=False)

    class Meta:
        abstract = True

    @property
    def quiet_hours(self) -> QuietHours | None:
        """Its quiet hours, if it has any."""
        if self.quiet_from is None or self.quiet_until is None:
            return None
        days = frozenset(map(int, self.quiet_days))
        return QuietHours(self.quiet_from, self.quiet_until, ZoneInfo(self.quiet_zone), days)

    @property
    def is_limited(self) -> bool:
        """Whether anything may have to wait."""
        return self.hourly_budget is not None or self.quiet_from is not None


class HeldFor(models.TextChoices):
    """Why messages wait for a digest, by the reason code of their executions."""

    NOISE_BUDGET = "noise_budget", "Noise budget"
    QUIET_HOURS = "quiet_hours", "Quiet hours"


class Digest(models.Model):
    """One Slack message in place of many that had to wait. One of its executions carries it: that one is claimed,
    tried, tried again and recorded like every other, and when Slack has taken the digest, all of them are Finished.

    Executions join it until it is closed, which happens before it is composed for the first time.
    """

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    channel = models.ForeignKey(
        "automations.SlackChannel", on_delete=models.SET_NULL, null=True, related_name="digests"
    )
    reason = models.CharField(max_length=16, choices=HeldFor)
    opened_at = models.DateTimeField()
    due_at = models.DateTimeField(help_text="When it is to be sent, as far as known.")
    closed_at = models.DateTimeField(null=True, help_text="Since then nothing more joins it.")
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(reason__in=HeldFor.values), name="digest_reason_known"),
            # However many workers hold something back at once.
            models.UniqueConstraint(
                fields=["channel"],
                condition=Q(closed_at__isnull=True, channel__isnull=False),
                name="digest_open_once_per_channel",
            ),
        ]
        indexes = [
            # When the last digest of a channel was sent.
            models.Index(fields=["channel", "-closed_at"], name="digest_of_channel"),
        ]

    def __str__(self) -> str:
        return f"digest {self.key}"

    def get_absolute_url(self) -> str:
        return reverse("automations:digest", kwargs={"key": self.key})


class ChannelPost(models.Model):
    """A message that a Slack channel with a budget was given within the last hour, or may have been: written before it
    is sent, moved to when it was taken, and deleted again if it was surely not."""

    channel = models.ForeignKey("automations.SlackChannel", on_delete=models.CASCADE, related_name="posts")
    execution = models.ForeignKey("automations.Execution", on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField()

    class Meta:
        indexes = [
            # How much of the budget is spent.
            models.Index(fields=["channel", "at"], name="post_of_channel"),
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.at:%Y-%m-%d %H:%M:%S}"


def hours_of(channel: WithLimits, moment: datetime) -> datetime | None:
    """When the channel's quiet of this moment is over; None if it is not quiet."""
    quiet = channel.quiet_hours
    return quiet.end_after(moment) if quiet else None
