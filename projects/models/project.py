from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models
from django.urls import reverse

from projects.models.team import Team
from projects.names import NAME_LENGTH, validate_path_name

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from projects.models.user import User


class ProjectQuerySet(models.QuerySet["Project"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Projects of the teams the user may see."""
        return self.filter(team__in=Team.objects.visible_to(user))


class Project(models.Model):
    """Holds runs and artifact collections of one team."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="projects")
    name = models.CharField(max_length=NAME_LENGTH, validators=[validate_path_name])
    description = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    # Stamp of the metric rules that watch this project: whoever changes a rule raises it, so that a process which
    # cached the compiled rules sees the change in the very row it reads anyway.
    rules_version = models.PositiveBigIntegerField(default=0, editable=False)

    objects = ProjectQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["team", "name"], name="project_name_once_per_team")]

    def __str__(self) -> str:
        return f"{self.team}/{self.name}"

    def get_absolute_url(self) -> str:
        return reverse("projects:project", kwargs={"team": self.team.name, "project": self.name})
