"""Forms of the admin pages: they ask the same functions as pages and API whether something may be saved."""

from __future__ import annotations

from dataclasses import fields as dataclass_fields
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import transaction

from automations import editing, webhooks
from automations.access import Scope
from automations.models import Automation, ScopeKind, Webhook
from projects.models import User


class WithTeam(forms.ModelChoiceField):
    """A choice of something a team owns; names are unique within a team only."""

    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.team} / {obj}"


class WebhookForm(forms.ModelForm):
    by: User
    extra_headers = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="One a line, as in “X-Team: research”. A value may use ${SECRET_NAME} of the team.",
    )

    class Meta:
        model = Webhook
        fields = ["team", "name", "url", "access_token", "secret", "signature_encoding"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk is not None:
            lines = [f"{header.name}: {header.value}" for header in self.instance.headers.all()]
            self.fields["extra_headers"].initial = "\n".join(lines)

    def clean_extra_headers(self) -> dict[str, str]:
        headers: dict[str, str] = {}
        for line in filter(None, map(str.strip, self.cleaned_data["extra_headers"].splitlines())):
            name, colon, value = line.partition(":")
            if not colon:
                raise ValidationError(f"“{line}” is no header: write its name, “:” and its value.")
            if name.strip() in headers:
                raise ValidationError(f"Header {name.strip()} is given twice.")
            headers[name.strip()] = value.strip()
        return headers

    def clean(self) -> dict[str, Any]:
        # Without super().clean(), which would have the constraints checked a second time, in other words.
        if self.errors:
            return self.cleaned_data
        try:
            with transaction.atomic():
                # A rehearsal: the function that saves is also the one that knows what may be saved.
                self.saved()
                transaction.set_rollback(True)
        except ValidationError as error:
            add_errors(self, error, {"headers": "extra_headers"})
        return self.cleaned_data

    def saved(self) -> Webhook:
        """Save what the form holds.

        Raises:
            ValidationError: by field.
        """
        kept = ("name", "url", "access_token", "secret", "signature_encoding")
        fields = {name: self.cleaned_data[name] for name in kept}
        fields["headers"] = self.cleaned_data["extra_headers"]
        if self.instance.pk is not None:
            return webhooks.update(Webhook.objects.get(pk=self.instance.pk), by=self.by, **fields)
        return webhooks.create(self.cleaned_data["team"], by=self.by, **fields)


class AutomationForm(forms.ModelForm):
    by: User

    class Meta:
        model = Automation
        fields = [
            *(kind.value for kind in ScopeKind),
            *("name", "description", "enabled", "shadow", "event_type", "filter", "condition"),
            *("action_kind", "webhook", "payload", "slack_channel", "title", "message", "severity"),
        ]

    def clean(self) -> dict[str, Any]:
        # Without super().clean(), as above.
        if self.errors:
            return self.cleaned_data
        try:
            self._check()
        except ValidationError as error:
            add_errors(self, error, {})
        else:
            # As it will be stored: what is filled in is part of the constraints that are checked next.
            self.cleaned_data |= editing.stored(self._draft())
        return self.cleaned_data

    def _check(self) -> None:
        for name in ("filter", "condition"):
            if self.cleaned_data[name] is None:
                self.cleaned_data[name] = {}
            if not isinstance(self.cleaned_data[name], dict):
                raise ValidationError({name: "This is a JSON object, for example {}."})
        automation = self._automation()
        editing.check(self._draft(), scope=self._scope(), by=self.by, automation=automation)

    def _automation(self) -> Automation | None:
        """The automation as it is stored: validation has changed the form's own instance."""
        return Automation.objects.get(pk=self.instance.pk) if self.instance.pk is not None else None

    def _scope(self) -> Scope:
        if self.instance.pk is not None:
            kept: Scope = self.instance.scope
            return kept
        chosen = [scope for kind in ScopeKind if (scope := self.cleaned_data.get(kind.value)) is not None]
        if len(chosen) != 1:
            raise ValidationError(
                "Choose what the automation covers: one of organization, team, project, registry, collection."
            )
        covered: Scope = chosen[0]
        return covered

    def _draft(self) -> editing.Draft:
        return editing.Draft(**{field.name: self.cleaned_data[field.name] for field in dataclass_fields(editing.Draft)})

    def saved(self) -> Automation:
        """Save what the form holds.

        Raises:
            ValidationError: by field.
        """
        automation = self._automation()
        if automation is not None:
            return editing.update(automation, self._draft(), by=self.by)
        return editing.create(self._draft(), scope=self._scope(), by=self.by)


def add_errors(form: forms.ModelForm, error: ValidationError, names: dict[str, str]) -> None:
    """Show errors at the form's fields. A path such as `condition.threshold` goes to the field it begins with."""
    if not hasattr(error, "error_dict"):
        form.add_error(None, error)
        return
    for path, messages in error.message_dict.items():
        head = path.partition(".")[0]
        field = names.get(head, head)
        form.add_error(field if field in form.fields else None, messages)
