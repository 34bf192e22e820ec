"""Accounts and their places, made for operators: what the command asks for, and what a first start needs.

Everything may be asked for again and again, and by several processes at once: what is there already stays.
"""

from __future__ import annotations

import json
import os
import secrets
import string
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypedDict

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.dispatch import Signal

from projects import keys, teams
from projects.models import ApiKey, Organization, Project, Role, Team, User

# Sent inside the transaction of the first start, with `organization` and `by`: apps above add what is theirs.
first_started = Signal()

_LOCK = 7_302_114_905  # any number that nothing else on the database server uses
_LETTERS = string.ascii_letters + string.digits


class CannotProvision(Exception):
    """What was asked for does not fit together or cannot be made; the text is a sentence for the operator."""


class FirstLogin(TypedDict):
    """What the first start made: the content of `DATA_DIR/first-login.json`."""

    url: str
    username: str
    password: str
    api_key: str
    organization: str
    team: str
    project: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is to be there afterwards; parts left out are left alone.

    `role` is the user's in the team if one is named, else in the organization. `password` and `api_key` may
    be True: one is made up, unless the user has one already.
    """

    organization: str | None = None
    team: str | None = None
    project: str | None = None
    user: str | None = None
    role: str | None = None
    password: str | Literal[True] | None = None
    api_key: str | Literal[True] | None = None
    superuser: bool = False

    def check(self) -> None:
        """Refuse parts that do not fit together, before anything is looked at.

        Raises:
            CannotProvision: says which part is missing.
        """
        if not (self.organization or self.team or self.user):
            raise CannotProvision("Nothing was asked for: name an --organization, a --team or a --user.")
        if self.project and not self.team:
            raise CannotProvision("--project needs --team: a project belongs to a team.")
        for name in ("role", "password", "api_key", "superuser"):
            if getattr(self, name) not in {None, False} and not self.user:
                raise CannotProvision(f"--{name.replace('_', '-')} needs --user: say whose it is.")
        if self.role is not None and self.role not in Role.values:
            raise CannotProvision(f"There is no role “{self.role}”. Use {', '.join(Role.values)}.")
        if self.role and not (self.team or self.organization):
            raise CannotProvision("--role needs --team or --organization: say where the user has it.")
        if self.password == "":
            raise CannotProvision("The password is empty. Leave --password without a value to have one made up.")


@dataclass(slots=True)
class Outcome:
    """What came of a request. `made_up` holds what is known nowhere else, to be shown once."""

    sentences: list[str] = field(default_factory=list)
    made_up: dict[str, str] = field(default_factory=dict)

    def made(self, what: str) -> None:
        self.sentences.append(f"Made {what}.")

    def found(self, what: str) -> None:
        self.sentences.append(f"{what[0].upper()}{what[1:]} was there already.")

    def say(self, sentence: str) -> None:
        self.sentences.append(sentence)


def provision(request: Request) -> Outcome:
    """Make what is missing, in one transaction.

    Raises:
        CannotProvision: nothing was changed.
    """
    request.check()
    outcome = Outcome()
    with transaction.atomic():
        _wait_for_other_processes()
        organization = _organization(request.organization, outcome) if request.organization else None
        # Before the team: a user's name may be that of the team asked for, namely their personal one.
        user = _user(request.user, outcome) if request.user else None
        team = _team(request.team, organization, outcome) if request.team else None
        if request.project and team:
            _project(request.project, team, outcome)
        if user:
            _place(user, request.role, team=team, organization=organization, outcome=outcome)
            _let_in(user, request, outcome)
    return outcome


def first_start() -> FirstLogin | None:
    """On a database without users, make one who administers it, and a place to work in; otherwise None.

    The password and the key go into `DATA_DIR/first-login.json`, which only the owner of the process may
    read. It is written before the transaction ends: a crash in between makes the next start do it all again.
    """
    with transaction.atomic():
        _wait_for_other_processes()
        if User.objects.exists():
            return None
        outcome = Outcome()
        user = _user("operator", outcome)
        team = Team.objects.select_related("organization").filter(name="research").first()
        organization = (team and team.organization) or _organization("local", outcome)
        team = team or _team("research", organization, outcome)
        project = _project("digits", team, outcome)
        teams.set_organization_role(user, organization=organization, role=Role.ADMIN)
        teams.set_role(user, team=team, role=Role.ADMIN)
        _let_in(user, Request(user=user.username, password=True, api_key=True, superuser=True), outcome)
        first_started.send(sender=User, organization=organization, by=user)
        login = FirstLogin(
            url=settings.PUBLIC_URL,
            username=user.username,
            password=outcome.made_up["password"],
            api_key=outcome.made_up["api key"],
            organization=organization.name,
            team=team.name,
            project=project.name,
        )
        _write_private(Path(settings.DATA_DIR) / "first-login.json", json.dumps(login, indent=2) + "\n")
    return login


def _wait_for_other_processes() -> None:
    """One provisioner at a time, until the transaction ends. SQLite lets only one writer in anyway."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def _organization(name: str, outcome: Outcome) -> Organization:
    found = Organization.objects.filter(name=name).first()
    if found is not None:
        outcome.found(f"organization {name}")
        return found
    try:
        organization = teams.create_organization(name)
    except ValidationError as error:
        raise _refusal(f"Organization “{name}”", error) from error
    outcome.made(f"organization {name}")
    return organization


