from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from automations.models import SlackChannel, SlackKind, Webhook
from automations.models.integration import SignatureEncoding
from projects.models import Team
from secrets_vault.models import Secret

FIRST_PAYLOAD = '{\n  "event_type": "TEST",\n  "message": "A test from Team settings"\n}'
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
                raise ValidationError(f"Line {number} is not a header. Write it as Name: value.")
            if name in headers:
                raise ValidationError(f"Header {name} is given twice.")
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
        max_length=64,
        help_text="Letters, digits, “-”, “_” and spaces between them.",
        widget=forms.TextInput(attrs=PLAIN),
    )
    url = forms.CharField(
        label="Endpoint URL",
        max_length=2000,
        widget=forms.URLInput(attrs={"placeholder": "https://hooks.example.com/…", **PLAIN}),
    )
    access_token = forms.ModelChoiceField(
        Secret.objects.none(),
        required=False,
        empty_label="None",
        help_text="A team secret, sent as “Authorization: Bearer …”.",
    )
    secret = forms.ModelChoiceField(
        Secret.objects.none(),
        required=False,
        empty_label="None",
        label="Signing secret",
        help_text="A team secret that signs the body, so that the receiver knows it is from here.",
    )
    signature_encoding = forms.ChoiceField(
        choices=SignatureEncoding,
        initial=SignatureEncoding.BASE64,
        help_text="How X-Wandb-Signature is written.",
    )
    headers = HeadersField(
        required=False, help_text="One a line, e.g. X-Team: vision. A value may use a team secret as ${SECRET_NAME}."
    )

    def __init__(self, *args: Any, team: Team, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
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
    """A Slack channel's fields, under the names that `automations.slack.channels.create` takes. An existing channel has
    those of its kind, and its credential may stay."""

    workspace = forms.CharField(
        max_length=80, help_text="Its name in Slack, for people.", widget=forms.TextInput(PLAIN)
    )
    channel = forms.CharField(
        max_length=81, help_text="Such as #ml-alerts; unique in the team.", widget=forms.TextInput(PLAIN)
    )
    channel_id = forms.CharField(
        required=False,
        max_length=32,
        label="Channel id",
        help_text="At the end of the channel's details in Slack.",
        widget=forms.TextInput({**PLAIN, "placeholder": "C0123456789"}),
    )
    token = forms.CharField(
        required=False,
        max_length=1_000,
        label="Bot token",
        help_text="Of a Slack app with the scope chat:write, which was invited to the channel. Never shown again.",
        widget=forms.PasswordInput({**PLAIN, "placeholder": "xoxb-…"}),
    )
    webhook_url = forms.CharField(
        required=False,
        max_length=2_000,
        label="Or the address of an incoming webhook",
        help_text="In place of bot token and channel id. Never shown again.",
        widget=forms.PasswordInput({**PLAIN, "placeholder": "https://hooks.slack.com/services/…"}),
    )

    def __init__(self, data: Any = None, *, channel: SlackChannel | None = None) -> None:
        super().__init__(data, initial=self.values_of(channel) if channel else None)
        if channel is not None:
            by_bot = channel.kind == SlackKind.BOT
            for name in ("webhook_url",) if by_bot else ("token", "channel_id"):
                del self.fields[name]
            kept = self.fields["token" if by_bot else "webhook_url"]
            kept.label = "New bot token" if by_bot else "New address of the incoming webhook"
            kept.help_text = "Empty: the one it has stays."

    @staticmethod
    def values_of(channel: SlackChannel) -> dict[str, Any]:
        """What the form shows of a saved channel."""
        return {"workspace": channel.workspace, "channel": str(channel), "channel_id": channel.channel_id}


class TestPayload(forms.Form):
    __test__ = False  # not a test, whatever its name

    payload = forms.CharField(
        initial=FIRST_PAYLOAD,
        max_length=100_000,
        strip=False,
        help_text="JSON. It is sent as it is and not saved; ${variables} are not filled in.",
        widget=forms.Textarea(attrs={"rows": 8, "class": "code", "spellcheck": "false"}),
    )
