from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import AbstractUser
from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from projects.models import entity
from projects.names import NAME_LENGTH, validate_not_reserved, validate_slug_name

if TYPE_CHECKING:
    from projects.models.team import Team


class User(AbstractUser):
    """A person who signs in, or a script that holds one of their API keys; or a team's service account, which is
    nobody and only ever holds keys.

    Saving a new user also makes their personal team, in the same transaction, so that scripts work before any
    other team exists; whichever door the user came in by (admin, command, sign-up). A service account has none.
    """

    username = models.CharField(
        max_length=NAME_LENGTH,
        unique=True,
        validators=[validate_slug_name, validate_not_reserved],
        error_messages={"unique": _("There is a user with this name already.")},
    )

    notices_by_email = models.BooleanField(
        default=True, db_default=True, help_text="Notices of failures also come by e-mail, where the server sends any."
    )

    first_steps_hidden = models.BooleanField(
        default=False, db_default=False, editable=False, help_text="The first page does not say how to begin."
    )

    service_of = models.ForeignKey(
        "projects.Team",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        editable=False,
        related_name="service_accounts",
        help_text="The team whose service account this is.",
    )

    class Meta(AbstractUser.Meta):
        constraints = [
            models.CheckConstraint(
                condition=Q(service_of__isnull=True) | Q(is_staff=False, is_superuser=False),
                name="service_account_is_no_operator",
            )
        ]

    @property
    def home(self) -> Team:
        """The team whose settings list this user's keys, and where scripts log that name no team."""
        return self.service_of or self.personal_team

    def clean(self) -> None:
        super().clean()
        # The personal team is to carry the name; one that another user has is refused by `username` itself.
        if self._state.adding and (complaint := entity.complaint_about(self.username, but=User)):
            raise ValidationError({"username": complaint})

    def save(self, *args: Any, **kwargs: Any) -> None:
        with transaction.atomic():
            is_new = self._state.adding
            if is_new and self.service_of_id is not None:
                # Others get their name as that of their personal team.
                entity.hold(self.username)
                if complaint := entity.complaint_about(self.username, but=User):
                    raise IntegrityError(complaint)
            super().save(*args, **kwargs)
            if is_new and self.service_of_id is None:
                self._make_personal_team()

    def _make_personal_team(self) -> None:
        from projects.models.team import Role, Team, TeamMember

        team = Team.objects.create(name=self.username, owner=self)
        TeamMember.objects.create(team=team, user=self, role=Role.ADMIN)
