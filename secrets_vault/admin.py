"""Team secrets, for admins of the whole server: a value goes in and never comes out."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters

from projects.operators import OperatorAdmin, RecordAdmin, acting
from secrets_vault import secrets
from secrets_vault.models import OldValue, Secret


class SecretForm(forms.ModelForm):
    new_value = forms.CharField(
        strip=False,
        max_length=secrets.MAX_VALUE_LENGTH,
        widget=forms.PasswordInput(render_value=False, attrs={"autocomplete": "new-password"}),
        help_text="Sealed when saved, and never shown again.",
    )

    class Meta:
        model = Secret
        fields = ["team", "name"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk is not None:
            self.fields["new_value"].help_text = "Replaces the value at once, wherever the secret is used."


@admin.register(Secret)
class SecretAdmin(OperatorAdmin):
    form = SecretForm
    list_display = ["name", "team", "created_by", "created_at", "rotated_at"]
    search_fields = ["name", "team__name"]
    autocomplete_fields = ["team"]
    related = ["team", "created_by"]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        dates = ["created_by", "created_at", "rotated_at"]
        return ["team", "name", "new_value", *(dates if obj else [])]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        # What uses a secret knows it by its name.
        return ["team", "name", "created_by", "created_at", "rotated_at"] if obj else []

    @method_decorator(sensitive_post_parameters("new_value"))
    def changeform_view(self, *args: Any, **kwargs: Any) -> HttpResponse:
        response: HttpResponse = super().changeform_view(*args, **kwargs)
        return response

    def save_model(self, request: HttpRequest, obj: Secret, form: forms.ModelForm, change: bool) -> None:  # noqa: FBT001
        value = form.cleaned_data["new_value"]
        if change:
            secrets.rotate(obj, value=value, by=acting(request), at=timezone.now())
            return
        made = secrets.create(obj.team, name=obj.name, value=value, by=acting(request))
        obj.pk = made.pk

    def delete_model(self, request: HttpRequest, obj: Secret) -> None:
        try:
            secrets.delete(obj, by=acting(request))
        except secrets.SecretInUse as error:
            # Something began to use it after the page had asked.
            raise PermissionDenied(str(error)) from error

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Secret]) -> None:
        for secret in queryset:
            self.delete_model(request, secret)


@admin.register(OldValue)
class OldValueAdmin(RecordAdmin):
    """Which secrets still sign with what they were as well, and until when. Ended where the secret was rotated."""

    list_display = ["secret", "kept_at", "ends_at"]
    exclude = ["value"]
    related = ["secret__team"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[OldValue]:
        return super().get_queryset(request).defer("value", "secret__value")
