from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from projects.models.entity import Entity
from projects.names import NAME_LENGTH, validate_not_reserved, validate_slug_name

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from projects.models.user import User


class Role(models.TextChoices):
    """What a member may do, in a team, an organization or a registry (see `projects.access`)."""

    ADMIN = "admin", _("Admin")
    MEMBER = "member", _("Member")
    VIEW_ONLY = "view-only", _("View-only")

    @property
    def rank(self) -> int:
        """Order of the roles: the higher one may do all that the lower one may."""
        return {"view-only": 1, "member": 2, "admin": 3}[self.value]


def language_of_the_instance() -> str:
    """What a team's messages are in until somebody says otherwise."""
    return settings.LANGUAGE_CODE


class OrganizationQuerySet(models.QuerySet["Organization"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Organizations the user is in, directly or through a team; all of them to an instance admin."""
        if not user.is_authenticated:
            return self.none()
        if user.is_superuser:
            return self
        return self.filter(
            Q(pk__in=OrganizationMember.objects.filter(user=user).values("organization"))
            | Q(
                pk__in=TeamMember.objects.filter(user=user, team__organization__isnull=False).values(
                    "team__organization"
                )
            )
        )


class Organization(Entity):
    """Owns teams and registries."""

    created_at = models.DateTimeField(auto_now_add=True)

    objects = OrganizationQuerySet.as_manager()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class OrganizationMember(models.Model):
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey("projects.User", on_delete=models.CASCADE, related_name="organization_memberships")
    role = models.CharField(max_length=16, choices=Role, default=Role.MEMBER)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "user"], name="organization_member_once"),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="organization_member_role"),
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.organization} ({self.role})"


class TeamQuerySet(models.QuerySet["Team"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Teams the user is a member of, or whose organization they administer; all of them to an instance admin."""
        if not user.is_authenticated:
            return self.none()
        if user.is_superuser:
            return self
        return self.filter(
            Q(pk__in=TeamMember.objects.filter(user=user).values("team"))
            | Q(organization__in=OrganizationMember.objects.filter(user=user, role=Role.ADMIN).values("organization"))
        )


class Team(Entity):
    """Owns projects, webhooks and secrets. A personal team has an owner and no organization."""

    name = models.CharField(
        max_length=NAME_LENGTH,
        unique=True,
        validators=[validate_slug_name, validate_not_reserved],
        error_messages={"unique": _("There is a team or a user with this name already.")},
    )
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, null=True, blank=True, related_name="teams"
    )
    owner = models.OneToOneField(
        "projects.User", on_delete=models.CASCADE, null=True, blank=True, related_name="personal_team"
    )
    members_edit_automations = models.BooleanField(
        default=False, help_text="Members, not only admins, may create, edit and delete automations."
    )
    language = models.CharField(
        max_length=8,
        choices=settings.LANGUAGES,
        default=language_of_the_instance,
        # what the code of the release before writes while hosts are upgraded one by one
        db_default="en",
        help_text="Of e-mails and Slack messages. Pages are in the language of whoever looks at them.",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TeamQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(organization__isnull=False, owner__isnull=True)
                | Q(organization__isnull=True, owner__isnull=False),
                name="team_of_an_organization_or_personal",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_personal(self) -> bool:
        """Whether this is one user's own namespace."""
        return self.owner_id is not None

    def get_absolute_url(self) -> str:
        return reverse("projects:team", kwargs={"team": self.name})


class TeamMember(models.Model):
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey("projects.User", on_delete=models.CASCADE, related_name="team_memberships")
    role = models.CharField(max_length=16, choices=Role, default=Role.MEMBER)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["team", "user"], name="team_member_once"),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="team_member_role"),
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.team} ({self.role})"
