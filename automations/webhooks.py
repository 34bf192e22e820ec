"""Webhooks of a team: create, change, test, resume, delete."""

from __future__ import annotations

import fcntl
import json
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.db.models import RestrictedError
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext as _

from automations import auditing, breaker, extraheaders, http, notices, outcomes, retelling, templating, unsealing
from automations.actions.base import ActionError, Receipt
from automations.actions.webhook import exchange, prepare
from automations.models import SlackChannel, Webhook, WebhookHeader
from automations.models.integration import SignatureEncoding
from automations.unsealing import Credentials
from projects import conflicts
from projects.access import Permission, require
from projects.audit import Deed
from projects.models import Team, User
from secrets_vault.models import Secret

# What a webhook's form says; whether it is paused is for its receiver and `resume` to say.
EDITED = ("name", "url", "access_token", "secret", "signature_encoding")


class IntegrationInUse(Exception):
    """The webhook or Slack channel is used; `users` are the names of the automations that use it."""

    def __init__(self, used: Webhook | SlackChannel, users: list[str]) -> None:
        self.users = users
        super().__init__(
            _("%(used)s is used by %(users)s. Change or delete those automations first.")
            % {"used": used, "users": ", ".join(users)}
        )


class TestIsRunning(Exception):
    """This host is waiting for the answer to another test."""

    def __init__(self) -> None:
        super().__init__(_("Another test is running; try again in a moment."))


@dataclass(frozen=True, slots=True)
class Exchange:
    """A test call and its answer, secrets masked; `error` is a sentence where there was no answer."""

    url: str
    request_headers: Mapping[str, str]
    request_body: str
    status_code: int | None = None
    reason: str = ""
    response_headers: Mapping[str, str] = field(default_factory=dict)
    response_body: str = ""
    duration: float | None = None
    error: str = ""

    @property
    def succeeded(self) -> bool:
        """Whether a real delivery with this answer would be Finished."""
        return self.status_code is not None and 200 <= self.status_code < 300


def create(
    team: Team,
    *,
    by: User,
    name: str,
    url: str,
    access_token: Secret | None = None,
    secret: Secret | None = None,
    signature_encoding: str = SignatureEncoding.BASE64,
    headers: Mapping[str, str] | None = None,
) -> Webhook:
    """Save a new webhook of the team.

    Raises:
        ValidationError: by field.
        Http404, PermissionDenied: the user may not.
    """
    require(by, Permission.EDIT_SETTINGS, team)
    webhook = Webhook(team=team, created_by=by)
    return _save(
        webhook,
        by=by,
        name=name,
        url=url,
        access_token=access_token,
        secret=secret,
        signature_encoding=signature_encoding,
        headers=headers or {},
    )


def update(
    webhook: Webhook,
    *,
    by: User,
    name: str,
    url: str,
    access_token: Secret | None,
    secret: Secret | None,
    signature_encoding: str,
    headers: Mapping[str, str],
) -> Webhook:
    """Save a changed webhook.

    Raises:
        ValidationError: by field.
        Http404, PermissionDenied: the user may not; or it was deleted meanwhile.
    """
    require(by, Permission.EDIT_SETTINGS, webhook.team)
    saved = _save(
        webhook,
        by=by,
        name=name,
        url=url,
        access_token=access_token,
        secret=secret,
        signature_encoding=signature_encoding,
        headers=headers,
    )
    outcomes.forgive(saved, by=by, at=timezone.now())
    breaker.probe_soon(saved, at=timezone.now())
    return saved


def change(webhook: Webhook, *, by: User, **fields: Any) -> Webhook:
    """Save some of its settings; the others stay as they are now, whoever changes them meanwhile.

    Raises:
        ValidationError: by field.
        Http404, PermissionDenied: the user may not; or it was deleted meanwhile.
    """
    require(by, Permission.EDIT_SETTINGS, webhook.team)
    with transaction.atomic():
        held = hold(webhook)
        return update(held, by=by, **(settings_of(held) | fields))


