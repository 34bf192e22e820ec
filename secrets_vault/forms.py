from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from secrets_vault.secrets import MAX_VALUE_LENGTH

# Hours for which an old value goes on signing.
OVERLAPS = (
    (0, _("Stops at once")),
    (1, _("Signs for 1 more hour")),
    (24, _("Signs for 1 more day")),
    (72, _("Signs for 3 more days")),
    (168, _("Signs for 7 more days")),
)


def value_field() -> forms.CharField:
    """A value to seal: taken as typed, and never put back into the page, not even after an error."""
    return forms.CharField(
        label=_("Value"),
        strip=False,
        max_length=MAX_VALUE_LENGTH,
        widget=forms.PasswordInput(render_value=False, attrs={"autocomplete": "new-password", "class": "mono"}),
    )


class NewSecret(forms.Form):
    name = forms.CharField(
        label=_("Name"),
        max_length=64,
        help_text=_("Letters, digits and underscores, e.g. DEPLOY_TOKEN."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}),
    )
    value = value_field()


class SecretValue(forms.Form):
    value = value_field()
    overlap = forms.TypedChoiceField(
        label=_("Old value"),
        choices=OVERLAPS,
        coerce=int,
        initial=0,
        help_text=_(
            "While it signs, webhook-signature carries both signatures, and receivers "
            "can change over one by one. X-Wandb-Signature, ${NAME} and access tokens "
            "use the new value at once."
        ),
    )
    version = forms.IntegerField(widget=forms.HiddenInput)


class SecretVersion(forms.Form):
    """Which rotation somebody means who ends the old value."""

    version = forms.IntegerField(widget=forms.HiddenInput)
