from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from projects.models import Organization, Role
from projects.names import NAME_LENGTH, validate_path_name, validate_slug_name
from registries import labels
from registries.models import Collection, Registry, Visibility


class NewRegistry(forms.Form):
    """A registry to make in one of the organizations given."""

    organization = forms.ModelChoiceField(Organization.objects.none(), empty_label=None, to_field_name="name")
    name = forms.CharField(max_length=NAME_LENGTH, validators=[validate_path_name])
    description = forms.CharField(required=False, widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, *args: Any, organizations: QuerySet[Organization], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["organization"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = organizations


class RegistrySettings(forms.Form):
    """What a registry is called, and who sees it."""

    name = forms.CharField(
        max_length=NAME_LENGTH,
        validators=[validate_path_name],
        help_text="Addresses with the old name lead nowhere afterwards.",
    )
    description = forms.CharField(required=False, widget=forms.Textarea(attrs={"rows": 3}))
    visibility = forms.ChoiceField(choices=Visibility)

    @classmethod
    def of(cls, registry: Registry, data: Any) -> RegistrySettings:
        """The form for one registry, with what is so now."""
        initial = {name: getattr(registry, name) for name in ("name", "description", "visibility")}
        return cls(data, initial=initial)


class RoleInRegistry(forms.Form):
    role = forms.ChoiceField(
        choices=Role,
        initial=Role.MEMBER,
        help_text="Admins change what is on this page. Members link versions. View-only members look.",
    )


class LetIn(RoleInRegistry):
    """Who is to be let into a registry; users and teams share one namespace."""

    name = forms.CharField(
        label="User or team",
        max_length=NAME_LENGTH,
        validators=[validate_slug_name],
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )
    field_order = ["name", "role"]


class NewCollection(forms.Form):
    name = forms.CharField(max_length=NAME_LENGTH, validators=[validate_path_name])
    type = forms.CharField(
        max_length=NAME_LENGTH,
        initial="model",
        validators=[validate_path_name],
        help_text="Versions of this type only can be linked to it, e.g. model or dataset.",
    )
    description = forms.CharField(required=False, widget=forms.Textarea(attrs={"rows": 3}))


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
        required=False,
        help_text="Optional, separated by spaces, e.g. staging. An alias moves here from the version that had it.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )


class LinkTarget(forms.Form):
    """Where a version is to be linked."""

    collection = forms.ModelChoiceField(Collection.objects.none(), empty_label=None)
    aliases = aliases_field()

    def __init__(self, *args: Any, collections: QuerySet[Collection], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["collection"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = collections


class LinkSource(forms.Form):
    """Which version is to be linked."""

    version = forms.CharField(
        max_length=4 * NAME_LENGTH,
        help_text="As team/project/collection:version, where the version is v3, latest or an alias.",
        widget=forms.TextInput(
            attrs={
                "autocomplete": "off",
                "autocapitalize": "none",
                "spellcheck": "false",
                "placeholder": "research/digits/model:v3",
            }
        ),
    )
    aliases = aliases_field()
