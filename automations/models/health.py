from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy


class Health(models.TextChoices):
    """How something that automations use fares, as a badge says it."""

    NEVER_USED = "never_used", gettext_lazy("Never used")
    HEALTHY = "healthy", gettext_lazy("Healthy")
    FAILING = "failing", gettext_lazy("Failing")
    BREAKER_OPEN = "breaker_open", gettext_lazy("Breaker open")
    PAUSED = "paused", gettext_lazy("Paused")


class WithHealth(models.Model):
    """How it fared when it was last used, kept in the transaction of each outcome (`automations.outcomes`), so that
    lists need not look through the history. `last_error` stays after a recovery; `failing_since` does not."""

    last_success_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_failure_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_error = models.CharField(max_length=500, blank=True, default="", db_default="", editable=False)
    failing_since = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        abstract = True

    @property
    def health(self) -> Health:
        """What its badge says."""
        if self.failing_since is not None:
            return Health.FAILING
        used = self.last_success_at is not None or self.last_failure_at is not None
        return Health.HEALTHY if used else Health.NEVER_USED
