"""Steps 2 and 3 of an automation's form: what it does, and what it is called."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from django import forms
from django.db.models import Q, QuerySet

from automations import templating
from automations.access import administered_teams, team_of, webhooks_usable_by
from automations.models import ActionKind, Webhook
from projects.models import Project, Team
from registries.models import Registry

if TYPE_CHECKING:
    from projects.models import User


class WebhookField(forms.ModelChoiceField):
    """Webhooks by name, and where they lead."""

    def label_from_instance(self, obj: Webhook) -> str:
        paused = ", paused" if obj.paused_at else ""
        return f"{obj.name} ({urlsplit(obj.url).hostname}{paused})"


class ActionForm(forms.Form):
    """The team that owns the webhook, what to do, and the payload. Empty payload: the default document.

    `current` is the webhook an automation has already: it may stay, even if the user could not choose it now.
    """

    use_required_attribute = False

    action_kind = forms.ChoiceField(
        choices=ActionKind.choices,
        initial=ActionKind.WEBHOOK.value,
        required=False,
        label="Action",
        widget=forms.RadioSelect,
    )
    team = forms.ModelChoiceField(
        Team.objects.none(),
        empty_label=None,
        label="Team that owns the webhook",
        error_messages={"required": "Choose the team whose webhook is called."},
    )
    webhook = WebhookField(
        Webhook.objects.none(),
        empty_label="Choose a webhook",
        error_messages={
            "required": "Choose the webhook to call.",
            "invalid_choice": "This webhook is gone, or is another team's. Choose one of the list.",
        },
    )
    payload = forms.CharField(
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
        help_text="JSON. Leave it empty to send the default document.",
    )

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        by: User,
        home: Project | Registry,
        initial: Mapping[str, Any] | None = None,
        current: Webhook | None = None,
    ) -> None:
        super().__init__(data, initial=dict(initial or {}))
        teams = owning_teams(by, home, current=current)
        self.owner = self._chosen_team(list(teams), home)
        team = cast("forms.ModelChoiceField[Team]", self.fields["team"])
        team.queryset = teams
        self.initial["team"] = self.owner.pk if self.owner else None
        allowed = Q(pk__in=webhooks_usable_by(by, home).order_by().values("pk"))
        self.webhooks = Webhook.objects.filter(allowed | Q(pk=current.pk if current else None), team=self.owner)
        cast("WebhookField", self.fields["webhook"]).queryset = self.webhooks

    def _chosen_team(self, teams: list[Team], home: Project | Registry) -> Team | None:
        wanted = self.data.get("team") if self.is_bound else self.initial.get("team")
        for team in teams:
            if str(team.pk) == str(wanted):
                return team
        own = [team for team in teams if isinstance(home, Project) and team.pk == home.team_id]
        return next(iter([*own, *teams]), None)

    def clean(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        kind = cleaned["action_kind"] = cleaned.get("action_kind") or ActionKind.WEBHOOK.value
        if kind == ActionKind.NO_OP:
            for name in ("team", "webhook", "payload"):
                self.errors.pop(name, None)
            return cleaned | {"webhook": None, "payload": ""}
        return cleaned

    def clean_payload(self) -> str:
        payload: str = self.cleaned_data["payload"]
        if not payload.strip():
            return ""
        try:
            templating.parse(payload)
        except templating.InvalidTemplate as error:
            raise forms.ValidationError(error.message) from error
        return payload


class NameForm(forms.Form):
    """What the automation is called."""

    use_required_attribute = False

    name = forms.CharField(
        max_length=255, error_messages={"required": "Give it a name, so that people find it in the history."}
    )
    description = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Why it exists, for whoever meets it later.",
    )


def owning_teams(by: User, home: Project | Registry, *, current: Webhook | None = None) -> QuerySet[Team]:
    """Teams whose webhooks may be used there: the scope's own, and those the user is an admin of (AC3)."""
    own = team_of(home)
    offered = Q(pk__in=administered_teams(by).values("pk"))
    for pk in (own.pk if own else None, current.team_id if current else None):
        offered |= Q(pk=pk)
    return Team.objects.filter(offered).order_by("name")
