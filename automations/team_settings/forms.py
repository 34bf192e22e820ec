from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from automations.models import Webhook
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


class TestPayload(forms.Form):
    __test__ = False  # not a test, whatever its name

    payload = forms.CharField(
        initial=FIRST_PAYLOAD,
        max_length=100_000,
        strip=False,
        help_text="JSON. It is sent as it is and not saved; ${variables} are not filled in.",
        widget=forms.Textarea(attrs={"rows": 8, "class": "code", "spellcheck": "false"}),
    )
