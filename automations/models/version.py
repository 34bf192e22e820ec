from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from automations.models.automation import Automation

# Fields of an automation that are switched rather than edited: what is said of False and of True.
SWITCHES: dict[str, tuple[str, str]] = {
    "enabled": (gettext_noop("Disabled"), gettext_noop("Enabled")),
    "shadow": (gettext_noop("Made live"), gettext_noop("Put into shadow mode")),
}
# Switched, too, but for a time only (`automations.snoozing`): no form or file says it.
SAID = {**SWITCHES, "snoozed": (gettext_noop("Snooze ended"), gettext_noop("Snoozed"))}


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
    until = models.DateTimeField(null=True, help_text="When what was switched ends by itself, if it does.")
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
        said = _(SAID[self.field][self.value])
        if self.until is None:
            return said
        until = f"{timezone.localtime(self.until):%Y-%m-%d %H:%M %Z}"
        return _("%(said)s until %(until)s") % {"said": said, "until": until}
