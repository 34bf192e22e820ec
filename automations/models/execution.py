from __future__ import annotations

import uuid
from datetime import datetime
from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Q
from django.urls import reverse

from automations.models.automation import Automation, EventType
from automations.models.event import Event
from projects.models import Project
from registries.models import Registry

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from projects.models import User


class Status(models.TextChoices):
    PENDING = "pending", "Pending"
    RUNNING = "running", "Running"
    FINISHED = "finished", "Finished"
    FAILED = "failed", "Failed"
    SKIPPED = "skipped", "Skipped"


class ReasonCode(models.TextChoices):
    """Why an execution was skipped or failed, for machines; `Execution.result` says it to people."""

    NONE = "", "—"
    WEBHOOK_PAUSED = "webhook_paused", "Webhook is paused"
    LOOP = "loop", "Would run in a loop"
    REFUSED_ADDRESS = "refused_address", "Address is not allowed"
    REJECTED = "rejected", "Receiver rejected it"
    GAVE_UP = "gave_up", "Retries are used up"
    NOT_SENDABLE = "not_sendable", "Could not be sent"
    INTEGRATION_BROKEN = "integration_broken", "Integration needs an admin"
    RATE_LIMIT = "rate_limit", "Rate limit"
    SHADOW = "shadow", "Shadow mode"


