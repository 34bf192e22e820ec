from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.password_validation import password_validators_help_texts
from django.utils.functional import lazy
from django.utils.translation import gettext_lazy as _

from projects import service_accounts
from projects.models import Project, Role, Team, TeamMember, User
from projects.names import NAME_LENGTH

ROLE_HELP = _(
    "Admins change webhooks, secrets, members and automations. Members log runs and artifacts. View-only members look."
)
# Asked of Django when it is shown, in the language it is shown in.
PASSWORD_HELP = lazy(lambda: " ".join(password_validators_help_texts()), str)()


class NewProject(forms.Form):
    """A project to make in one of the teams given."""

    team = forms.ModelChoiceField(Team.objects.none(), label=_("Team"), empty_label=None, to_field_name="name")
    name = forms.CharField(
        label=_("Name"),
        max_length=NAME_LENGTH,
        help_text=_("Scripts may also log to a project that does not exist yet: it is made then."),
        validators=Project._meta.get_field("name").validators,
    )
    description = forms.CharField(label=_("Description"), required=False, widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, *args: Any, teams: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        team = self.fields["team"]
        assert isinstance(team, forms.ModelChoiceField)
        team.queryset = teams


class NewAccount(forms.Form):
    """An account somebody makes for themselves, who was invited."""

    username = forms.CharField(
        label=_("User name"),
        max_length=NAME_LENGTH,
        help_text=_("Others see it, and it is the name of your own projects' place."),
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}),
    )
    password = forms.CharField(
        label=_("Password"),
        strip=False,
        max_length=1_000,
        help_text=PASSWORD_HELP,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )


class NewInvitation(forms.Form):
    email = forms.EmailField(
        required=False,
        label=_("E-mail address"),
        help_text=_("Where the link is sent, if this server sends mail; it is shown here in any case."),
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )
    role = forms.ChoiceField(label=_("Role"), choices=Role, initial=Role.MEMBER, help_text=ROLE_HELP)


class TeamLanguage(forms.Form):
    language = forms.ChoiceField(
        label=_("Language"),
        choices=settings.LANGUAGES,
        help_text=_("Of e-mails and Slack messages. Pages are in the language of whoever looks at them."),
    )


class NewMember(forms.Form):
    username = forms.CharField(
        label=_("User name"),
        max_length=User._meta.get_field("username").max_length,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )
    role = forms.ChoiceField(label=_("Role"), choices=Role, initial=Role.MEMBER, help_text=ROLE_HELP)


SERVICE_ROLES = [(role.value, role.label) for role in service_accounts.ROLES]
SERVICE_ROLE_HELP = _("Members log runs and artifacts. View-only accounts read.")


class MemberRole(forms.Form):
    role = forms.ChoiceField(label=_("Role"), choices=Role, help_text=ROLE_HELP)

    @classmethod
    def of(cls, membership: TeamMember, data: Any) -> MemberRole:
        """The form for one member, with the role they have; a service account is never an admin."""
        form = cls(data, initial={"role": membership.role})
        if membership.user.service_of_id is not None:
            role = form.fields["role"]
            assert isinstance(role, forms.ChoiceField)
            role.choices, role.help_text = SERVICE_ROLES, SERVICE_ROLE_HELP
        return form


class NewServiceAccount(forms.Form):
    username = forms.CharField(
        label=_("Name"),
        max_length=NAME_LENGTH,
        help_text=_("Such as research-ci; one of a kind on this server."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )
    role = forms.ChoiceField(label=_("Role"), choices=SERVICE_ROLES, initial=Role.MEMBER, help_text=SERVICE_ROLE_HELP)


class NewKey(forms.Form):
    name = forms.CharField(
        label=_("Name"),
        required=False,
        max_length=128,
        help_text=_("What it is for, e.g. the machine it is used on."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
