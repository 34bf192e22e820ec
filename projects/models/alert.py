from django.db import models
from django.utils.translation import gettext_lazy as _

from projects.models.run import Run


class AlertLevel(models.TextChoices):
    INFO = "INFO", _("Info")
    WARN = "WARN", _("Warning")
    ERROR = "ERROR", _("Error")


class RunAlert(models.Model):
    """What a script told people, by its title: the last time it was raised, and how often."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="alerts")
    title_digest = models.CharField(max_length=64, editable=False)
    title = models.CharField(max_length=1000)
    text = models.TextField(blank=True)
    level = models.CharField(max_length=16, choices=AlertLevel, default=AlertLevel.INFO)
    raised_at = models.DateTimeField()
    count = models.PositiveIntegerField(default=1, editable=False)

    class Meta:
        ordering = ["-raised_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["run", "title_digest"], name="alert_once_per_title"),
            models.CheckConstraint(condition=models.Q(level__in=AlertLevel.values), name="alert_level_known"),
        ]

    def __str__(self) -> str:
        return f"{self.run_id} {self.title}"
