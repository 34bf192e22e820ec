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

from automations import http, unsealing
from automations.actions.base import ActionError, Receipt
from automations.actions.webhook import CREDENTIAL_HEADERS, exchange, prepare
from automations.models import SlackChannel, Webhook, WebhookHeader
from automations.models.integration import SignatureEncoding, validate_header_name
from automations.unsealing import SECRET_REFERENCE
from projects.access import Permission, require
from projects.models import Team, User
from secrets_vault.models import Secret

MAX_HEADERS = 20
# What a webhook's form says; whether it is paused is for its receiver and `resume` to say.
EDITED = ("name", "url", "access_token", "secret", "signature_encoding")
# Headers that the request sets itself, or that would change what the receiver believes about it.
RESERVED_HEADERS = frozenset(
    {
        "connection",
        "content-length",
        "content-type",
        "host",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "user-agent",
        "webhook-id",
        "webhook-signature",
        "webhook-timestamp",
        "x-automation-cause",
        "x-wandb-signature",
    }
)


class IntegrationInUse(Exception):
    """The webhook or Slack channel is used; `users` are the names of the automations that use it."""

    def __init__(self, used: Webhook | SlackChannel, users: list[str]) -> None:
        self.users = users
        super().__init__(f"{used} is used by {', '.join(users)}. Change or delete those automations first.")


class TestIsRunning(Exception):
    """This host is waiting for the answer to another test."""

    def __init__(self) -> None:
        super().__init__("Another test is running; try again in a moment.")


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
    return _save(
        webhook,
        name=name,
        url=url,
        access_token=access_token,
        secret=secret,
        signature_encoding=signature_encoding,
        headers=headers,
    )


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
            _hold(webhook)
            webhook.delete()
    except RestrictedError as error:
        raise IntegrationInUse(webhook, sorted(str(user) for user in error.restricted_objects)) from error


def resume(webhook: Webhook, *, by: User) -> Webhook:
    """Let a paused webhook be called again.

    Raises:
        Http404, PermissionDenied: the user may not; or it was deleted meanwhile.
    """
    require(by, Permission.EDIT_SETTINGS, webhook.team)
    webhook.paused_at = None
    webhook.paused_reason = ""
    with transaction.atomic():
        _hold(webhook)
        webhook.save(update_fields=["paused_at", "paused_reason"])
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
        body = json.dumps(json.loads(payload), ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    except (ValueError, RecursionError) as error:
        raise ValidationError({"payload": f"The payload is not JSON: {error}."}) from error
    try:
        credentials = unsealing.unseal(webhook)
    except unsealing.SealedForever as error:
        raise ValidationError(str(error)) from error
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
    with one_test_at_a_time():
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
        rows = [_header(webhook, header, value) for header, value in headers.items()]
        if len(rows) > MAX_HEADERS:
            problems["headers"] = f"A webhook has at most {MAX_HEADERS} extra headers."
        if len({row.name.lower() for row in rows}) < len(rows):
            problems["headers"] = "A header is given twice; names differ by more than upper and lower case."
    except ValidationError as error:
        problems |= error.message_dict
    if Webhook.objects.filter(team=webhook.team, name=name).exclude(pk=webhook.pk).exists():
        problems["name"] = f"{webhook.team} has a webhook “{name}” already."
    if problems:
        raise ValidationError(problems)
    return _write(webhook, rows)


def _write(webhook: Webhook, rows: list[WebhookHeader]) -> Webhook:
    try:
        with transaction.atomic():
            if webhook.pk:
                _hold(webhook)
            webhook.save(update_fields=EDITED if webhook.pk else None)
            WebhookHeader.objects.filter(webhook=webhook).delete()
            WebhookHeader.objects.bulk_create(rows)
            # Databases would say only at the end of the outermost transaction that a secret is gone.
            connection.check_constraints(table_names=[one._meta.db_table for one in (Webhook, WebhookHeader)])
    except IntegrityError as error:
        # Somebody was faster between the look and the write.
        if Webhook.objects.filter(team=webhook.team, name=webhook.name).exclude(pk=webhook.pk).exists():
            raise ValidationError({"name": f"{webhook.team} has a webhook “{webhook.name}” already."}) from error
        used = {webhook.access_token_id, webhook.secret_id, *(row.secret_id for row in rows)} - {None}
        if Secret.objects.filter(pk__in=used).count() < len(used):
            raise ValidationError("A secret it uses was deleted meanwhile. Choose another one.") from error
        raise
    # A prefetched list of the old headers must not be sent.
    getattr(webhook, "_prefetched_objects_cache", {}).clear()
    return webhook


def _hold(webhook: Webhook) -> None:
    """Keep the webhook from being changed, deleted or put to use until the transaction ends."""
    if Webhook.objects.select_for_update().filter(pk=webhook.pk).first() is None:
        raise Http404(f"There is no webhook “{webhook.name}” any more.")


def _url_problems(url: str) -> dict[str, str]:
    objection = http.objection(url)
    return {"url": objection} if objection else {}


def _secret_problems(webhook: Webhook) -> dict[str, str]:
    problems = {}
    for name in ("access_token", "secret"):
        secret = getattr(webhook, name)
        if secret is not None and secret.team_id != webhook.team_id:
            problems[name] = f"{webhook.team} has no secret {secret.name}."
    return problems


def _header(webhook: Webhook, name: str, value: str) -> WebhookHeader:
    try:
        validate_header_name(name)
    except ValidationError as error:
        raise ValidationError({"headers": f"“{name}”: {error.messages[0]}"}) from error
    if name.lower() in RESERVED_HEADERS:
        raise ValidationError({"headers": f"{name} is set by the server itself."})
    if name.lower() == "authorization" and webhook.access_token is not None:
        raise ValidationError({"headers": "Authorization is set by the access token; choose one of both."})
    if len(value) > 1000 or not value.isascii() or not value.isprintable():
        raise ValidationError({"headers": f"{name}: a value has at most 1,000 printable ASCII characters."})
    return WebhookHeader(webhook=webhook, name=name, value=value, secret=_referenced_secret(webhook, name, value))


def _referenced_secret(webhook: Webhook, name: str, value: str) -> Secret | None:
    references = set(SECRET_REFERENCE.findall(value))
    if len(references) > 1:
        raise ValidationError({"headers": f"{name}: a value may name one secret, not {len(references)}."})
    for reference in references:
        secret: Secret | None = Secret.objects.filter(team=webhook.team_id, name=reference).first()
        if secret is None:
            raise ValidationError({"headers": f"{name}: {webhook.team} has no secret {reference}. Create it first."})
        return secret
    if name.lower() in CREDENTIAL_HEADERS:
        raise ValidationError(
            {"headers": f"{name}: do not write credentials in the open; use ${{SECRET_NAME}} of a team secret."}
        )
    return None
