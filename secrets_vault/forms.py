from __future__ import annotations

from django import forms

from secrets_vault.secrets import MAX_VALUE_LENGTH


def value_field() -> forms.CharField:
    """A value to seal: taken as typed, and never put back into the page, not even after an error."""
    return forms.CharField(
        strip=False,
        max_length=MAX_VALUE_LENGTH,
        widget=forms.PasswordInput(render_value=False, attrs={"autocomplete": "new-password", "class": "mono"}),
    )


class NewSecret(forms.Form):
    name = forms.CharField(
        max_length=64,
        help_text="Letters, digits and underscores, e.g. DEPLOY_TOKEN.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}),
    )
    value = value_field()


class SecretValue(forms.Form):
    value = value_field()
