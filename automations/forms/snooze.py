"""Until when an automation is snoozed: one of the usual times, or any other."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

HOUR, TOMORROW, TIME = "hour", "tomorrow", "time"
MORNING = time(9)


class SnoozeForm(forms.Form):
    how_long = forms.ChoiceField(
        label=gettext_lazy("How long"),
        choices=[
            (HOUR, gettext_lazy("For an hour")),
            (TOMORROW, gettext_lazy("Until tomorrow, 9:00")),
            (TIME, gettext_lazy("Until a time of your choice")),
        ],
        initial=HOUR,
        widget=forms.RadioSelect,
    )
    until = forms.DateTimeField(
        label=gettext_lazy("Until"),
        required=False,
        widget=forms.DateTimeInput({"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )

    def __init__(self, data: Any = None, *, at: datetime) -> None:
        super().__init__(data)
        self.at = at
        self.fields["until"].help_text = _("For “a time of your choice”; in the time zone %(tzname)s.") % {
            "tzname": timezone.localtime(at).tzname()
        }

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("how_long") == TIME and not cleaned.get("until") and "until" not in self.errors:
            self.add_error("until", _("Choose until when."))
        return cleaned

    @property
    def chosen(self) -> datetime:
        """When the snooze is to end."""
        how_long = self.cleaned_data["how_long"]
        if how_long == HOUR:
            return self.at + timedelta(hours=1)
        if how_long == TOMORROW:
            tomorrow = timezone.localdate(self.at) + timedelta(days=1)
            return timezone.make_aware(datetime.combine(tomorrow, MORNING))
        until: datetime = self.cleaned_data["until"]
        return until
