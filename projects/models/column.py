from django.db import models

from projects.models.project import Project


class ChosenColumns(models.Model):
    """The values that somebody wishes to see in the table of a project's runs, in their order."""

    user = models.ForeignKey("projects.User", on_delete=models.CASCADE, related_name="+")
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+")
    columns = models.JSONField(default=list)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "project"], name="columns_chosen_once"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.project_id}"