def _user(name: str, outcome: Outcome) -> User:
    found = User.objects.filter(username=name).first()
    if found is not None:
        outcome.found(f"user {name}")
        if not found.is_active:
            outcome.say(f"User {name} is deactivated and cannot sign in.")
        return found
    user = User(username=name)
    user.set_unusable_password()
    try:
        user.full_clean()
    except ValidationError as error:
        raise _refusal(f"User “{name}”", error) from error
    user.save()
    outcome.made(f"user {name}")
    return user


def _team(name: str, organization: Organization | None, outcome: Outcome) -> Team:
    found = Team.objects.select_related("organization").filter(name=name).first()
    if found is not None:
        if organization is not None and found.organization_id != organization.pk:
            place = f"belongs to organization {found.organization}" if found.organization else "is a personal team"
            raise CannotProvision(f"Team {name} {place}. Choose another name, or leave --organization out.")
        outcome.found(f"team {name}")
        return found
    if organization is None:
        raise CannotProvision(f"There is no team “{name}”. Name its --organization to have it made.")
    try:
        team = teams.create_team(name, organization=organization)
    except ValidationError as error:
        raise _refusal(f"Team “{name}”", error) from error
    outcome.made(f"team {name} in organization {organization}")
    return team


def _project(name: str, team: Team, outcome: Outcome) -> Project:
    found = Project.objects.filter(team=team, name=name).first()
    if found is not None:
        outcome.found(f"project {team}/{name}")
        return found
    try:
        project = teams.create_project(name, team=team)
    except ValidationError as error:
        raise _refusal(f"Project “{name}”", error) from error
    outcome.made(f"project {team}/{name}")
    return project


def _place(
    user: User, role: str | None, *, team: Team | None, organization: Organization | None, outcome: Outcome
) -> None:
    """Give the user a role in the team or, when none is named, in the organization; newcomers are members."""
    place = team or organization
    if place is None:
        return
    if team is not None and team.is_personal:
        if team.owner_id != user.pk or role not in {None, Role.ADMIN}:
            raise CannotProvision(f"{team} is a personal team: its owner is its only member, and its admin.")
        return
    membership = place.memberships.filter(user=user).first()
    if membership is not None and role in {None, membership.role}:
        outcome.say(f"{user} was {_as_role(membership.role)} of {place} already.")
        return
    wanted = Role(role or Role.MEMBER)
    if team is not None:
        teams.set_role(user, team=team, role=wanted)
    elif organization is not None:
        teams.set_organization_role(user, organization=organization, role=wanted)
    before = f" (was {_as_role(membership.role)})" if membership is not None else ""
    outcome.say(f"{user} is now {_as_role(wanted)} of {place}{before}.")


def _as_role(role: str) -> str:
    return {"admin": "an admin", "member": "a member", "view-only": "a view-only member"}[role]


def _let_in(user: User, request: Request, outcome: Outcome) -> None:
    """The ways in: superuser status, password, API key."""
    if request.superuser and not (user.is_superuser and user.is_staff):
        user.is_superuser = user.is_staff = True
        user.save(update_fields=["is_superuser", "is_staff"])
        outcome.say(f"{user} is now an admin of the whole server.")
    _give_password(user, request.password, outcome)
    if request.api_key:
        _give_key(user, request.api_key, outcome)


def _give_password(user: User, password: str | Literal[True] | None, outcome: Outcome) -> None:
    if password is None:
        if not user.has_usable_password():
            outcome.say(f"{user} has no password and cannot sign in to the pages; give one with --password.")
        return
    if password is True:
        if user.has_usable_password():
            outcome.say(f"{user} has a password already.")
            return
        password = outcome.made_up["password"] = "".join(secrets.choice(_LETTERS) for _ in range(20))
    elif user.has_usable_password() and user.check_password(password):
        outcome.say(f"The password of {user} was set already.")
        return
    try:
        validate_password(password, user)
    except ValidationError as error:
        outcome.say(f"The password is weak: {' '.join(error.messages)}")
    user.set_password(password)
    user.save(update_fields=["password"])
    outcome.say(f"Set the password of {user}.")


def _give_key(user: User, key: str | Literal[True], outcome: Outcome) -> None:
    if key is True:
        if user.api_keys.filter(revoked_at=None).exists():
            outcome.say(f"{user} has an API key already.")
            return
        _, outcome.made_up["api key"] = keys.create(user, by=None, name="provisioned")
        outcome.made(f"an API key for {user}")
        return
    known = ApiKey.objects.filter(digest=keys.digest_of(key), user=user, revoked_at=None).exists()
    try:
        keys.create(user, by=None, name="provisioned", key=key)
    except ValidationError as error:
        raise CannotProvision(" ".join(error.messages)) from error
    outcome.say(f"{user} had this API key already." if known else f"Stored the API key of {user}.")


def _refusal(what: str, error: ValidationError) -> CannotProvision:
    return CannotProvision(f"{what} cannot be made. {' '.join(error.messages)}")


def _write_private(path: Path, text: str) -> None:
    """Put the text there in one step, readable by nobody else at any moment."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