def settings_of(webhook: Webhook) -> dict[str, Any]:
    """What can be set of it, under the names that `update` takes."""
    headers = {header.name: header.value for header in webhook.headers.all()}
    return {name: getattr(webhook, name) for name in EDITED} | {"headers": headers}


def mark_of(webhook: Webhook) -> str:
    """Changes with any of its settings."""
    secrets = {"access_token": webhook.access_token_id, "secret": webhook.secret_id}
    return conflicts.mark_of(settings_of(webhook) | secrets)


def delete(webhook: Webhook, *, by: User) -> None:
    """Delete a webhook that no automation calls.

    Raises:
        IntegrationInUse: with the list of what calls it.
        Http404, PermissionDenied: the user may not.
    """
    require(by, Permission.EDIT_SETTINGS, webhook.team)
    try:
        with transaction.atomic():
            # Automations that begin to call it at this moment are waited for, and then named.
            held = hold(webhook)
            auditing.record_webhook(held, Deed.DELETED, by=by, before=auditing.of_webhook(held))
            webhook.delete()
    except RestrictedError as error:
        raise IntegrationInUse(webhook, sorted(str(user) for user in error.restricted_objects)) from error


def resume(webhook: Webhook, *, by: User) -> Webhook:
    """Let a paused webhook be called again.

    Raises:
        Http404, PermissionDenied: the user may not; or it was deleted meanwhile.
    """
    require(by, Permission.EDIT_SETTINGS, webhook.team)
    webhook.paused_at = webhook.failing_since = None
    webhook.paused_reason = ""
    with transaction.atomic():
        hold(webhook)
        webhook.save(update_fields=["paused_at", "paused_reason", "failing_since"])
        auditing.record_webhook(webhook, Deed.RESUMED, by=by)
        notices.resumed(webhook, by=by, at=timezone.now())
    return webhook


def test(webhook: Webhook, *, payload: str, by: User) -> Exchange:
    """Send a payload given on the spot, with the real credentials, along the path of a real delivery (WH4).

    Nothing is saved. A receiver can tell by the `webhook-id`, which begins with `test_`.

    Raises:
        ValidationError: the payload is not JSON, or a secret cannot be opened.
        TestIsRunning: another test has to end first.
        Http404, PermissionDenied: the user may not.
    """
    require(by, Permission.EDIT_SETTINGS, webhook.team)
    try:
        templating.parse(payload)
        body = json.dumps(json.loads(payload), ensure_ascii=False, separators=(",", ":")).encode()
    except templating.InvalidTemplate as error:
        raise ValidationError({"payload": error.message}) from error
    except UnicodeEncodeError as error:
        raise ValidationError(
            {"payload": _("The payload holds lone surrogates, which are no text; remove them.")}
        ) from error
    try:
        credentials = unsealing.unseal(webhook)
    except unsealing.SealedForever as error:
        raise ValidationError(str(error)) from error
    with one_test_at_a_time():
        exchanged = send_test(webhook, credentials, body=body)
    # A failure may be the payload's, which was made up for the test; a success proves that the endpoint works.
    if exchanged.succeeded:
        outcomes.note_test(webhook, None, at=timezone.now())
    return exchanged


def send_test(webhook: Webhook, credentials: Credentials, *, body: bytes) -> Exchange:
    """Send a message that is no execution, and tell what came back."""
    request = prepare(
        webhook,
        credentials,
        body=body,
        shown_body=credentials.redact(body.decode()),
        message_id=f"test_{uuid.uuid4().hex}",
        timestamp=int(time.time()),
    )
    shown: dict[str, Any] = {
        "url": request.url,
        "request_headers": request.shown_headers,
        "request_body": request.shown_body,
    }
    try:
        response, receipt = exchange(request, credentials)
    except ActionError as error:
        return Exchange(**shown, duration=error.duration, error=error.message)
    return _exchange(shown, response.reason, receipt)


@contextmanager
def one_test_at_a_time() -> Iterator[None]:
    """At most one test at a time on this host: each blocks a web worker for as long as the receiver takes to answer."""
    with (Path(settings.DATA_DIR) / "webhook-test.lock").open("a") as lock:
        # The system gives the lock back when the file is closed, also when the process is killed.
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise TestIsRunning from None
        yield


