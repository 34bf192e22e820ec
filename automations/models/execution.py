from __future__ import annotations

import uuid
from datetime import datetime
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.db.models import Min, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy

from automations.models.automation import ActionKind, Automation, EventType
from automations.models.event import Event
from automations.models.redelivery import Redelivery
from projects.models import Project
from registries.models import Registry

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from projects.models import User


class Status(models.TextChoices):
    PENDING = "pending", gettext_lazy("Pending")
    RUNNING = "running", gettext_lazy("Running")
    FINISHED = "finished", gettext_lazy("Finished")
    FAILED = "failed", gettext_lazy("Failed")
    SKIPPED = "skipped", gettext_lazy("Skipped")


class ReasonCode(models.TextChoices):
    """Why an execution was skipped or failed, for machines; `Execution.result` says it to people."""

    NONE = "", "—"
    WEBHOOK_PAUSED = "webhook_paused", gettext_lazy("Webhook is paused")
    LOOP = "loop", gettext_lazy("Would run in a loop")
    REFUSED_ADDRESS = "refused_address", gettext_lazy("Address is not allowed")
    REJECTED = "rejected", gettext_lazy("Receiver rejected it")
    GAVE_UP = "gave_up", gettext_lazy("Retries are used up")
    NOT_SENDABLE = "not_sendable", gettext_lazy("Could not be sent")
    INTEGRATION_BROKEN = "integration_broken", gettext_lazy("Integration needs an admin")
    RATE_LIMIT = "rate_limit", gettext_lazy("Rate limit")
    SHADOW = "shadow", gettext_lazy("Shadow mode")
    CANCELLED = "cancelled", gettext_lazy("Cancelled")
    SNOOZED = "snoozed", gettext_lazy("Automation is snoozed")
    BREAKER_OPEN = "breaker_open", gettext_lazy("Breaker is open")
    NOISE_BUDGET = "noise_budget", gettext_lazy("Noise budget")
    QUIET_HOURS = "quiet_hours", gettext_lazy("Quiet hours")


# After the place in an index: the order of a history, and what it is filtered by.
NEWEST_FILTERED = ("-id", "created_at", "status", "event_type", "action_kind", "shadow")
# Why what is pending is not even tried.
HOLDING = frozenset({ReasonCode.BREAKER_OPEN, ReasonCode.NOISE_BUDGET, ReasonCode.QUIET_HOURS})


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

    def kept_by(self, home: Project | Registry) -> Self:
        """Those that admins of this project's team, or of this registry, decide about: see `Execution.home`."""
        by_registry = Q(automation__registry__isnull=False) | Q(automation__collection__registry__isnull=False)
        if isinstance(home, Registry):
            return self.filter(Q(registry=home) & (by_registry | Q(project=None)))
        return self.filter(project=home).exclude(by_registry)

    def due(self, now: datetime) -> Self:
        """Executions somebody should work on: their time has come, or whoever claimed them is gone."""
        return self.filter(
            Q(status=Status.PENDING, next_attempt_at__lte=now, waits_for_digest=False)
            | Q(status=Status.RUNNING, claimed_until__lte=now)
        )

    def next_due(self) -> datetime | None:
        """When there will be something to work on next, or since when there is."""
        waiting = self.filter(status=Status.PENDING, waits_for_digest=False).aggregate(at=Min("next_attempt_at"))["at"]
        claimed = self.filter(status=Status.RUNNING).aggregate(at=Min("claimed_until"))["at"]
        return min((at for at in (waiting, claimed) if at is not None), default=None)


