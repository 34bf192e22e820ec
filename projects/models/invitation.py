from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import Q

from projects.models.team import Role, Team


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def open_at(self, at: datetime) -> InvitationQuerySet:
        """Those that may still be accepted."""
        return self.filter(accepted_at=None, revoked_at=None, expires_at__gt=at)


class Invitation(models.Model):
    """A link by which one person may join a team. Only the SHA-256 of what is in the link is kept, as of API keys: a
    copy of the database lets nobody in."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="invitations")
    role = models.CharField(max_length=16, choices=Role, default=Role.MEMBER)
    email = models.EmailField(blank=True, help_text="Where the link was sent, if it was.")
    digest = models.CharField(max_length=64, unique=True, editable=False)
    invited_by = models.ForeignKey("projects.User", on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    accepted_at = models.DateTimeField(null=True, blank=True)
    accepted_by = models.ForeignKey("projects.User", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    objects = InvitationQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(role__in=Role.values), name="invitation_role"),
            models.CheckConstraint(
                condition=Q(accepted_at__isnull=True) | Q(revoked_at__isnull=True), name="invitation_ends_once"
            ),
        ]

    def __str__(self) -> str:
        return self.email or f"link {self.pk}"
