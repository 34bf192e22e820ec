from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy

from automations.models.health import WithHealth
from automations.models.integration import SlackChannel, Webhook
from projects.events import Scopes
from projects.models import Organization, Project, Team
from registries.models import Collection, Registry

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from projects.models import User


class ScopeKind(models.TextChoices):
    """What an automation covers, by the name of the field that points at it."""

    ORGANIZATION = "organization", gettext_lazy("Organization")
    TEAM = "team", gettext_lazy("Team")
    PROJECT = "project", gettext_lazy("Project")
    REGISTRY = "registry", gettext_lazy("Registry")
    COLLECTION = "collection", gettext_lazy("Collection")


class EventType(models.TextChoices):
    """Events an automation can listen to, by their wire names."""

    RUN_STATE = "RUN_STATE", gettext_lazy("Run state")
    RUN_METRIC = "RUN_METRIC", gettext_lazy("Run metric threshold")
    RUN_METRIC_CHANGE = "RUN_METRIC_CHANGE", gettext_lazy("Run metric change")
    RUN_METRIC_ZSCORE = "RUN_METRIC_ZSCORE", gettext_lazy("Run metric z-score")
    RUN_ALERT = "RUN_ALERT", gettext_lazy("Alert raised")
    RUN_STALL = "RUN_STALL", gettext_lazy("Run stalled")
    CREATE_ARTIFACT = "CREATE_ARTIFACT", gettext_lazy("New artifact version")
    LINK_ARTIFACT = "LINK_MODEL", gettext_lazy("Version linked")
    UNLINK_ARTIFACT = "UNLINK_ARTIFACT", gettext_lazy("Version unlinked")
    ADD_ARTIFACT_ALIAS = "ADD_ARTIFACT_ALIAS", gettext_lazy("Alias added")
    ADD_ARTIFACT_TAG = "ADD_ARTIFACT_TAG", gettext_lazy("Tag added to a version")
    REMOVE_ARTIFACT_TAG = "REMOVE_ARTIFACT_TAG", gettext_lazy("Tag removed from a version")
    ADD_COLLECTION_TAG = "ADD_COLLECTION_TAG", gettext_lazy("Tag added to a collection")
    REMOVE_COLLECTION_TAG = "REMOVE_COLLECTION_TAG", gettext_lazy("Tag removed from a collection")
    ARTIFACT_ABSENCE = "ARTIFACT_ABSENCE", gettext_lazy("No new version")

    @property
    def rendered(self) -> str:
        """How payloads and documents name it: a link is `LINK_MODEL` on the wire and `LINK_ARTIFACT` to receivers."""
        return self.name


class ActionKind(models.TextChoices):
    """What an automation does, by its wire name."""

    WEBHOOK = "GENERIC_WEBHOOK", gettext_lazy("Webhook")
    SLACK = "NOTIFICATION", gettext_lazy("Slack notification")
    NO_OP = "NO_OP", gettext_lazy("Do nothing")


class Severity(models.TextChoices):
    """How urgent a Slack message says it is."""

    INFO = "INFO", gettext_lazy("Info")
    WARN = "WARN", gettext_lazy("Warning")
    ERROR = "ERROR", gettext_lazy("Error")


# The field that points at what an action acts on; the others are empty (automation_action_has_its_target).
TARGETS: dict[ActionKind, str] = {ActionKind.WEBHOOK: "webhook", ActionKind.SLACK: "slack_channel"}


# Scopes that hold many projects or collections: how often their automations fire is limited (EV12).
WIDE_SCOPES = frozenset({ScopeKind.ORGANIZATION, ScopeKind.TEAM, ScopeKind.REGISTRY})

