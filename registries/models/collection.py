from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from projects.models import Project
from projects.names import NAME_LENGTH, validate_path_name
from registries.models.registry import Registry

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from projects.models import User


class CollectionQuerySet(models.QuerySet["Collection"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Collections of the projects and registries the user may see."""
        return self.filter(
            Q(project__in=Project.objects.visible_to(user)) | Q(registry__in=Registry.objects.visible_to(user))
        )


class CollectionKind(models.TextChoices):
    """Where the versions of a collection come from."""

    SEQUENCE = "sequence", _("Logged versions")
    PORTFOLIO = "portfolio", _("Linked versions")


class Collection(models.Model):
    """The versions v0, v1, … of one artifact: logged in a project, or linked to a registry or another project."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, null=True, blank=True, related_name="collections")
    registry = models.ForeignKey(Registry, on_delete=models.CASCADE, null=True, blank=True, related_name="collections")
    name = models.CharField(max_length=NAME_LENGTH, validators=[validate_path_name])
    type = models.CharField(max_length=NAME_LENGTH, validators=[validate_path_name])
    kind = models.CharField(max_length=16, choices=CollectionKind, default=CollectionKind.SEQUENCE, editable=False)
    description = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    # Index the next version gets. Raised by a conditional UPDATE in the transaction that adds the version, so that
    # numbers have neither gaps nor doubles, also after a version is deleted.
    next_index = models.PositiveIntegerField(default=0, editable=False)

    objects = CollectionQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(project__isnull=False, registry__isnull=True)
                | Q(project__isnull=True, registry__isnull=False),
                name="collection_in_a_project_or_a_registry",
            ),
            models.CheckConstraint(
                condition=Q(kind=CollectionKind.PORTFOLIO) | Q(kind=CollectionKind.SEQUENCE, registry__isnull=True),
                name="collections_of_registries_hold_links",
            ),
            models.UniqueConstraint(
                fields=["project", "name"],
                condition=Q(project__isnull=False),
                name="collection_name_once_per_project",
            ),
            models.UniqueConstraint(
                fields=["registry", "name"],
                condition=Q(registry__isnull=False),
                name="collection_name_once_per_registry",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.registry or self.project}/{self.name}"

    @property
    def is_linked(self) -> bool:
        """Whether it holds links rather than logged versions."""
        return self.kind == CollectionKind.PORTFOLIO

    def get_absolute_url(self) -> str:
        if self.registry is not None:
            return reverse(
                "registries:registry_collection",
                kwargs={
                    "organization": self.registry.organization.name,
                    "registry": self.registry.name,
                    "collection": self.name,
                },
            )
        assert self.project is not None  # the check constraint says so
        return reverse(
            "registries:collection",
            kwargs={
                "team": self.project.team.name,
                "project": self.project.name,
                "type": self.type,
                "collection": self.name,
            },
        )


class CollectionTag(models.Model):
    collection = models.ForeignKey(Collection, on_delete=models.CASCADE, related_name="tags")
    name = models.CharField(max_length=128)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["collection", "name"], name="collection_tag_once")]

    def __str__(self) -> str:
        return self.name