def _exchange(shown: dict[str, Any], reason: str, receipt: Receipt) -> Exchange:
    return Exchange(
        **shown,
        status_code=receipt.status_code,
        reason=reason,
        response_headers=receipt.headers,
        response_body=receipt.body,
        duration=receipt.duration,
    )


def _save(
    webhook: Webhook,
    *,
    by: User,
    name: str,
    url: str,
    access_token: Secret | None,
    secret: Secret | None,
    signature_encoding: str,
    headers: Mapping[str, str],
) -> Webhook:
    webhook.name, webhook.url = name, url.strip()
    webhook.access_token, webhook.secret = access_token, secret
    webhook.signature_encoding = signature_encoding
    problems: dict[str, Any] = {}
    try:
        webhook.full_clean(exclude=["team", "created_by", "access_token", "secret"], validate_constraints=False)
    except ValidationError as error:
        problems |= error.message_dict
    if "url" not in problems:
        problems |= _url_problems(webhook.url)
    problems |= _secret_problems(webhook)
    rows: list[WebhookHeader] = []
    try:
        rows = extraheaders.rows_of(webhook, headers)
    except ValidationError as error:
        problems |= error.message_dict
    if Webhook.objects.filter(team=webhook.team, name=name).exclude(pk=webhook.pk).exists():
        problems["name"] = _taken(webhook)
    if problems:
        raise ValidationError(problems)
    return _write(webhook, rows, by=by)


def _write(webhook: Webhook, rows: list[WebhookHeader], *, by: User) -> Webhook:
    try:
        with transaction.atomic():
            before = auditing.of_webhook(hold(webhook)) if webhook.pk else {}
            webhook.save(update_fields=EDITED if webhook.pk else None)
            WebhookHeader.objects.filter(webhook=webhook).delete()
            WebhookHeader.objects.bulk_create(rows)
            # Databases would say only at the end of the outermost transaction that a secret is gone.
            connection.check_constraints(table_names=[one._meta.db_table for one in (Webhook, WebhookHeader)])
            # A prefetched list of the old headers must be neither recorded nor sent.
            getattr(webhook, "_prefetched_objects_cache", {}).clear()
            deed = Deed.CHANGED if before else Deed.CREATED
            auditing.record_webhook(webhook, deed, by=by, before=before, after=auditing.of_webhook(webhook))
    except IntegrityError as error:
        # Somebody was faster between the look and the write.
        if Webhook.objects.filter(team=webhook.team, name=webhook.name).exclude(pk=webhook.pk).exists():
            raise ValidationError({"name": _taken(webhook)}) from error
        used = {webhook.access_token_id, webhook.secret_id, *(row.secret_id for row in rows)} - {None}
        if Secret.objects.filter(pk__in=used).count() < len(used):
            raise ValidationError(_("A secret it uses was deleted meanwhile. Choose another one.")) from error
        raise
    return webhook


def _taken(webhook: Webhook) -> ValidationError:
    return ValidationError(
        _("%(team)s has a webhook “%(name)s” already.") % {"team": webhook.team, "name": webhook.name}, code="unique"
    )


def hold(webhook: Webhook) -> Webhook:
    """The webhook as it is now, kept from being changed, deleted or put to use until the transaction ends."""
    rows = Webhook.objects.select_related("team", "access_token", "secret")
    held = conflicts.hold(rows.defer("access_token__value", "secret__value"), webhook.pk)
    if held is None:
        raise Http404(_("There is no webhook “%(name)s” any more.") % {"name": webhook.name})
    return held


def _url_problems(url: str) -> dict[str, str]:
    objection = http.objection(url)
    return {"url": retelling.told(objection)} if objection else {}


def _secret_problems(webhook: Webhook) -> dict[str, str]:
    problems = {}
    for name in ("access_token", "secret"):
        secret = getattr(webhook, name)
        if secret is not None and secret.team_id != webhook.team_id:
            problems[name] = _("%(team)s has no secret %(name)s.") % {"team": webhook.team, "name": secret.name}
    return problems
