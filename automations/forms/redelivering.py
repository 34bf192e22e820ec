"""What somebody wishes who has executions carried out once more."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from automations import templating
from automations.models import Content
from automations.redelivering import Wish

REASON_LENGTH = 255
FOR_REAL = gettext_lazy("Send for real")


class WishForm(forms.Form):
    """`contents` are the choices there are; `rehearsed`: any of it was or would be a rehearsal in shadow mode."""

    content = forms.ChoiceField(label=gettext_lazy("What to send"), widget=forms.RadioSelect)
    for_real = forms.BooleanField(
        required=False,
        label=FOR_REAL,
        help_text=gettext_lazy(
            "What was a rehearsal in shadow mode, or with today's automation would be one, is sent only so."
        ),
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        required=False,
        max_length=REASON_LENGTH,
        help_text=gettext_lazy("Why; shown in the history beside your name."),
    )
    token = forms.CharField(max_length=255, widget=forms.HiddenInput)

    def __init__(self, *args: Any, contents: list[Content], rehearsed: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["content"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(content.value, content.label) for content in contents]
        field.initial = contents[0].value
        if not rehearsed:
            del self.fields["for_real"]

    def wish(self) -> Wish:
        """What was asked for in a form that is valid."""
        asked = self.cleaned_data
        return Wish(
            content=Content(asked["content"]),
            payload=asked.get("payload", ""),
            reason=asked["reason"],
            for_real=asked.get("for_real", False),
            token=asked["token"],
        )


class EditedWishForm(WishForm):
    """The same for one execution, whose payload may be edited."""

    # A text area that is not shown must not keep the browser from sending the form.
    use_required_attribute = False
    payload = forms.CharField(
        label=gettext_lazy("Payload"),
        strip=False,
        widget=forms.Textarea(attrs={"rows": 10, "class": "mono", "spellcheck": "false"}),
        help_text=gettext_lazy(
            "JSON. Variables such as ${run_name} are filled in; secrets stay references such as ${ACCESS_TOKEN}."
        ),
    )
    field_order = ["content", "payload", "for_real", "reason", "token"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["payload"].required = not self.is_bound or self.data.get("content") == Content.EDITED

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("content") != Content.EDITED:
            cleaned["payload"] = ""
            return cleaned
        try:
            templating.parse(cleaned.get("payload", ""))
        except templating.InvalidTemplate as error:
            self.add_error("payload", error.message)
        return cleaned
