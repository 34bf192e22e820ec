from __future__ import annotations

from typing import Any

from django import forms

from projects.models import Project, Role, Team, TeamMember, User
from projects.names import NAME_LENGTH

ROLE_HELP = (
    "Admins change webhooks, secrets, members and automations. Members log runs and artifacts. View-only members look."
)


class NewProject(forms.Form):
    """A project to make in one of the teams given."""

    team = forms.ModelChoiceField(Team.objects.none(), empty_label=None, to_field_name="name")
    name = forms.CharField(
        max_length=NAME_LENGTH,
        help_text="Scripts may also log to a project that does not exist yet: it is made then.",
        validators=Project._meta.get_field("name").validators,
    )
    description = forms.CharField(required=False, widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, *args: Any, teams: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        team = self.fields["team"]
        assert isinstance(team, forms.ModelChoiceField)
        team.queryset = teams


class NewMember(forms.Form):
    username = forms.CharField(
        label="User name",
        max_length=User._meta.get_field("username").max_length,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )
    role = forms.ChoiceField(choices=Role, initial=Role.MEMBER, help_text=ROLE_HELP)


class MemberRole(forms.Form):
    role = forms.ChoiceField(choices=Role, help_text=ROLE_HELP)

    @classmethod
    def of(cls, membership: TeamMember, data: Any) -> MemberRole:
        """The form for one member, with the role they have."""
        return cls(data, initial={"role": membership.role})


class NewKey(forms.Form):
    name = forms.CharField(
        required=False,
        max_length=128,
        help_text="What it is for, e.g. the machine it is used on.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
