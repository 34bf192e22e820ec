from django.db import models

from projects.models.run import Run


class ConsoleChunk(models.Model):
    """Lines a script printed, as one upload brought them: `payload` is the zstd-compressed JSON array of the lines.

    A later chunk overwrites lines of an earlier one, because a progress bar prints its line again and again;
    `projects.console` reads them so.
    """

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="console")
    first_line = models.PositiveBigIntegerField()
    line_count = models.PositiveIntegerField()
    payload = models.BinaryField()
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.run_id} {self.first_line}+{self.line_count}"
