from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AbstractUser
from django.core.exceptions import ValidationError
from django.db import models, transaction

from projects.models import entity
from projects.names import NAME_LENGTH, validate_not_reserved, validate_slug_name


class User(AbstractUser):
    """A person who signs in, or a script that holds one of their API keys.

    Saving a new user also makes their personal team, in the same transaction, so that scripts work before any
    other team exists; whichever door the user came in by (admin, command, sign-up).
    """

    username = models.CharField(
        max_length=NAME_LENGTH,
        unique=True,
        validators=[validate_slug_name, validate_not_reserved],
        error_messages={"unique": "There is a user with this name already."},
    )

    def clean(self) -> None:
        super().clean()
        # The personal team is to carry the name; one that another user has is refused by `username` itself.
        if self._state.adding and (complaint := entity.complaint_about(self.username)):
            raise ValidationError({"username": complaint})

    def save(self, *args: Any, **kwargs: Any) -> None:
        with transaction.atomic():
            is_new = self._state.adding
            super().save(*args, **kwargs)
            if is_new:
                self._make_personal_team()

    def _make_personal_team(self) -> None:
        from projects.models.team import Role, Team, TeamMember

        team = Team.objects.create(name=self.username, owner=self)
        TeamMember.objects.create(team=team, user=self, role=Role.ADMIN)