# The scopes an event fits (EV1). In the database too: a pair that makes no sense cannot be stored.
OF_RUNS = frozenset({ScopeKind.PROJECT, ScopeKind.TEAM, ScopeKind.ORGANIZATION})
FITTING_SCOPES: dict[EventType, frozenset[ScopeKind]] = {
    EventType.RUN_STATE: OF_RUNS,
    EventType.RUN_METRIC: OF_RUNS,
    EventType.RUN_METRIC_CHANGE: OF_RUNS,
    EventType.RUN_METRIC_ZSCORE: OF_RUNS,
    EventType.RUN_ALERT: OF_RUNS,
    EventType.RUN_STALL: OF_RUNS,
    EventType.CREATE_ARTIFACT: OF_RUNS | {ScopeKind.COLLECTION},
    EventType.LINK_ARTIFACT: frozenset(ScopeKind),
    EventType.UNLINK_ARTIFACT: frozenset(ScopeKind),
    EventType.ADD_ARTIFACT_ALIAS: frozenset(ScopeKind),
    EventType.ADD_ARTIFACT_TAG: frozenset(ScopeKind),
    EventType.REMOVE_ARTIFACT_TAG: frozenset(ScopeKind),
    EventType.ADD_COLLECTION_TAG: frozenset(ScopeKind),
    EventType.REMOVE_COLLECTION_TAG: frozenset(ScopeKind),
    EventType.ARTIFACT_ABSENCE: frozenset({ScopeKind.COLLECTION}),
}


def exactly(kind: ScopeKind) -> Q:
    """The scope is this one and no other."""
    return Q(**{f"{other.value}__isnull": other is not kind for other in ScopeKind})


def _fitting_pairs() -> Q:
    pairs = Q()
    for event_type, kinds in FITTING_SCOPES.items():
        fits = Q()
        for kind in sorted(kinds):
            fits |= Q(**{f"{kind.value}__isnull": False})
        pairs |= Q(event_type=event_type.value) & fits
    return pairs


def _exactly_one_scope() -> Q:
    condition = Q()
    for kind in ScopeKind:
        condition |= exactly(kind)
    return condition


def _has_its_target() -> Q:
    condition = Q()
    for kind in ActionKind:
        targets = {f"{field}__isnull": TARGETS.get(kind) != field for field in TARGETS.values()}
        condition |= Q(action_kind=kind.value, **targets)
    return condition


