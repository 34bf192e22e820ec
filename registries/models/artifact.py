from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models
from django.urls import reverse

from registries.models.collection import Collection

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from projects.models import User


class ArtifactQuerySet(models.QuerySet["Artifact"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Versions that are in a collection the user may see: their own one, or one they are linked to."""
        return self.filter(
            pk__in=Membership.objects.filter(collection__in=Collection.objects.visible_to(user)).values("artifact")
        )


class Artifact(models.Model):
    """One version, as logged. Metadata and tags belong to it wherever it is linked; aliases and the version number
    belong to each of its memberships."""

    collection = models.ForeignKey(Collection, on_delete=models.CASCADE, related_name="artifacts")
    digest = models.CharField(max_length=128, blank=True)
    metadata = models.JSONField(default=dict, blank=True)
    description = models.TextField(blank=True)
    run = models.ForeignKey("projects.Run", on_delete=models.SET_NULL, null=True, blank=True, related_name="artifacts")
    user = models.ForeignKey(
        "projects.User", on_delete=models.SET_NULL, null=True, blank=True, related_name="artifacts"
    )
    created_at = models.DateTimeField()

    objects = ArtifactQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.collection} artifact {self.pk}"


class Membership(models.Model):
    """A version in a collection: where it was logged, or where it is linked, with its number and aliases there."""

    collection = models.ForeignKey(Collection, on_delete=models.CASCADE, related_name="memberships")
    artifact = models.ForeignKey(Artifact, on_delete=models.CASCADE, related_name="memberships")
    version_index = models.PositiveIntegerField()
    user = models.ForeignKey("projects.User", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-version_index"]
        constraints = [
            # Also the order of a collection's page.
            models.UniqueConstraint(fields=["collection", "version_index"], name="version_number_once"),
            models.UniqueConstraint(fields=["collection", "artifact"], name="linked_once_per_collection"),
        ]

    def __str__(self) -> str:
        return f"{self.collection}:{self.version}"

    @property
    def version(self) -> str:
        """The version's number as people write it, e.g. `v3`."""
        return f"v{self.version_index}"

    @property
    def is_link(self) -> bool:
        """Whether the version was linked here rather than logged here."""
        return self.artifact.collection_id != self.collection_id

    @property
    def alias_names(self) -> list[str]:
        """Aliases by name, without the automatic `latest`; prefetch `aliases` when listing."""
        return sorted(alias.name for alias in self.aliases.all())

    def get_absolute_url(self) -> str:
        collection = self.collection
        if collection.registry is not None:
            return reverse(
                "registries:registry_version",
                kwargs={
                    "organization": collection.registry.organization.name,
                    "registry": collection.registry.name,
                    "collection": collection.name,
                    "version": self.version,
                },
            )
        assert collection.project is not None  # the check constraint says so
        return reverse(
            "registries:version",
            kwargs={
                "team": collection.project.team.name,
                "project": collection.project.name,
                "type": collection.type,
                "collection": collection.name,
                "version": self.version,
            },
        )


class Alias(models.Model):
    """A name one version of a collection holds at a time. The automatic `latest` and `vN` are computed, not stored."""

    # Beside the membership, so that the database can promise that a collection has each alias once.
    collection = models.ForeignKey(Collection, on_delete=models.CASCADE, related_name="aliases")
    membership = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="aliases")
    name = models.CharField(max_length=128)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "aliases"
        constraints = [models.UniqueConstraint(fields=["collection", "name"], name="alias_once_per_collection")]

    def __str__(self) -> str:
        return self.name


class Tag(models.Model):
    artifact = models.ForeignKey(Artifact, on_delete=models.CASCADE, related_name="tags")
    name = models.CharField(max_length=128)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["artifact", "name"], name="tag_once_per_version")]

    def __str__(self) -> str:
        return self.name
