from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from projects.models import Organization, Role
from projects.names import NAME_LENGTH, validate_path_name, validate_slug_name
from registries import labels
from registries.models import Collection, Registry, Visibility


class NewRegistry(forms.Form):
    """A registry to make in one of the organizations given."""

    organization = forms.ModelChoiceField(
        Organization.objects.none(), label=_("Organization"), empty_label=None, to_field_name="name"
    )
    name = forms.CharField(label=_("Name"), max_length=NAME_LENGTH, validators=[validate_path_name])
    description = forms.CharField(label=_("Description"), required=False, widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, *args: Any, organizations: QuerySet[Organization], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["organization"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = organizations


class RegistrySettings(forms.Form):
    """What a registry is called, and who sees it."""

    name = forms.CharField(
        label=_("Name"),
        max_length=NAME_LENGTH,
        validators=[validate_path_name],
        help_text=_("Addresses with the old name lead nowhere afterwards."),
    )
    description = forms.CharField(label=_("Description"), required=False, widget=forms.Textarea(attrs={"rows": 3}))
    visibility = forms.ChoiceField(label=_("Visibility"), choices=Visibility)

    @classmethod
    def of(cls, registry: Registry, data: Any) -> RegistrySettings:
        """The form for one registry, with what is so now."""
        return cls(data, initial=cls.values_of(registry))

    @staticmethod
    def values_of(registry: Registry) -> dict[str, str]:
        """What the form shows of a registry."""
        return {name: getattr(registry, name) for name in ("name", "description", "visibility")}


class RoleInRegistry(forms.Form):
    role = forms.ChoiceField(
        label=_("Role"),
        choices=Role,
        initial=Role.MEMBER,
        help_text=_("Admins change what is on this page. Members link versions. View-only members look."),
    )


class LetIn(RoleInRegistry):
    """Who is to be let into a registry; users and teams share one namespace."""

    name = forms.CharField(
        label=_("User or team"),
        max_length=NAME_LENGTH,
        validators=[validate_slug_name],
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )
    field_order = ["name", "role"]


class NewCollection(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=NAME_LENGTH, validators=[validate_path_name])
    type = forms.CharField(
        label=_("Type"),
        max_length=NAME_LENGTH,
        initial="model",
        validators=[validate_path_name],
        help_text=_("Versions of this type only can be linked to it, e.g. model or dataset."),
    )
    description = forms.CharField(label=_("Description"), required=False, widget=forms.Textarea(attrs={"rows": 3}))


class AliasesField(forms.CharField):
    """Aliases separated by commas or spaces; cleans to a list of names."""

    def to_python(self, value: Any) -> Any:
        names = (super().to_python(value) or "").replace(",", " ").split()
        return list(dict.fromkeys(names))

    def validate(self, value: Any) -> None:
        problems = []
        for name in value:
            try:
                labels.validate_alias(name)
            except ValidationError as error:
                problems.extend(error.messages)
        if problems:
            raise ValidationError(problems)

    def run_validators(self, value: Any) -> None:
        """Nothing more: what remains to check is about single names."""


def aliases_field() -> AliasesField:
    """The field of both ways to link a version."""
    return AliasesField(
        label=_("Aliases"),
        required=False,
        help_text=_("Optional, separated by spaces, e.g. staging. An alias moves here from the version that had it."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )


class LinkTarget(forms.Form):
    """Where a version is to be linked."""

    collection = forms.ModelChoiceField(Collection.objects.none(), label=_("Collection"), empty_label=None)
    aliases = aliases_field()

    def __init__(self, *args: Any, collections: QuerySet[Collection], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["collection"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = collections


class LinkSource(forms.Form):
    """Which version is to be linked: one that was picked among those found, or else what was searched for, if that
    names one."""

    version = forms.CharField(label=_("Version"), max_length=4 * NAME_LENGTH, required=False)
    search = forms.CharField(label=_("Version"), max_length=4 * NAME_LENGTH, required=False)
    aliases = aliases_field()

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        cleaned["version"] = cleaned.get("version") or cleaned.get("search") or ""
        if not cleaned["version"] and not self.errors:
            self.add_error("version", _("Choose the version to link."))
        return cleaned
