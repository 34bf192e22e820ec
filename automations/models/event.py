from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Q

from projects.models import Project
from registries.models import Registry

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from projects.models import User


class EventQuerySet(models.QuerySet["Event"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        """What happened in projects and registries the user may see."""
        return self.filter(
            Q(project__in=Project.objects.visible_to(user)) | Q(registry__in=Registry.objects.visible_to(user))
        )


class Event(models.Model):
    """A fact that was announced, as it was at that moment: what automations were matched against.

    `facts` are the fields conditions are evaluated over, `details` what messages show beside them, and `chain` the
    executions that led to it (`automations.causes`).
    """

    kind = models.CharField(max_length=32)
    dedupe_key = models.CharField(max_length=255, unique=True)
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField(auto_now_add=True)
    actor = models.ForeignKey("projects.User", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    organization = models.ForeignKey(
        "projects.Organization", on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    team = models.ForeignKey("projects.Team", on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    project = models.ForeignKey("projects.Project", on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    registry = models.ForeignKey(
        "registries.Registry", on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    collection = models.ForeignKey(
        "registries.Collection", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    run = models.ForeignKey("projects.Run", on_delete=models.SET_NULL, null=True, blank=True, related_name="events")
    artifact = models.ForeignKey(
        "registries.Artifact", on_delete=models.SET_NULL, null=True, blank=True, related_name="events"
    )
    facts = models.JSONField(default=dict)
    details = models.JSONField(default=dict)
    chain = models.JSONField(default=list, blank=True)

    objects = EventQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        indexes = [
            # What is too old to be kept.
            models.Index(fields=["occurred_at"], name="event_by_age"),
            # The most recent real event of a scope, for the payload preview.
            models.Index(fields=["project", "kind", "-id"], name="event_recent_of_project"),
            models.Index(fields=["registry", "kind", "-id"], name="event_recent_of_registry"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.dedupe_key}"
