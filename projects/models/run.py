from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from projects.models.project import Project
from projects.names import validate_path_name

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from projects.models.user import User


class RunState(models.TextChoices):
    PENDING = "pending", _("Pending")
    RUNNING = "running", _("Running")
    FINISHED = "finished", _("Finished")
    FAILED = "failed", _("Failed")
    CRASHED = "crashed", _("Crashed")
    KILLED = "killed", _("Killed")

    @property
    def is_over(self) -> bool:
        """Whether nothing more is expected from the script."""
        return self not in {RunState.PENDING, RunState.RUNNING}


# From → to. A crashed run whose script speaks again is running; resuming takes a run that is over back to running,
# and queueing it again back to pending.
TRANSITIONS: dict[RunState, frozenset[RunState]] = {
    RunState.PENDING: frozenset({RunState.RUNNING, RunState.FAILED, RunState.KILLED}),
    RunState.RUNNING: frozenset(
        {RunState.PENDING, RunState.FINISHED, RunState.FAILED, RunState.CRASHED, RunState.KILLED}
    ),
    RunState.FINISHED: frozenset({RunState.RUNNING}),
    RunState.FAILED: frozenset({RunState.PENDING, RunState.RUNNING}),
    RunState.CRASHED: frozenset(
        {RunState.PENDING, RunState.RUNNING, RunState.FINISHED, RunState.FAILED, RunState.KILLED}
    ),
    RunState.KILLED: frozenset({RunState.RUNNING}),
}


# How much longer than others a run may be silent whose machine is being taken away: it waits for another one.
PREEMPTED_FOR = timedelta(hours=24)


class RunQuerySet(models.QuerySet["Run"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Runs of the projects the user may see."""
        return self.filter(project__in=Project.objects.visible_to(user))

    def silent_since(self, cutoff: datetime) -> Self:
        """Running runs whose script was last heard of before `cutoff`; a preempted one may be away for longer."""
        return self.filter(state=RunState.RUNNING, heartbeat_at__lt=cutoff).filter(
            Q(preempting=False) | Q(heartbeat_at__lt=cutoff - PREEMPTED_FOR)
        )


class Run(models.Model):
    """One execution of a training script. `projects.runs` holds the functions that change its state."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="runs")
    run_id = models.CharField(max_length=128, validators=[validate_path_name])
    display_name = models.CharField(max_length=255)
    state = models.CharField(max_length=16, choices=RunState, default=RunState.RUNNING)
    user = models.ForeignKey("projects.User", on_delete=models.SET_NULL, null=True, related_name="runs")
    config = models.JSONField(default=dict, blank=True)
    client_config = models.JSONField(
        default=dict, blank=True, help_text="What the client keeps for itself beside the config, under “_wandb”."
    )
    summary = models.JSONField(
        default=dict, blank=True, help_text="Last value of every logged key; NaN and infinities as strings."
    )
    keeps_summary = models.BooleanField(
        default=False, editable=False, help_text="The script sends the summary itself: what it logs leaves it alone."
    )
    system_metrics = models.JSONField(default=dict, blank=True, help_text="Last value of every system metric.")
    tags = models.JSONField(default=list, blank=True)
    group = models.CharField(max_length=255, blank=True)
    job_type = models.CharField(max_length=255, blank=True)
    notes = models.TextField(blank=True)
    program = models.CharField(max_length=1000, blank=True, help_text="The script that runs.")
    host = models.CharField(max_length=255, blank=True, help_text="The machine it runs on.")
    repo = models.CharField(max_length=1000, blank=True, help_text="The repository its code is from.")
    commit = models.CharField(max_length=255, blank=True, help_text="The commit of that repository.")
    exit_code = models.IntegerField(null=True, blank=True)
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    heartbeat_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    stop_requested_at = models.DateTimeField(null=True, blank=True)
    preempting = models.BooleanField(default=False, help_text="Its machine is being taken away; it may come back.")
    history_lines = models.PositiveBigIntegerField(default=0, editable=False)
    system_lines = models.PositiveBigIntegerField(default=0, editable=False)
    console_lines = models.PositiveBigIntegerField(default=0, editable=False)
    state_changes = models.PositiveIntegerField(default=0, editable=False)

    objects = RunQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["project", "run_id"], name="run_id_once_per_project"),
            models.CheckConstraint(condition=Q(state__in=RunState.values), name="run_state_known"),
        ]
        indexes = [
            # A project's runs, newest first.
            models.Index(fields=["project", "-created_at", "-id"], name="run_newest_of_project"),
            # Crash detection: running runs, longest silent first.
            models.Index(fields=["heartbeat_at"], condition=Q(state="running"), name="run_silent"),
            # What went wrong in the last days.
            models.Index(fields=["finished_at"], condition=Q(state__in=["failed", "crashed"]), name="run_went_wrong"),
        ]

    def __str__(self) -> str:
        return f"{self.project}/{self.run_id}"

    @property
    def is_to_stop(self) -> bool:
        """Whether somebody wishes that its script ends."""
        return self.stop_requested_at is not None or self.state == RunState.KILLED

    @property
    def duration(self) -> timedelta | None:
        """Time from start to end, or to the last sign of life while it runs."""
        if self.started_at is None:
            return None
        return max((self.finished_at or self.heartbeat_at) - self.started_at, timedelta())

    @property
    def place(self) -> dict[str, str]:
        """The names that lead to it, as addresses spell them."""
        return {"team": self.project.team.name, "project": self.project.name, "run_id": self.run_id}

    def get_absolute_url(self) -> str:
        return reverse("projects:run", kwargs=self.place)
