"""Service accounts: users of a team that are nobody. Scripts hold their API keys, which outlive whoever made them.

An account is a user like others to whatever logs, lists or reads, with a role in its team and nowhere else. It is never
an admin, cannot sign in to pages, and has no personal team.
"""

from __future__ import annotations

from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F, Prefetch, QuerySet
from django.http import Http404
from django.utils.translation import gettext as _

from projects import audit, keys, teams
from projects.access import Permission, require
from projects.audit import Deed
from projects.models import ApiKey, Role, Team, TeamMember, User

ROLES = (Role.MEMBER, Role.VIEW_ONLY)


def of_team(team: Team) -> QuerySet[TeamMember]:
    """The memberships of the team's accounts that are not closed, by `name`, each with its user's `live_keys`."""
    live = ApiKey.objects.filter(revoked_at=None).order_by("-created_at", "-pk")
    rows = TeamMember.objects.filter(team=team, user__service_of=team, user__is_active=True)
    rows = rows.select_related("user", "team").prefetch_related(
        Prefetch("user__api_keys", queryset=live, to_attr="live_keys")
    )
    return rows.annotate(name=F("user__username")).order_by("name")


def named(team: Team, name: str) -> TeamMember:
    """The account of this name.

    Raises:
        Http404: the team has none.
    """
    found = of_team(team).filter(user__username=name).first()
    if found is None:
        raise Http404(_("%(team)s has no service account “%(name)s”.") % {"team": team, "name": name})
    return found


def create(team: Team, name: str, *, role: Role, by: User) -> TeamMember:
    """Make an account of the team. Its name is one of a kind on the server, as names of users are.

    Raises:
        ValidationError: by field.
        Http404, PermissionDenied: `by` may not.
    """
    require(by, Permission.EDIT_SETTINGS, team)
    account = User(username=name, service_of=team)
    account.set_unusable_password()
    account.full_clean()
    try:
        with transaction.atomic():
            account.save()
            membership = teams.set_role(account, team=team, role=role, by=by)
            _record(account, Deed.CREATED, by=by)
    except IntegrityError:
        # Somebody took the name between the look and the write: looking again says so.
        User(username=name, password=account.password, service_of=team).full_clean()
        raise
    return membership


def close(account: User, *, by: User, at: datetime) -> None:
    """End the account with all its keys. What it logged stays, under its name, which is not given to another.

    Raises:
        Http404, PermissionDenied: `by` may not; or it is closed already.
    """
    team = _team_of(account, by=by)
    with transaction.atomic():
        if not User.objects.filter(pk=account.pk, is_active=True).update(is_active=False):
            raise Http404(
                _("%(team)s has no service account “%(account)s” any more.") % {"team": team, "account": account}
            )
        for key in account.api_keys.filter(revoked_at=None):
            keys.revoke(key, by=by, at=at)
        TeamMember.objects.filter(user=account).delete()
        _record(account, Deed.CLOSED, by=by)


def create_key(account: User, *, by: User, name: str = "") -> tuple[ApiKey, str]:
    """Make a key of the account; the key itself is returned this once and kept nowhere.

    Raises:
        ValidationError: the name cannot be stored.
        Http404, PermissionDenied: `by` may not.
    """
    _team_of(account, by=by)
    return keys.create(account, by=by, name=name)


def revoke_key(key: ApiKey, *, by: User, at: datetime) -> None:
    """End a key of an account at once.

    Raises:
        Http404, PermissionDenied: `by` may not.
    """
    _team_of(key.user, by=by)
    keys.revoke(key, by=by, at=at)


def _team_of(account: User, *, by: User) -> Team:
    """The account's team, once it is known that `by` may change its settings."""
    team: Team | None = account.service_of
    if team is None:
        raise ValidationError(_("%(account)s is a person, who makes keys of their own.") % {"account": account})
    require(by, Permission.EDIT_SETTINGS, team)
    return team


def _record(account: User, deed: Deed, *, by: User) -> None:
    audit.record(audit.SERVICE_ACCOUNT, deed, name=account.username, pk=account.pk, by=by, team=account.service_of)
