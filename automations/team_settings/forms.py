from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from automations.models import SlackChannel, SlackKind, Webhook
from automations.models.integration import SignatureEncoding
from automations.presets import Preset
from projects.models import Team
from secrets_vault.models import Secret

FIRST_PAYLOAD = '{\n  "event_type": "TEST",\n  "message": "A test from Team settings"\n}'
NOT_NEEDED = gettext_noop("Not needed by this receiver.")
PLAIN = {"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}


class HeadersField(forms.CharField):
    """Request headers, one `Name: value` a line; cleans to a dict."""

    widget = forms.Textarea(attrs={"rows": 3, "class": "code", "placeholder": "X-Team: ${TEAM_TOKEN}", **PLAIN})

    def to_python(self, value: Any) -> Any:
        headers: dict[str, str] = {}
        for number, line in enumerate((super().to_python(value) or "").splitlines(), start=1):
            name, colon, content = (part.strip() for part in line.partition(":"))
            if not line.strip():
                continue
            if not colon or not name:
                raise ValidationError(
                    _("Line %(number)s is not a header. Write it as Name: value.") % {"number": number}
                )
            if name in headers:
                raise ValidationError(_("Header %(name)s is given twice.") % {"name": name})
            headers[name] = content
        return headers

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, dict):
            return "\n".join(f"{name}: {content}" for name, content in value.items())
        return value

    def run_validators(self, value: Any) -> None:
        """Nothing here: names and values are judged when the webhook is saved."""


class WebhookForm(forms.Form):
    """A webhook's fields, under the names that `automations.webhooks.create` takes."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=64,
        help_text=gettext_lazy("Letters, digits, “-”, “_” and spaces between them."),
        widget=forms.TextInput(attrs=PLAIN),
    )
    url = forms.CharField(
        label=gettext_lazy("Endpoint URL"),
        max_length=2000,
        widget=forms.URLInput(attrs={"placeholder": "https://hooks.example.com/…", **PLAIN}),
    )
    access_token = forms.ModelChoiceField(
        Secret.objects.none(),
        label=gettext_lazy("Access token"),
        required=False,
        empty_label=gettext_lazy("None"),
        help_text=gettext_lazy("A team secret, sent as “Authorization: Bearer …”."),
    )
    secret = forms.ModelChoiceField(
        Secret.objects.none(),
        required=False,
        empty_label=gettext_lazy("None"),
        label=gettext_lazy("Signing secret"),
        help_text=gettext_lazy("A team secret that signs the body, so that the receiver knows it is from here."),
    )
    signature_encoding = forms.ChoiceField(
        label=gettext_lazy("Signature encoding"),
        choices=SignatureEncoding,
        initial=SignatureEncoding.BASE64,
        help_text=gettext_lazy("How X-Wandb-Signature is written."),
    )
    headers = HeadersField(
        label=gettext_lazy("Headers"),
        required=False,
        help_text=gettext_lazy("One a line, e.g. X-Team: vision. A value may use a team secret as ${SECRET_NAME}."),
    )

    def __init__(self, *args: Any, team: Team, preset: Preset | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if preset is not None:
            self.fields["url"].widget.attrs["placeholder"] = preset.url
            self.fields["access_token"].help_text = _(preset.token or NOT_NEEDED)
        for name in ("access_token", "secret"):
            field = self.fields[name]
            assert isinstance(field, forms.ModelChoiceField)
            field.queryset = Secret.objects.filter(team=team)

    @staticmethod
    def values_of(webhook: Webhook) -> dict[str, Any]:
        """What the form shows of a saved webhook."""
        return {
            "name": webhook.name,
            "url": webhook.url,
            "access_token": webhook.access_token_id,
            "secret": webhook.secret_id,
            "signature_encoding": webhook.signature_encoding,
            "headers": {header.name: header.value for header in webhook.headers.all()},
        }


class SlackChannelForm(forms.Form):
    """A Slack channel's fields, under the names that `automations.slack.channels` takes: those of an incoming webhook,
    or those of the channel that is changed, whose address may stay."""

    workspace = forms.CharField(
        label=gettext_lazy("Workspace"),
        max_length=80,
        help_text=gettext_lazy("Its name in Slack, for people."),
        widget=forms.TextInput(PLAIN),
    )
    channel = forms.CharField(
        label=gettext_lazy("Channel"),
        max_length=81,
        help_text=gettext_lazy("Such as #ml-alerts; unique in the team."),
        widget=forms.TextInput(PLAIN),
    )
    channel_id = forms.CharField(
        max_length=32,
        label=gettext_lazy("Channel id"),
        help_text=gettext_lazy("At the end of the channel's details in Slack."),
        widget=forms.TextInput({**PLAIN, "placeholder": "C0123456789"}),
    )
    webhook_url = forms.CharField(
        max_length=2_000,
        label=gettext_lazy("Address of the incoming webhook"),
        help_text=gettext_lazy("It leads to this channel. Never shown again."),
        widget=forms.PasswordInput({**PLAIN, "placeholder": "https://hooks.slack.com/services/…"}),
    )

    def __init__(self, data: Any = None, *, channel: SlackChannel | None = None) -> None:
        super().__init__(data, initial=self.values_of(channel) if channel else None)
        by_bot = channel is not None and channel.kind == SlackKind.BOT
        del self.fields["webhook_url" if by_bot else "channel_id"]
        if channel is not None and channel.connection_id is not None:
            del self.fields["workspace"]
        if channel is not None and not by_bot:
            kept = self.fields["webhook_url"]
            kept.required = False
            kept.label = _("New address of the incoming webhook")
            kept.help_text = _("Empty: the one it has stays.")

    @staticmethod
    def values_of(channel: SlackChannel) -> dict[str, Any]:
        """What the form shows of a saved channel."""
        return {"workspace": channel.workspace, "channel": str(channel), "channel_id": channel.channel_id}


class TestPayload(forms.Form):
    __test__ = False  # not a test, whatever its name

    payload = forms.CharField(
        label=gettext_lazy("Payload"),
        initial=FIRST_PAYLOAD,
        max_length=100_000,
        strip=False,
        help_text=gettext_lazy("JSON. It is sent as it is and not saved; ${variables} are not filled in."),
        widget=forms.Textarea(attrs={"rows": 8, "class": "code", "spellcheck": "false"}),
    )
