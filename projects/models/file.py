from django.db import models

from projects.models.run import Run
from projects.models.team import Team


class Blob(models.Model):
    """Bytes that somebody uploaded, once for each team. `projects.storage` writes and deletes them.

    Teams never share one: what a digest names would otherwise be had by whoever knows the digest.
    """

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="blobs")
    sha256 = models.CharField(max_length=64)
    md5 = models.CharField(max_length=24, help_text="In base64, as the wandb client writes it.")
    size = models.PositiveBigIntegerField()
    path = models.CharField(max_length=255, unique=True, help_text="Its name in the storage; never used twice.")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["team", "sha256"], name="blob_once_per_team")]
        indexes = [
            # Clients know what they have by its MD5.
            models.Index(fields=["team", "md5"], name="blob_md5_of_team"),
        ]

    def __str__(self) -> str:
        return f"{self.sha256} ({self.size} bytes)"


class RunFile(models.Model):
    """A file a script uploaded with its run; `name` is its path there, such as `media/table/losses.table.json`."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="files")
    name = models.CharField(max_length=1000)
    blob = models.ForeignKey(Blob, on_delete=models.RESTRICT, related_name="run_files")
    updated_at = models.DateTimeField()

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["run", "name"], name="run_file_name_once")]

    def __str__(self) -> str:
        return f"{self.run_id} {self.name}"
