from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from projects.models import Organization, OrganizationMember, Role, TeamMember
from projects.names import NAME_LENGTH, validate_path_name

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from projects.models import User


class Visibility(models.TextChoices):
    """Who sees a registry beside its own members and the admins of its organization."""

    ORGANIZATION = "organization", _("Everyone in the organization")
    RESTRICTED = "restricted", _("Its members only")


def reaches(user: User, least: Role) -> Q:
    """Registries in which the user's role is this one or a higher one. It is the highest of their roles in the
    organization, in any of its teams (as member at most) and in the registry itself, their own one and those of their
    teams; who only views in a team only views by its role. In a restricted registry only the last count, for all but
    admins of the organization."""
    roles = [role for role in Role if role.rank >= least.rank]
    organizations = OrganizationMember.objects.filter(user=user)
    # By its teams nobody becomes an admin of an organization's registry.
    in_teams = TeamMember.objects.filter(user=user, role__in=roles) if least is not Role.ADMIN else None
    organization = Q(organization__in=organizations.filter(role__in=roles).values("organization"))
    if in_teams is not None:
        of_teams = in_teams.filter(team__organization__isnull=False).values("team__organization")
        organization |= Q(organization__in=of_teams)
    acting = TeamMember.objects.filter(user=user)
    if least is not Role.VIEW_ONLY:
        acting = acting.exclude(role=Role.VIEW_ONLY)
    return (
        Q(organization__in=organizations.filter(role=Role.ADMIN).values("organization"))
        | (Q(visibility=Visibility.ORGANIZATION) & organization)
        | Q(pk__in=RegistryMember.objects.filter(user=user, role__in=roles).values("registry"))
        | Q(pk__in=RegistryTeam.objects.filter(role__in=roles, team__in=acting.values("team")).values("registry"))
    )


class RegistryQuerySet(models.QuerySet["Registry"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Registries in which the user has a role, if only to look; all of them to an instance admin."""
        return self.in_which(user, least=Role.VIEW_ONLY)

    def in_which(self, user: User | AnonymousUser, *, least: Role) -> Self:
        """Registries in which the user's role is this one or a higher one."""
        if not user.is_authenticated:
            return self.none()
        return self if user.is_superuser else self.filter(reaches(user, least))


class Registry(models.Model):
    """An organization's shelf of linked versions: its collections hold links to versions logged in projects."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="registries")
    name = models.CharField(max_length=NAME_LENGTH, validators=[validate_path_name])
    description = models.TextField(blank=True)
    visibility = models.CharField(max_length=16, choices=Visibility, default=Visibility.ORGANIZATION)
    # If not, only the types among `accepted_types`.
    accepts_all_types = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = RegistryQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "registries"
        constraints = [
            models.UniqueConstraint(fields=["organization", "name"], name="registry_name_once_per_organization"),
            models.CheckConstraint(condition=Q(visibility__in=Visibility.values), name="registry_visibility"),
        ]

    def __str__(self) -> str:
        return f"{self.organization}/{self.name}"

    def get_absolute_url(self) -> str:
        return reverse(
            "registries:registry",
            kwargs={"organization": self.organization.name, "registry": self.name},
        )


class RegistryMember(models.Model):
    """A role in one registry, where it is to be higher than the one the user has in the organization."""

    registry = models.ForeignKey(Registry, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey("projects.User", on_delete=models.CASCADE, related_name="registry_memberships")
    role = models.CharField(max_length=16, choices=Role, default=Role.MEMBER)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["registry", "user"], name="registry_member_once"),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="registry_member_role"),
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.registry} ({self.role})"


class RegistryTeam(models.Model):
    """A role in one registry for everybody in a team; those who only view in the team only view here."""

    registry = models.ForeignKey(Registry, on_delete=models.CASCADE, related_name="team_memberships")
    team = models.ForeignKey("projects.Team", on_delete=models.CASCADE, related_name="registry_memberships")
    role = models.CharField(max_length=16, choices=Role, default=Role.MEMBER)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["registry", "team"], name="registry_team_once"),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="registry_team_role"),
        ]

    def __str__(self) -> str:
        return f"{self.team} in {self.registry} ({self.role})"


class AcceptedType(models.Model):
    """A type of artifacts that may be linked to a registry which does not accept all."""

    registry = models.ForeignKey(Registry, on_delete=models.CASCADE, related_name="accepted_types")
    name = models.CharField(max_length=NAME_LENGTH, validators=[validate_path_name])

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["registry", "name"], name="accepted_type_once_per_registry")]

    def __str__(self) -> str:
        return self.name


class ProtectedAlias(models.Model):
    """An alias that only admins of the registry add, move or remove, in any of its collections."""

    registry = models.ForeignKey(Registry, on_delete=models.CASCADE, related_name="protected_aliases")
    name = models.CharField(max_length=NAME_LENGTH)

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "protected aliases"
        constraints = [models.UniqueConstraint(fields=["registry", "name"], name="protected_alias_once_per_registry")]

    def __str__(self) -> str:
        return self.name
