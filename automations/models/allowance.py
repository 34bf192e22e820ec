from __future__ import annotations

from django.db import models

from automations.models.automation import Automation


class Allowance(models.Model):
    """How often an automation of a wide scope fired lately (EV12): a minute and an hour that each begin with a firing,
    and the number of firings in them."""

    automation = models.OneToOneField(Automation, on_delete=models.CASCADE, related_name="allowance")
    minute_began_at = models.DateTimeField()
    in_minute = models.PositiveIntegerField()
    hour_began_at = models.DateTimeField()
    in_hour = models.PositiveIntegerField()

    def __str__(self) -> str:
        return f"automation {self.automation_id}: {self.in_minute} in a minute, {self.in_hour} in an hour"
