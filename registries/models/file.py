from __future__ import annotations

from django.db import models
from django.db.models import Q

from registries.models.artifact import Artifact


class ArtifactFile(models.Model):
    """One entry of a version's manifest: bytes that were uploaded, or a reference to something kept elsewhere."""

    artifact = models.ForeignKey(Artifact, on_delete=models.CASCADE, related_name="files")
    path = models.CharField(max_length=1000)
    digest = models.TextField(help_text="MD5 in base64; of a reference, whatever tells its versions apart.")
    size = models.PositiveBigIntegerField(default=0)
    blob = models.ForeignKey("projects.Blob", on_delete=models.RESTRICT, null=True, related_name="artifact_files")
    reference = models.TextField(blank=True)

    class Meta:
        ordering = ["path"]
        constraints = [
            # Also the order in which files are listed, and how one is found.
            models.UniqueConstraint(fields=["artifact", "path"], name="file_path_once_per_version"),
            models.CheckConstraint(
                condition=Q(blob__isnull=False, reference="") | (Q(blob__isnull=True) & ~Q(reference="")),
                name="file_has_bytes_or_a_reference",
            ),
        ]

    def __str__(self) -> str:
        return self.path


class ArtifactManifest(models.Model):
    """The list of a version's files, as the wandb client wrote it: announced first, then uploaded."""

    artifact = models.OneToOneField(Artifact, on_delete=models.CASCADE, related_name="manifest")
    md5 = models.CharField(max_length=24, blank=True, help_text="In base64; empty while the client does not know it.")
    blob = models.ForeignKey("projects.Blob", on_delete=models.RESTRICT, null=True, related_name="manifests")
    # The version whose files belong to this one too, if only those that were added are listed.
    base = models.ForeignKey(Artifact, on_delete=models.SET_NULL, null=True, related_name="+")

    def __str__(self) -> str:
        return f"files of {self.artifact_id}"


class ArtifactUse(models.Model):
    """A run that used a version: the other half of lineage, beside the run that logged it."""

    run = models.ForeignKey("projects.Run", on_delete=models.CASCADE, related_name="artifact_uses")
    artifact = models.ForeignKey(Artifact, on_delete=models.CASCADE, related_name="uses")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [models.UniqueConstraint(fields=["run", "artifact"], name="artifact_use_once_per_run")]

    def __str__(self) -> str:
        return f"{self.run_id} uses {self.artifact_id}"
