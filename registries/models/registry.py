from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Q
from django.urls import reverse

from projects.models import Organization, Role
from projects.names import NAME_LENGTH, validate_path_name

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from projects.models import User


class RegistryQuerySet(models.QuerySet["Registry"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Registries of the organizations the user is a member of (directly or through a team), and those they
        were added to; all of them to an instance admin."""
        if not user.is_authenticated:
            return self.none()
        if user.is_superuser:
            return self
        return self.filter(
            Q(organization__in=Organization.objects.visible_to(user))
            | Q(pk__in=RegistryMember.objects.filter(user=user).values("registry"))
        )


class Registry(models.Model):
    """An organization's shelf of linked versions: its collections hold links to versions logged in projects."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="registries")
    name = models.CharField(max_length=NAME_LENGTH, validators=[validate_path_name])
    description = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = RegistryQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "registries"
        constraints = [
            models.UniqueConstraint(fields=["organization", "name"], name="registry_name_once_per_organization")
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