class Execution(models.Model):
    """One automation's answer to one event: what was done about it, and how that went.

    The automation as it was then is kept in `rule`, so that history stays true after an edit.
    """

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    # History outlives the automation: `rule` says what it was.
    automation = models.ForeignKey(
        Automation, on_delete=models.SET_NULL, null=True, related_name="executions", db_index=False
    )
    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="executions")
    # Where the event happened, beside the event, so that a History tab is one index read.
    project = models.ForeignKey(Project, on_delete=models.CASCADE, null=True, related_name="+", db_index=False)
    registry = models.ForeignKey(Registry, on_delete=models.CASCADE, null=True, related_name="+", db_index=False)
    status = models.CharField(max_length=16, choices=Status, default=Status.PENDING)
    shadow = models.BooleanField(default=False, help_text="Of an automation in shadow mode: nothing is sent (AC2).")
    reason_code = models.CharField(max_length=32, choices=ReasonCode, default=ReasonCode.NONE, blank=True)
    result = models.TextField(blank=True, help_text="How it ended, as a sentence.")
    matched_because = models.TextField(help_text="Why the condition held, with the numbers.")
    rule = models.JSONField(default=dict)
    # Of the rule, beside it: what History is filtered by.
    event_type = models.CharField(max_length=32, choices=EventType)
    action_kind = models.CharField(max_length=32, choices=ActionKind, blank=True, default="", db_default="")
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
    # WH8: those of its attempts that were probes of an open breaker. The ladder does not count them.
    probe_count = models.PositiveIntegerField(default=0, db_default=0)
    # The message it comes with, where it had to wait; one of the digest's executions carries it, the others wait.
    digest = models.ForeignKey(
        "automations.Digest", on_delete=models.SET_NULL, null=True, related_name="executions", db_index=False
    )
    waits_for_digest = models.BooleanField(default=False, db_default=False)
    cancelled_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    # HI4: what a redelivery repeats, and who asked for it. Retention may take the origin first.
    origin = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, related_name="redeliveries")
    redelivery = models.ForeignKey(Redelivery, on_delete=models.RESTRICT, null=True, related_name="executions")
    message_key = models.UUIDField(null=True, help_text="Of the message it sends once more; null: it is a new one.")
    replay_of = models.UUIDField(null=True, help_text="The message that this one takes the place of.")

    objects = ExecutionQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            # RE1: every matched automation has exactly one execution of an event, beside those somebody asks for.
            models.UniqueConstraint(
                fields=["automation", "event"],
                condition=Q(redelivery__isnull=True),
                name="execution_matched_once_per_event",
            ),
            # HI4: asking once more for what is being redelivered makes no second one.
            models.UniqueConstraint(fields=["redelivery", "origin"], name="execution_redelivered_once"),
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
            # History tabs, newest first, with all they are filtered by: of a long history, what does not match is
            # passed over without being read. (Another index of the key alone would be preferred by SQLite.)
            models.Index(fields=["project", *NEWEST_FILTERED], name="execution_in_project"),
            models.Index(fields=["registry", *NEWEST_FILTERED], name="execution_in_registry"),
            # How often automations fired in the last days, counted in the index alone.
            models.Index(
                fields=["automation", "shadow", "created_at"],
                condition=Q(redelivery__isnull=True),
                name="execution_counted",
            ),
            # What is too old to be kept, and what came of the last hour.
            models.Index(fields=["created_at"], name="execution_by_age"),
            # The sweep: what is due, what lost its worker.
            models.Index(fields=["next_attempt_at"], condition=Q(status="pending"), name="execution_pending"),
            models.Index(fields=["claimed_until"], condition=Q(status="running"), name="execution_running"),
            # What an open breaker holds, in its order.
            models.Index(
                fields=["webhook", "id"],
                condition=Q(status="pending", reason_code="breaker_open"),
                name="execution_held_by_breaker",
            ),
            # The last failure of one automation, however long ago.
            models.Index(fields=["automation", "-id"], condition=Q(status="failed"), name="execution_failed"),
            # What a digest stands for.
            models.Index(fields=["digest", "id"], condition=Q(digest__isnull=False), name="execution_of_digest"),
        ]

    def __str__(self) -> str:
        return str(self.key)

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen to it by itself."""
        return self.status in {Status.FINISHED, Status.FAILED, Status.SKIPPED}

    @property
    def is_held(self) -> bool:
        """Whether it waits for something other than its next try: a breaker, quiet hours, a noise budget."""
        return self.status == Status.PENDING and self.reason_code in HOLDING

    @property
    def home(self) -> Project | Registry:
        """Whose admins decide about it: the registry of a registry's automation, else the project it happened in."""
        automation = self.automation
        scope = automation.collection or automation if automation else None
        home = self.registry if scope and scope.registry_id else self.project or self.registry
        assert home is not None  # every event happens in one of both
        return home

    @property
    def target_team(self) -> int | None:
        """The key of the team whose webhook or Slack channel it goes to."""
        target = self.webhook or self.slack_channel
        return target.team_id if target else None

    @property
    def message(self) -> uuid.UUID:
        """The message it sends: redelivered as it was, it is the one that was sent before (WH3)."""
        return self.message_key or self.key

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
