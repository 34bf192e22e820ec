from django.db import models

from projects.models.run import Run


class Stream(models.TextChoices):
    HISTORY = "history", "History"
    SYSTEM = "system", "System metrics"


class MetricChunk(models.Model):
    """One uploaded batch of logged rows: the cost of logging follows bytes, not metrics, so there is no row per point.

    `payload` is the zstd-compressed JSON array of the rows, as sent (NaN and infinities bare). Row `i` of the array
    is line `first_line + i` of the stream.
    """

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="chunks")
    stream = models.CharField(max_length=16, choices=Stream, default=Stream.HISTORY)
    first_line = models.PositiveBigIntegerField()
    line_count = models.PositiveIntegerField()
    payload = models.BinaryField()
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            # Also the order in which a series is read; a batch sent twice cannot be stored twice.
            models.UniqueConstraint(fields=["run", "stream", "first_line"], name="chunk_line_once"),
        ]

    def __str__(self) -> str:
        return f"{self.run_id} {self.stream} {self.first_line}+{self.line_count}"


class MetricWindow(models.Model):
    """The last values of one metric of one run that an automation watches, so that a batch is judged without
    reading history. `values` are little-endian float64, oldest first, at most `capacity` of them, of the lines before
    `next_line`; a window that misses lines, or is smaller than asked for, is filled anew from the chunks. `moved_at` is
    when a value last differed from the one before, None for a metric that the run has not logged."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="windows")
    metric = models.CharField(max_length=500)
    capacity = models.PositiveIntegerField()
    next_line = models.PositiveBigIntegerField()
    values = models.BinaryField(default=bytes)
    moved_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "metric"], name="window_once_per_metric")]

    def __str__(self) -> str:
        return f"{self.run_id} {self.metric}"
