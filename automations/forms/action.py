"""Steps 2 and 3 of an automation's form: what it does, and what it is called."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast
from urllib.parse import urlsplit

from django import forms
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy

from automations import templating
from automations.access import administered_teams, slack_channels_usable_by, team_of, webhooks_usable_by
from automations.actionfields import FIELDS_OF_ACTION, message_problems
from automations.forms.event import Home
from automations.models import ActionKind, Automation, Severity, SlackChannel, Webhook
from automations.models.automation import TARGETS
from projects.models import Team

if TYPE_CHECKING:
    from projects.models import User

Target = TypeVar("Target", Webhook, SlackChannel)


class WebhookField(forms.ModelChoiceField):
    """Webhooks by name, and where they lead."""

    def label_from_instance(self, obj: Webhook) -> str:
        paused = ", paused" if obj.paused_at else ""
        return f"{obj.name} ({urlsplit(obj.url).hostname}{paused})"


class ChannelField(forms.ModelChoiceField):
    """Slack channels by name, and the workspace they are in."""

    def label_from_instance(self, obj: SlackChannel) -> str:
        failing = ", failing" if obj.failing_since else ""
        return f"{obj} ({obj.workspace}{failing})"


class ActionForm(forms.Form):
    """The team that owns the webhook or Slack channel, what to do, and what to send.

    `original` is the automation as it is: the webhook or channel it has may stay, even if the user could not choose it
    now, and its texts stay to the letter as long as the fields say the same.
    """

    use_required_attribute = False

    action_kind = forms.ChoiceField(
        choices=ActionKind.choices,
        initial=ActionKind.WEBHOOK.value,
        required=False,
        label=gettext_lazy("Action"),
        widget=forms.RadioSelect,
    )
    team = forms.ModelChoiceField(
        Team.objects.none(),
        empty_label=None,
        label=gettext_lazy("Team that owns the webhook or Slack channel"),
        error_messages={"required": gettext_lazy("Choose the team whose webhook or Slack channel is used.")},
    )
    webhook = WebhookField(
        Webhook.objects.none(),
        label=gettext_lazy("Webhook"),
        empty_label=gettext_lazy("Choose a webhook"),
        error_messages={
            "required": gettext_lazy("Choose the webhook to call."),
            "invalid_choice": gettext_lazy("This webhook is gone, or is another team's. Choose one of the list."),
        },
    )
    payload = forms.CharField(
        label=gettext_lazy("Payload"),
        required=False,
        strip=False,
        widget=forms.Textarea(
            attrs={
                "class": "code",
                "rows": 11,
                "spellcheck": "false",
                "placeholder": '{"text": "Something happened in ${project_name}"}',
            }
        ),
        help_text=gettext_lazy("JSON. Leave it empty to send the default document."),
    )
    slack_channel = ChannelField(
        SlackChannel.objects.none(),
        empty_label=gettext_lazy("Choose a Slack channel"),
        label=gettext_lazy("Slack channel"),
        error_messages={
            "required": gettext_lazy("Choose the Slack channel to post to."),
            "invalid_choice": gettext_lazy("This Slack channel is gone, or is another team's. Choose one of the list."),
        },
    )
    severity = forms.ChoiceField(
        choices=Severity.choices, initial=Severity.INFO.value, required=False, label=gettext_lazy("Severity")
    )
    title = forms.CharField(
        label=gettext_lazy("Title"),
        required=False,
        strip=False,
        help_text=gettext_lazy("Leave it empty for the automation's name."),
        widget=forms.Textarea(attrs={"rows": 1, "placeholder": gettext_lazy("${run_name} needs you")}),
    )
    message = forms.CharField(
        label=gettext_lazy("Message"),
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 5, "placeholder": gettext_lazy("What to do about it")}),
    )

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        by: User,
        home: Home,
        initial: Mapping[str, Any] | None = None,
        original: Automation | None = None,
    ) -> None:
        super().__init__(data, initial=dict(initial or {}))
        self.original = original
        current = original.target if original else None
        teams = owning_teams(by, home, current=current)
        self.owner = self._chosen_team(list(teams), home)
        team = cast("forms.ModelChoiceField[Team]", self.fields["team"])
        team.queryset = teams
        self.initial["team"] = self.owner.pk if self.owner else None
        self.webhooks = self._offered(Webhook.objects.all(), webhooks_usable_by(by, home), "webhook")
        self.channels = self._offered(SlackChannel.objects.all(), slack_channels_usable_by(by, home), "slack_channel")

    def _offered(self, rows: QuerySet[Target], usable: QuerySet[Target], field: str) -> QuerySet[Target]:
        current = getattr(self.original, f"{field}_id", None)
        allowed = Q(pk__in=usable.order_by().values("pk")) | Q(pk=current)
        offered = rows.filter(allowed, team=self.owner)
        cast("forms.ModelChoiceField[Any]", self.fields[field]).queryset = offered
        return offered

    def _chosen_team(self, teams: list[Team], home: Home) -> Team | None:
        wanted = self.data.get("team") if self.is_bound else self.initial.get("team")
        for team in teams:
            if str(team.pk) == str(wanted):
                return team
        of_home = team_of(home)
        own = [team for team in teams if of_home is not None and team.pk == of_home.pk]
        return next(iter([*own, *teams]), None)

    def clean(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        kind = cleaned["action_kind"] = cleaned.get("action_kind") or ActionKind.WEBHOOK.value
        foreign = {name for other, names in FIELDS_OF_ACTION.items() if other != kind for name in names}
        for name in foreign if kind in TARGETS else {*foreign, "team"}:
            self.errors.pop(name, None)
        return cleaned | {name: None if name in TARGETS.values() else "" for name in foreign}

    def clean_payload(self) -> str:
        payload = self._kept("payload")
        if not payload.strip():
            return ""
        try:
            templating.parse(payload)
        except templating.InvalidTemplate as error:
            raise forms.ValidationError(error.message) from error
        return payload

    def clean_title(self) -> str:
        return self._template("title")

    def clean_message(self) -> str:
        return self._template("message")

    def _template(self, name: str) -> str:
        text = self._kept(name)
        for problem in message_problems(name, text).values():
            raise forms.ValidationError(problem)
        return text

    def _kept(self, name: str) -> str:
        return as_stored(self.cleaned_data[name], getattr(self.original, name, ""))


class NameForm(forms.Form):
    """What the automation is called, and whether it only rehearses."""

    use_required_attribute = False

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=255,
        error_messages={"required": gettext_lazy("Give it a name, so that people find it in the history.")},
    )
    description = forms.CharField(
        label=gettext_lazy("Description"),
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("Why it exists, for whoever meets it later."),
    )
    shadow = forms.BooleanField(
        required=False,
        label=gettext_lazy("Shadow mode"),
        help_text=gettext_lazy(
            "It does everything but send: the history shows what would have gone out. One click makes it live."
        ),
    )
    # The stamp of how often it would fire; whether that is asked for, and is this one, its page knows.
    confirmed = forms.CharField(required=False, max_length=64)

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        initial: Mapping[str, Any] | None = None,
        original: Automation | None = None,
    ) -> None:
        super().__init__(data, initial=dict(initial or {}))
        self.original = original

    def clean_description(self) -> str:
        return as_stored(self.cleaned_data["description"], getattr(self.original, "description", ""))


def as_stored(typed: str, stored: str) -> str:
    """The text as it is stored, if nothing but line ends differs: browsers send them all in one way."""
    lines = typed.replace("\r\n", "\n")
    return stored if lines == stored.replace("\r\n", "\n").replace("\r", "\n") else lines


def owning_teams(by: User, home: Home, *, current: Webhook | SlackChannel | None = None) -> QuerySet[Team]:
    """Teams whose webhooks and Slack channels may be used there: the scope's own, and those the user is an admin of
    (AC3)."""
    own = team_of(home)
    offered = Q(pk__in=administered_teams(by).values("pk"))
    for pk in (own.pk if own else None, current.team_id if current else None):
        offered |= Q(pk=pk)
    return Team.objects.filter(offered).order_by("name")
