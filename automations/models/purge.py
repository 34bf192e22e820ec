from __future__ import annotations

from django.db import models


class Purge(models.Model):
    """One run of the task that deletes old history, for operators to look at."""

    started_at = models.DateTimeField()
    seconds = models.FloatField(null=True)
    executions_before = models.DateTimeField(help_text="Executions and notices from before this time went.")
    events_before = models.DateTimeField(help_text="Events from before this time went, but for those still needed.")
    executions = models.PositiveIntegerField(default=0)
    events = models.PositiveIntegerField(default=0)
    notices = models.PositiveIntegerField(default=0)
    complete = models.BooleanField(null=True, help_text="Whether nothing was left for the next run; empty if it broke.")

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%d %H:%M:%S}"
