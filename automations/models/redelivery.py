from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy

from projects.models import Project
from registries.models import Registry

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from projects.models import User


class Content(models.TextChoices):
    """What of an execution is sent again."""

    AS_SENT = "as_sent", gettext_lazy("As it was sent")
    CURRENT = "current", gettext_lazy("With today's automation")
    EDITED = "edited", gettext_lazy("With an edited payload")


class RedeliveryQuerySet(models.QuerySet["Redelivery"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Those of the histories the user may see."""
        return self.filter(
            Q(project__in=Project.objects.visible_to(user)) | Q(registry__in=Registry.objects.visible_to(user))
        )


class Redelivery(models.Model):
    """Somebody's wish that executions of one project or registry be carried out again (HI4).

    `origins` are their primary keys in order; the first `prepared` of them have got their new execution. Both are
    written in one transaction for so many at a time, so that whoever carries on after a crash begins where it stopped.
    """

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, null=True, related_name="+")
    registry = models.ForeignKey(Registry, on_delete=models.CASCADE, null=True, related_name="+")
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    asked_at = models.DateTimeField()
    token = models.CharField(max_length=255, help_text="Asking twice with the same one is asking once.")
    content = models.CharField(max_length=16, choices=Content)
    payload = models.TextField(blank=True, help_text="The edited payload; secrets are only named in it.")
    reason = models.CharField(max_length=255, blank=True)
    for_real = models.BooleanField(default=False, help_text="Rehearsals in shadow mode were to be sent, too.")
    origins = models.JSONField(default=list)
    prepared = models.PositiveIntegerField(default=0)
    prepared_at = models.DateTimeField(null=True, help_text="When every origin had got its execution.")
    left_out = models.PositiveIntegerField(default=0, help_text="What was asked for and cannot be sent again.")
    cancelled_at = models.DateTimeField(null=True)
    cancelled_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")

    objects = RedeliveryQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        verbose_name_plural = "redeliveries"
        constraints = [
            models.UniqueConstraint(fields=["asked_by", "token"], name="redelivery_asked_once"),
            models.CheckConstraint(condition=Q(content__in=Content.values), name="redelivery_content_known"),
            models.CheckConstraint(
                condition=Q(project__isnull=False, registry__isnull=True)
                | Q(project__isnull=True, registry__isnull=False),
                name="redelivery_in_one_place",
            ),
        ]
        indexes = [
            # The sweep: what a crash left half prepared.
            models.Index(
                fields=["asked_at"],
                condition=Q(prepared_at__isnull=True, cancelled_at__isnull=True),
                name="redelivery_unprepared",
            ),
        ]

    def __str__(self) -> str:
        return str(self.key)

    @property
    def home(self) -> Project | Registry:
        """The project or registry in whose history it happens."""
        home = self.project or self.registry
        assert home is not None  # the check constraint says so
        return home

    def get_absolute_url(self) -> str:
        return reverse("automations:redelivery", kwargs={"key": self.key})