class AutomationQuerySet(models.QuerySet["Automation"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Automations whose scope the user may see."""
        if not user.is_authenticated:
            return self.none()
        if user.is_superuser:
            return self
        return self.filter(
            Q(project__in=Project.objects.visible_to(user))
            | Q(registry__in=Registry.objects.visible_to(user))
            | Q(collection__in=Collection.objects.visible_to(user))
            | Q(team__in=Team.objects.visible_to(user))
            | Q(organization__in=Organization.objects.visible_to(user))
        )

    def covering(self, scopes: Scopes) -> Self:
        """Automations of any scope that contains it: one indexed look-up a scope."""
        covering = Q(pk__in=[])
        for kind in ScopeKind:
            key = getattr(scopes, kind.value)
            if key is not None:
                covering |= Q(**{kind.value: key})
        return self.filter(covering)

    def listening_to(self, event_types: Sequence[str], scopes: Scopes) -> Self:
        """Enabled automations on one of these events in any scope that contains it."""
        return self.covering(scopes).filter(event_type__in=event_types, enabled=True)

    def in_project(self, project: Project) -> Self:
        """Automations of the project and of its collections, as its Automations tab lists them."""
        return self.filter(Q(project=project) | Q(collection__project=project))

    def in_registry(self, registry: Registry) -> Self:
        """Automations of the registry and of its collections."""
        return self.filter(Q(registry=registry) | Q(collection__registry=registry))


class Automation(WithHealth):
    """When an event happens in a scope, and its condition holds, an action runs.

    `filter` is a document of the condition language over the fields of the run or the artifact; `condition` is what
    the event type alone asks for (states, threshold). `automations.triggers` says what each type accepts.
    """

    name = models.CharField(max_length=255)
    description = models.TextField(blank=True)
    enabled = models.BooleanField(default=True)
    shadow = models.BooleanField(default=False, help_text="It does everything but send (AC2).")
    snoozed_until = models.DateTimeField(
        null=True, editable=False, help_text="Until then what it matches is skipped; it ends by itself."
    )
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, null=True, blank=True, related_name="automations"
    )
    team = models.ForeignKey(Team, on_delete=models.CASCADE, null=True, blank=True, related_name="automations")
    project = models.ForeignKey(Project, on_delete=models.CASCADE, null=True, blank=True, related_name="automations")
    registry = models.ForeignKey(Registry, on_delete=models.CASCADE, null=True, blank=True, related_name="automations")
    collection = models.ForeignKey(
        Collection, on_delete=models.CASCADE, null=True, blank=True, related_name="automations"
    )
    event_type = models.CharField("event", max_length=32, choices=EventType)
    filter = models.JSONField(default=dict, blank=True)
    condition = models.JSONField(default=dict, blank=True)
    action_kind = models.CharField("action", max_length=32, choices=ActionKind)
    webhook = models.ForeignKey(Webhook, on_delete=models.RESTRICT, null=True, blank=True, related_name="automations")
    payload = models.TextField(blank=True, help_text="JSON template; empty for the default document.")
    slack_channel = models.ForeignKey(
        SlackChannel, on_delete=models.RESTRICT, null=True, blank=True, related_name="automations"
    )
    title = models.TextField(blank=True, help_text="Of a Slack message, a template; empty for the automation's name.")
    message = models.TextField(blank=True, help_text="Text of a Slack message, a template.")
    severity = models.CharField(max_length=8, choices=Severity, blank=True, help_text="Of a Slack message.")
    created_by = models.ForeignKey("projects.User", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    last_triggered_at = models.DateTimeField(null=True, editable=False)
    # Who last let it fire again for runs it had fired for (EV13).
    rearmed_at = models.DateTimeField(null=True, editable=False)
    rearmed_by = models.ForeignKey(
        "projects.User", on_delete=models.SET_NULL, null=True, editable=False, related_name="+"
    )
    # The number of the current AutomationVersion, here so that an event reads the rule and its number in one row.
    version = models.PositiveIntegerField(default=0, db_default=0, editable=False)

    objects = AutomationQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(condition=_exactly_one_scope(), name="automation_has_one_scope"),
            models.CheckConstraint(condition=_fitting_pairs(), name="automation_event_fits_scope"),
            models.CheckConstraint(condition=_has_its_target(), name="automation_action_has_its_target"),
            models.CheckConstraint(
                condition=Q(action_kind=ActionKind.SLACK.value, severity__in=Severity.values)
                | (~Q(action_kind=ActionKind.SLACK.value) & Q(severity="")),
                name="automation_severity_of_slack",
            ),
            *(
                models.UniqueConstraint(
                    fields=[kind.value, "name"],
                    condition=Q(**{f"{kind.value}__isnull": False}),
                    name=f"automation_name_once_per_{kind.value}",
                )
                for kind in ScopeKind
            ),
        ]
        indexes = [
            # Candidates of one event: enabled automations by scope and event type.
            models.Index(
                fields=[kind.value, "event_type"],
                condition=Q(enabled=True) & Q(**{f"{kind.value}__isnull": False}),
                name=f"automation_by_{kind.value}",
            )
            for kind in ScopeKind
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def scope_kind(self) -> ScopeKind:
        """Which of the scope fields is set."""
        for kind in ScopeKind:
            if getattr(self, f"{kind.value}_id") is not None:
                return kind
        raise ValueError(f"automation {self.pk} has no scope")

    @property
    def scope(self) -> Organization | Team | Project | Registry | Collection:
        """The thing this automation covers."""
        scope: Organization | Team | Project | Registry | Collection = getattr(self, self.scope_kind.value)
        return scope

    @property
    def target(self) -> Webhook | SlackChannel | None:
        """What its action acts on."""
        return self.webhook or self.slack_channel

    def get_absolute_url(self) -> str:
        return reverse("automations:detail", kwargs={"pk": self.pk})
