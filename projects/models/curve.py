from django.db import models

from projects.models.history import Stream
from projects.models.run import Run


class MetricCurve(models.Model):
    """The outline of one metric of one run (`projects.curves`), so that a plot need not read what was logged. It can be
    made again from the chunks at any time."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="curves")
    metric = models.CharField(max_length=500)
    payload = models.BinaryField()

    class Meta:
        constraints = [
            # Also how the curves of a plot are read: some metrics of some runs.
            models.UniqueConstraint(fields=["run", "metric"], name="curve_once_per_metric"),
        ]

    def __str__(self) -> str:
        return f"{self.run_id} {self.metric}"


class DrawnUpTo(models.Model):
    """Up to which line the curves of a run's stream hold what was logged, and when that line arrived."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="drawn")
    stream = models.CharField(max_length=16, choices=Stream)
    line = models.PositiveBigIntegerField(default=0)
    arrived_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "stream"], name="drawn_once_per_stream")]

    def __str__(self) -> str:
        return f"{self.run_id} {self.stream} {self.line}"
