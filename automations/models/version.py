from __future__ import annotations

from django.db import models
from django.db.models import Q

from automations.models.automation import Automation

# Fields of an automation that are switched rather than edited: what is said of False and of True.
SWITCHES: dict[str, tuple[str, str]] = {
    "enabled": ("Disabled", "Enabled"),
    "shadow": ("Made live", "Put into shadow mode"),
}


class AutomationVersion(models.Model):
    """What an automation was after one edit. Numbers of an automation begin with 1 and have no gaps.

    What is switched, such as enabled, is no part of the rule: see AutomationSwitch.
    """

    automation = models.ForeignKey(Automation, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    # Complete, with keys and names of what it points at: it stays true when they are renamed or deleted.
    rule = models.JSONField()
    created_by = models.ForeignKey("projects.User", on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-number"]
        constraints = [
            # Also the index by which versions are listed, newest first.
            models.UniqueConstraint(fields=["automation", "number"], name="automation_version_number_once"),
            models.CheckConstraint(condition=Q(number__gte=1), name="automation_version_begins_with_one"),
        ]

    def __str__(self) -> str:
        return f"{self.automation} version {self.number}"

    @property
    def hidden(self) -> bool:
        """Whether `disclosure.prepare_versions` left nothing of it for the reader."""
        return not self.rule


class AutomationSwitch(models.Model):
    """That an automation was switched, such as enabled, which is no edit of its rule: by whom, and at which version."""

    automation = models.ForeignKey(Automation, on_delete=models.CASCADE, related_name="switches")
    version = models.PositiveIntegerField()
    field = models.CharField(max_length=16, help_text="What was switched, by the name of the automation's field.")
    value = models.BooleanField()
    created_by = models.ForeignKey("projects.User", on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-pk"]
        # What happened while a version was the current one, newest first.
        indexes = [models.Index(fields=["automation", "version", "-id"], name="switch_of_version")]

    def __str__(self) -> str:
        return f"{self.automation}: {self.label.lower()}"

    @property
    def label(self) -> str:
        """What was done, as people say it."""
        return SWITCHES[self.field][self.value]