class ExecutionQuerySet(models.QuerySet["Execution"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        """What automations the user may see did about events in projects and registries the user may see.

        Both matter. An organization's automation is visible to all its members, yet what it did in a team's project is
        for those who may see that project; a link happens in a project and in a registry, yet what the project's own
        automations did about it is not for everybody who may see the registry.
        """
        automation = Q(automation__in=Automation.objects.visible_to(user))
        in_project = Q(project__in=Project.objects.visible_to(user))
        in_registry = Q(registry__in=Registry.objects.visible_to(user))
        # Of a deleted automation nobody can tell whose it was: its history stays with the project.
        return self.filter(
            (automation & (in_project | in_registry))
            | (Q(automation=None) & (in_project | (in_registry & Q(project=None))))
        )

    def due(self, now: datetime) -> Self:
        """Executions somebody should work on: their time has come, or whoever claimed them is gone."""
        return self.filter(
            Q(status=Status.PENDING, next_attempt_at__lte=now) | Q(status=Status.RUNNING, claimed_until__lte=now)
        )


class Execution(models.Model):
    """One automation's answer to one event: what was done about it, and how that went.

    The automation as it was then is kept in `rule`, so that history stays true after an edit.
    """

    key = models.UUIDField(
        default=uuid.uuid4, unique=True, editable=False, help_text="The webhook-id: stable over retries."
    )
    # History outlives the automation: `rule` says what it was.
    automation = models.ForeignKey(Automation, on_delete=models.SET_NULL, null=True, related_name="executions")
    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="executions")
    # Where the event happened, beside the event, so that a History tab is one index read.
    project = models.ForeignKey(Project, on_delete=models.CASCADE, null=True, related_name="+")
    registry = models.ForeignKey(Registry, on_delete=models.CASCADE, null=True, related_name="+")
    status = models.CharField(max_length=16, choices=Status, default=Status.PENDING)
    shadow = models.BooleanField(default=False, help_text="Of an automation in shadow mode: nothing is sent (AC2).")
    reason_code = models.CharField(max_length=32, choices=ReasonCode, default=ReasonCode.NONE, blank=True)
    result = models.TextField(blank=True, help_text="How it ended, as a sentence.")
    matched_because = models.TextField(help_text="Why the condition held, with the numbers.")
    rule = models.JSONField(default=dict)
    # Of the rule, beside it: what History is filtered by.
    event_type = models.CharField(max_length=32, choices=EventType)
    # Where it goes; kept beside the rule so that it can be sent when the automation is gone meanwhile.
    webhook = models.ForeignKey("automations.Webhook", on_delete=models.SET_NULL, null=True, related_name="executions")
    slack_channel = models.ForeignKey(
        "automations.SlackChannel", on_delete=models.SET_NULL, null=True, related_name="executions"
    )
    target = models.CharField(max_length=2100, blank=True)
    payload = models.TextField(blank=True, help_text="The body as sent, secrets redacted.")
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    next_attempt_at = models.DateTimeField(null=True)
    claimed_until = models.DateTimeField(null=True)
    attempt_count = models.PositiveIntegerField(default=0)

    objects = ExecutionQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            # RE1: every matched automation has exactly one execution of an event.
            models.UniqueConstraint(fields=["automation", "event"], name="execution_once_per_event"),
            models.CheckConstraint(condition=Q(status__in=Status.values), name="execution_status_known"),
            # Nothing waits for ever: what is pending has a due time, what is running has a lease.
            models.CheckConstraint(
                condition=~Q(status=Status.PENDING.value) | Q(next_attempt_at__isnull=False),
                name="execution_pending_is_due",
            ),
            models.CheckConstraint(
                condition=~Q(status=Status.RUNNING.value) | Q(claimed_until__isnull=False),
                name="execution_running_is_claimed",
            ),
        ]
        indexes = [
            # History of one automation, newest first, and its last execution.
            models.Index(fields=["automation", "-id"], name="execution_of_automation"),
            # History tabs, newest first.
            models.Index(fields=["project", "-id"], name="execution_of_project"),
            models.Index(fields=["registry", "-id"], name="execution_of_registry"),
            # The sweep: what is due, what lost its worker.
            models.Index(fields=["next_attempt_at"], condition=Q(status="pending"), name="execution_pending"),
            models.Index(fields=["claimed_until"], condition=Q(status="running"), name="execution_running"),
        ]

    def __str__(self) -> str:
        return str(self.key)

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen to it by itself."""
        return self.status in {Status.FINISHED, Status.FAILED, Status.SKIPPED}

    @property
    def shown_status(self) -> str:
        """Its status in lists; of one in shadow mode that it was a rehearsal, unless even that went wrong."""
        rehearsed = self.shadow and self.reason_code in {ReasonCode.NONE, ReasonCode.SHADOW}
        return "shadow" if rehearsed else self.status

    def get_absolute_url(self) -> str:
        return reverse("automations:execution", kwargs={"key": self.key})


class Attempt(models.Model):
    """One try to send. The row is written before the send, so that a crash leaves evidence."""

    execution = models.ForeignKey(Execution, on_delete=models.CASCADE, related_name="attempts")
    number = models.PositiveIntegerField()
    started_at = models.DateTimeField()
    duration = models.FloatField(null=True, help_text="Seconds.")
    url = models.CharField(max_length=2000)
    request_headers = models.JSONField(default=dict, help_text="Redacted.")
    status_code = models.PositiveIntegerField(null=True)
    response_headers = models.JSONField(default=dict)
    response_body = models.TextField(blank=True, help_text="At most 20 kB, secrets redacted.")
    error = models.TextField(blank=True, help_text="What went wrong, as a sentence.")

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["execution", "number"], name="attempt_number_once")]

    def __str__(self) -> str:
        return f"{self.execution} attempt {self.number}"


class Cooldown(models.Model):
    """When an automation last fired for a run (and, for run states, a state): EV11's once in a rolling 24 hours.

    The unique row is what makes it true with many workers at once: firing is an INSERT of it, or an UPDATE that asks
    for an old `fired_at`; whoever changes no row was too late and is counted in `surplus`.
    """

    automation = models.ForeignKey(Automation, on_delete=models.CASCADE, related_name="cooldowns")
    run = models.ForeignKey("projects.Run", on_delete=models.CASCADE, related_name="+")
    state = models.CharField(max_length=16, blank=True)
    fired_at = models.DateTimeField()
    surplus = models.PositiveBigIntegerField(default=0, help_text="Matches since it fired that were not executed.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["automation", "run", "state"], name="fires_once_per_run")]

    def __str__(self) -> str:
        return f"automation {self.automation_id}, run {self.run_id} {self.state}"
