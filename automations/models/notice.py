from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.db.models.expressions import NegatedExpression
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from automations.models.automation import Automation
from automations.models.execution import Execution
from automations.models.integration import SlackChannel, Webhook
from projects.models import Organization, OrganizationMember, Role, Team, TeamMember
from registries.models import Registry, RegistryMember, RegistryTeam

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from projects.models import User

# More are shown as "99+", so more need not be counted.
COUNTED = 100
PLACES = ("team", "registry", "organization")
SUBJECTS = ("webhook", "slack_channel", "automation")


class NoticeKind(models.TextChoices):
    """What people are told, the graver the further down."""

    FAILING = "failing", gettext_lazy("fails")
    BROKEN = "broken", gettext_lazy("needs an admin")
    BREAKER_OPEN = "breaker_open", gettext_lazy("is held back by its breaker")
    PAUSED = "paused", gettext_lazy("is paused")

    @property
    def gravity(self) -> int:
        """Order of the kinds: a notice only ever grows graver."""
        return list(NoticeKind).index(self)


class NoticeQuerySet(models.QuerySet["Notice"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Notices for admins of the team itself, of the registry or its organization, of the organization.

        Admins of an organization may do everything in its teams, but are not told of each team's failures.
        """
        if not user.is_authenticated:
            return self.none()
        condition = Q(pk__in=[])
        for place, administered in _administered(user).items():
            condition |= Q(**{f"{place}__in": administered})
        return self.filter(condition)

    def unread_by(self, user: User) -> Self:
        """Those the user has not read since they last opened, grew graver or closed."""
        return self.filter(_is_unread(user))

    def unread_first(self, user: User) -> Self:
        """The same rows, each with `unread`, the newest first among those that are and those that are not."""
        return self.annotate(unread=_is_unread(user)).order_by("-unread", "-changed_at", "-pk")

    def count_unread(self, user: User) -> int:
        """How many notices the user may see and has not read; `COUNTED` stands for that many or more."""
        # One part for each kind of place, so that each goes by its own index.
        parts = [
            self.filter(**{f"{place}__in": administered}).unread_by(user).order_by().values("pk")
            for place, administered in _administered(user).items()
        ]
        return parts[0].union(*parts[1:], all=True)[:COUNTED].count()


def _is_unread(user: User) -> NegatedExpression:
    return ~Exists(NoticeReading.objects.filter(notice=OuterRef("pk"), user=user, read_at__gte=OuterRef("changed_at")))


def _administered(user: User) -> dict[str, models.QuerySet]:
    """Keys of the places whose failures the user is told of."""
    organizations = OrganizationMember.objects.filter(user=user, role=Role.ADMIN).values("organization")
    # Who only views in a team only views in its registries.
    in_teams = TeamMember.objects.filter(user=user).exclude(role=Role.VIEW_ONLY).values("team")
    registries = Registry.objects.filter(
        Q(pk__in=RegistryMember.objects.filter(user=user, role=Role.ADMIN).values("registry"))
        | Q(pk__in=RegistryTeam.objects.filter(role=Role.ADMIN, team__in=in_teams).values("registry"))
        | Q(organization__in=organizations)
    )
    return {
        "team": TeamMember.objects.filter(user=user, role=Role.ADMIN).values("team"),
        "registry": registries.values("pk"),
        "organization": organizations,
    }


def _exactly_one(fields: tuple[str, ...]) -> Q:
    condition = Q()
    for chosen in fields:
        condition |= Q(**{f"{field}__isnull": field != chosen for field in fields})
    return condition


class Notice(models.Model):
    """Something the admins of a team, a registry or an organization are told: that a webhook, a Slack channel or an
    automation fails, and that it no longer does. One row lasts from the failure to the recovery."""

    kind = models.CharField(max_length=16, choices=NoticeKind)
    team = models.ForeignKey(Team, on_delete=models.CASCADE, null=True, related_name="notices")
    registry = models.ForeignKey(Registry, on_delete=models.CASCADE, null=True, related_name="notices")
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, null=True, related_name="notices")
    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, null=True, related_name="notices")
    slack_channel = models.ForeignKey(SlackChannel, on_delete=models.CASCADE, null=True, related_name="notices")
    automation = models.ForeignKey(Automation, on_delete=models.CASCADE, null=True, related_name="notices")
    execution = models.ForeignKey(
        Execution, on_delete=models.SET_NULL, null=True, related_name="+", help_text="The one it began with."
    )
    sentence = models.TextField(help_text="What happened, secrets redacted.")
    opened_at = models.DateTimeField()
    # When it opened, grew graver or closed: who read it before that has not read this.
    changed_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    closed_because = models.TextField(blank=True)
    closed_by = models.ForeignKey("projects.User", on_delete=models.SET_NULL, null=True, related_name="+")
    # When those who want e-mail are to get one about it as it is then; null if they had it.
    mail_due_at = models.DateTimeField(null=True)
    times = models.PositiveIntegerField(default=1, help_text="How often it opened, with short recoveries between.")

    objects = NoticeQuerySet.as_manager()

    class Meta:
        ordering = ["-changed_at", "-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=NoticeKind.values), name="notice_kind_known"),
            models.CheckConstraint(condition=_exactly_one(PLACES), name="notice_is_of_one_place"),
            models.CheckConstraint(condition=_exactly_one(SUBJECTS), name="notice_is_about_one_thing"),
            # However many workers meet the same failure.
            *(
                models.UniqueConstraint(
                    fields=[field],
                    condition=Q(closed_at__isnull=True, **{f"{field}__isnull": False}),
                    name=f"notice_open_once_per_{field}",
                )
                for field in SUBJECTS
            ),
        ]
        indexes = [
            # The page of notices, the newest first; and the old ones that go.
            models.Index(fields=["-changed_at", "-id"], name="notice_newest"),
            # What is to be mailed.
            models.Index(fields=["mail_due_at"], condition=Q(mail_due_at__isnull=False), name="notice_to_mail"),
        ]

    def __str__(self) -> str:
        return f"{self.subject_kind} {self.subject} {self.get_kind_display()}"

    @property
    def subject(self) -> Webhook | SlackChannel | Automation:
        """What it is about."""
        found = self.webhook or self.slack_channel or self.automation
        assert found is not None  # the check constraint says so
        return found

    @property
    def place(self) -> Team | Registry | Organization:
        """Whose admins are told."""
        found = self.team or self.registry or self.organization
        assert found is not None  # the check constraint says so
        return found

    @property
    def subject_kind(self) -> str:
        """What kind of thing it is about, to begin a sentence with."""
        if self.webhook_id is not None:
            return _("Webhook")
        return _("Slack channel") if self.slack_channel_id is not None else _("Automation")

    @property
    def is_open(self) -> bool:
        """Whether what it tells still is so."""
        return self.closed_at is None


class NoticeReading(models.Model):
    """When somebody last read a notice."""

    notice = models.ForeignKey(Notice, on_delete=models.CASCADE, related_name="readings")
    user = models.ForeignKey("projects.User", on_delete=models.CASCADE, related_name="+")
    read_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["notice", "user"], name="notice_read_once")]

    def __str__(self) -> str:
        return f"{self.user} read notice {self.notice_id}"


class NoticeMail(models.Model):
    """One mail about a notice to one person: what it says is the kind of the notice, or that it is closed. `due_at` is
    when to try (again), and null once it is sent or given up; a worker moves it on before it sends."""

    notice = models.ForeignKey(Notice, on_delete=models.CASCADE, related_name="mails")
    user = models.ForeignKey("projects.User", on_delete=models.CASCADE, related_name="+")
    said = models.CharField(max_length=16)
    due_at = models.DateTimeField(null=True)
    attempts = models.PositiveIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["notice", "user", "said"], name="notice_mailed_once")]
        indexes = [
            # What is to be sent now.
            models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="notice_mail_due"),
        ]

    def __str__(self) -> str:
        return f"{self.said} of notice {self.notice_id} to {self.user}"
