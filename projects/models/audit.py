from __future__ import annotations

from django.db import models

from projects.models.team import Organization, Team


class AuditRecord(models.Model):
    """Who changed which setting when, and what it was before and after. `projects.audit` writes it, in the transaction
    of the change. What a record says stays readable when the person, the team or the thing is gone, so it has their
    names beside the keys."""

    at = models.DateTimeField(auto_now_add=True)
    actor = models.ForeignKey("projects.User", on_delete=models.SET_NULL, null=True, related_name="+")
    actor_name = models.CharField(max_length=128, blank=True, help_text="Empty for the server itself and its commands.")
    organization = models.ForeignKey(Organization, on_delete=models.SET_NULL, null=True, related_name="audit_records")
    team = models.ForeignKey(Team, on_delete=models.SET_NULL, null=True, related_name="audit_records")
    place = models.CharField(max_length=128, blank=True, help_text="The name of the team or organization then.")
    kind = models.CharField(max_length=32, help_text="What kind of thing was changed.")
    deed = models.CharField(max_length=32, help_text="What was done to it, as a participle: created, rotated.")
    object_name = models.CharField(max_length=300)
    object_id = models.PositiveBigIntegerField(null=True)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)

    class Meta:
        ordering = ["-pk"]
        indexes = [
            # The log of a team, newest first.
            models.Index(fields=["team", "-id"], name="audit_of_team"),
            # The log of an organization with its teams, newest first.
            models.Index(fields=["organization", "-id"], name="audit_of_organization"),
            # Records older than AUDIT_RETENTION_DAYS, to be deleted.
            models.Index(fields=["at"], name="audit_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.actor_name or 'The server'} {self.deed} {self.kind} {self.object_name}"
