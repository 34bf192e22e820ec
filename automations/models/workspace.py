from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Q

from automations.models.integration import validate_channel_id
from projects.models import Team

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from projects.models import User


class SlackWorkspaceQuerySet(models.QuerySet["SlackWorkspace"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Workspaces of the teams the user may see."""
        return self.filter(team__in=Team.objects.visible_to(user))


class SlackWorkspace(models.Model):
    """A Slack workspace that a team is connected to: one bot's token, sealed, which all its channels share.

    `workspace_id` is Slack's own, as is `name`; both are learned from the token. The id is empty as long as nobody has
    asked Slack: of tokens that were pasted channel by channel, before workspaces were kept."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="slack_workspaces")
    workspace_id = models.CharField(max_length=32, blank=True, validators=[validate_channel_id])
    name = models.CharField(max_length=80)
    bot_name = models.CharField(max_length=80, blank=True, help_text="Whom to invite to a channel.")
    credential = models.ForeignKey("secrets_vault.Secret", on_delete=models.RESTRICT, related_name="+")
    created_by = models.ForeignKey("projects.User", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = SlackWorkspaceQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["team", "workspace_id"],
                condition=~Q(workspace_id=""),
                name="slack_workspace_once_per_team",
            ),
        ]

    def __str__(self) -> str:
        return self.name
