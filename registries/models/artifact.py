from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

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


class ArtifactState(models.TextChoices):
    """How far a version got; in words of the wandb client."""

    PENDING = "PENDING", _("Being uploaded")
    COMMITTED = "COMMITTED", _("Logged")
    DELETED = "DELETED", _("Deleted")


class Artifact(models.Model):
    """One version, as logged. Metadata and tags belong to it wherever it is linked; aliases and the version number
    belong to each of its memberships. Pending and deleted ones have none: nobody finds them."""

    collection = models.ForeignKey(Collection, on_delete=models.CASCADE, related_name="artifacts")
    state = models.CharField(max_length=16, choices=ArtifactState, default=ArtifactState.COMMITTED, editable=False)
    digest = models.CharField(max_length=128, blank=True)
    commit_hash = models.CharField(max_length=40, blank=True, editable=False)
    metadata = models.JSONField(default=dict, blank=True)
    description = models.TextField(blank=True)
    run = models.ForeignKey("projects.Run", on_delete=models.SET_NULL, null=True, blank=True, related_name="artifacts")
    user = models.ForeignKey(
        "projects.User", on_delete=models.SET_NULL, null=True, blank=True, related_name="artifacts"
    )
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField(auto_now=True)
    size = models.PositiveBigIntegerField(default=0, editable=False, help_text="Bytes of all files together.")
    file_count = models.PositiveIntegerField(default=0, editable=False)
    ttl_seconds = models.PositiveBigIntegerField(null=True, blank=True, help_text="How long it is to be kept.")
    history_step = models.PositiveBigIntegerField(null=True, blank=True, help_text="Step of the run that logged it.")
    # Names the client gave the version, and its collection, before it knew an id.
    client_id = models.CharField(max_length=128, blank=True, editable=False)
    sequence_client_id = models.CharField(max_length=128, blank=True, editable=False)
    # Aliases and tags it gets when it is committed.
    labels_at_commit = models.JSONField(default=dict, blank=True, editable=False)

    objects = ArtifactQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=ArtifactState.values), name="artifact_state"),
        ]
        indexes = [
            # Whether the same content was logged before.
            models.Index(fields=["collection", "digest"], name="artifact_same_content"),
            # Those that are not kept for ever, looked through each minute; and uploads nobody ended.
            models.Index(fields=["created_at"], name="artifact_limited", condition=Q(ttl_seconds__isnull=False)),
            models.Index(fields=["created_at"], name="artifact_begun", condition=Q(state="PENDING")),
            # References between artifacts that were written before either had an id.
            models.Index(fields=["client_id"], name="artifact_client_id", condition=~Q(client_id="")),
            models.Index(
                fields=["sequence_client_id"], name="artifact_sequence_client_id", condition=~Q(sequence_client_id="")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.collection} artifact {self.pk}"

    @property
    def expires_at(self) -> datetime | None:
        """Until when it is to be kept; None is for ever, and so is what no calendar reaches."""
        if self.ttl_seconds is None:
            return None
        try:
            return self.created_at + timedelta(seconds=self.ttl_seconds)
        except OverflowError:
            return None


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
