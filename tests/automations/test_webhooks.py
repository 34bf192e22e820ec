"""Webhooks of a team: what is refused, testing (WH1, WH4, WH9, SE3)."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.http import Http404
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from automations import access, executions, matching, webhooks
from automations.models import Execution, Status, Webhook
from automations.unsealing import MASK, Credentials, unseal
from projects.models import Team, User
from secrets_vault import secrets
from tests import factories
from tests.receiver import Receiver

pytestmark = pytest.mark.django_db

URL = "https://hooks.example.com/deploy"


@pytest.fixture
def receiver(settings: Settings) -> Iterator[Receiver]:
    settings.WEBHOOK_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    with Receiver() as receiver:
        yield receiver


def problems(team: Team, by: User, **fields: Any) -> dict[str, list[str]]:
    with pytest.raises(ValidationError) as error:
        webhooks.create(team, by=by, **{"name": "deploy", "url": URL, **fields})
    assert not Webhook.objects.exists()
    found: dict[str, list[str]] = error.value.message_dict
    return found


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"name": ""}, "name", "blank"),
        ({"name": "a/b"}, "name", "letters"),
        ({"name": " edge "}, "name", "letters"),
        ({"name": "x" * 65}, "name", "64"),
        ({"url": "not a url"}, "url", "such as https://example.com"),
        ({"url": "ftp://example.com/x"}, "url", "such as https://example.com"),
        ({"url": "http://169.254.169.254/latest"}, "url", "a link-local address"),
        ({"url": "http://127.0.0.1:9/"}, "url", "WEBHOOK_ALLOWED_NETWORKS"),
        ({"url": "http://[::1]/"}, "url", "a loopback address"),
        ({"url": "https://user:pass@example.com/"}, "url", "credentials"),
        ({"signature_encoding": "rot13"}, "signature_encoding", "rot13"),
        ({"headers": {"bad name": "x"}}, "headers", "bad name"),
        ({"headers": {"Content-Length": "1"}}, "headers", "set by the server itself"),
        ({"headers": {"X-A": "a\r\nX-B: b"}}, "headers", "printable"),
        ({"headers": {"X-A": "1", "x-a": "2"}}, "headers", "twice"),
        ({"headers": {"X-A": "${NO_SUCH}"}}, "headers", "no secret NO_SUCH"),
        ({"headers": {"X-A": "${A} ${B}"}}, "headers", "one secret"),
        ({"headers": {"Authorization": "token in-the-open"}}, "headers", "in the open"),
    ],
)
def test_wh1_bad_input_is_refused_with_its_field(
    team: Team, alice: User, fields: dict[str, Any], field: str, words: str
) -> None:
    assert words in " ".join(problems(team, alice, **fields)[field])


def test_hosts_of_a_cluster_have_names_without_a_dot(team: Team, alice: User, settings: Settings) -> None:
    settings.WEBHOOK_ALLOWED_NETWORKS = ["receiver"]
    webhook = webhooks.create(team, by=alice, name="deploy", url="http://receiver:9099/hooks?a=1")
    assert webhook.url == "http://receiver:9099/hooks?a=1"


def test_wh9_a_name_that_resolves_to_a_refused_address_is_refused_when_saved(
    team: Team, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("169.254.169.254", 80))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_kwargs: answer)
    (sentence,) = problems(team, alice, url="http://metadata.example/latest")["url"]
    assert sentence.startswith("metadata.example resolves to 169.254.169.254, a link-local address.")


@pytest.mark.parametrize("host", ["127.1", "2130706433", "0x7f.1"])
def test_wh9_odd_spellings_of_loopback_are_refused_when_saved(team: Team, alice: User, host: str) -> None:
    assert "url" in problems(team, alice, url=f"http://{host}/")


def test_wh1_a_secret_of_another_team_is_not_usable(team: Team, alice: User) -> None:
    foreign = factories.make_secret(factories.make_team("other-team"), name="THEIRS")
    assert "no secret THEIRS" in problems(team, alice, access_token=foreign)["access_token"][0]


def test_a_taken_name_is_refused(team: Team, alice: User) -> None:
    factories.make_webhook(team, name="deploy")
    with pytest.raises(ValidationError, match="already"):
        webhooks.create(team, by=alice, name="deploy", url=URL)


def test_only_team_admins_change_webhooks(team: Team, bob: User, charlie: User) -> None:
    hook = factories.make_webhook(team)
    for act in (
        lambda by: webhooks.create(team, by=by, name="x", url=URL),
        lambda by: webhooks.delete(hook, by=by),
        lambda by: webhooks.resume(hook, by=by),
        lambda by: webhooks.test(hook, payload="{}", by=by),
    ):
        with pytest.raises(PermissionDenied):
            act(bob)
        with pytest.raises(Http404):
            act(charlie)


def same(hook: Webhook, **changes: Any) -> dict[str, Any]:
    """What a form that changes little would save of the webhook."""
    kept = ("name", "url", "access_token", "secret", "signature_encoding")
    return {**{name: getattr(hook, name) for name in kept}, "headers": {}, **changes}


def test_what_was_deleted_meanwhile_is_not_brought_back_by_who_changes_it(team: Team, alice: User) -> None:
    stale = factories.make_webhook(team)
    Webhook.objects.filter(pk=stale.pk).delete()
    for act in (
        lambda: webhooks.update(stale, by=alice, **same(stale, url=URL)),
        lambda: webhooks.resume(stale, by=alice),
        lambda: webhooks.delete(stale, by=alice),
    ):
        with pytest.raises(Http404, match="any more"):
            act()
    assert not Webhook.objects.exists()


def test_a_webhook_that_was_paused_while_somebody_edited_it_stays_paused(team: Team, alice: User) -> None:
    stale = factories.make_webhook(team)
    Webhook.objects.update(paused_at=timezone.now(), paused_reason="410 Gone")
    webhooks.update(stale, by=alice, **same(stale, url=URL))
    saved = Webhook.objects.get()
    assert (saved.url, saved.paused_reason) == (URL, "410 Gone")
    assert saved.paused_at is not None


@pytest.mark.parametrize("use", ["access_token", "header"])
@pytest.mark.django_db(transaction=True)
def test_a_secret_that_is_deleted_while_its_webhook_is_saved_is_missed(
    monkeypatch: pytest.MonkeyPatch, use: str
) -> None:
    alice = factories.make_user()
    team = factories.make_team(admin=alice)
    secret = factories.make_secret(team)
    using: dict[str, Any] = {"access_token": secret} if use == "access_token" else {"headers": {"X-Key": "${TOKEN}"}}
    write = webhooks._write

    def write_too_late(*args: Any, **named: Any) -> Webhook:
        type(secret).objects.filter(pk=secret.pk).delete()
        return write(*args, **named)

    monkeypatch.setattr(webhooks, "_write", write_too_late)
    with pytest.raises(ValidationError, match="was deleted meanwhile"):
        webhooks.create(team, by=alice, name="deploy", url=URL, **using)
    assert not Webhook.objects.exists()


def test_se3_a_webhook_in_use_is_not_deleted_and_names_its_automations(team: Team, alice: User) -> None:
    hook = factories.make_webhook(team)
    factories.make_automation(name="Deploy production", webhook=hook)
    with pytest.raises(webhooks.IntegrationInUse, match="Deploy production"):
        webhooks.delete(hook, by=alice)
    assert Webhook.objects.exists()


def test_se3_a_secret_in_use_is_not_deleted_and_names_its_webhooks(team: Team, alice: User) -> None:
    token = factories.make_secret(team, name="TOKEN")
    header = factories.make_secret(team, name="HEADER")
    hook = webhooks.create(team, by=alice, name="deploy", url=URL, access_token=token, headers={"X-Key": "${HEADER}"})
    for secret in (token, header):
        with pytest.raises(secrets.SecretInUse, match="deploy"):
            secrets.delete(secret, by=None)
    webhooks.delete(hook, by=alice)
    secrets.delete(token, by=None)


def test_listing_webhooks_unseals_nothing(team: Team, alice: User) -> None:
    """SE1: a value is read where it is sent, and nowhere else."""
    token = factories.make_secret(team, name="TOKEN")
    factories.make_webhook(team, access_token=token, secret=token, headers={"X-Key": ("${TOKEN}", token)})
    with CaptureQueriesContext(connection) as captured:
        hook = access.webhook_for(alice, team, "pager")
        assert hook.access_token is not None
        assert hook.secret is not None
        assert [hook.access_token.name, hook.secret.name, hook.headers.get().secret.name] == ["TOKEN"] * 3
        assert Webhook.objects.get().access_token.name == "TOKEN"
    assert not [
        query for query in captured.captured_queries if '"value"' in query["sql"].replace('header"."value"', "")
    ]


def test_a_team_can_be_deleted_with_its_webhooks_and_secrets(team: Team) -> None:
    token = factories.make_secret(team, name="TOKEN")
    hook = factories.make_webhook(team, access_token=token)
    factories.make_automation(factories.make_project(team), webhook=hook)
    team.delete()
    assert not Webhook.objects.exists()


def test_changing_the_headers_replaces_them(team: Team, alice: User) -> None:
    hook = webhooks.create(team, by=alice, name="deploy", url=URL, headers={"X-A": "1", "X-B": "2"})
    hook = webhooks.update(
        hook,
        by=alice,
        name="deploy",
        url=URL,
        access_token=None,
        secret=None,
        signature_encoding="hex",
        headers={"X-C": "3"},
    )
    assert unseal(hook).headers == {"X-C": "3"}


def test_wh4_a_test_sends_the_real_credentials_and_saves_nothing(team: Team, alice: User, receiver: Receiver) -> None:
    token = factories.make_secret(team, name="TOKEN", value="t0ken-canary")
    secret = factories.make_secret(team, name="SIGNING", value="signing-canary")
    hook = webhooks.create(team, by=alice, name="deploy", url=receiver.url, access_token=token, secret=secret)
    receiver.behave(status=202, body=b'{"echo": "t0ken-canary"}', headers={"X-Echo": "t0ken-canary"})
    exchange = webhooks.test(hook, payload='{"text": "hello"}', by=alice)
    assert exchange.succeeded
    assert (exchange.status_code, exchange.response_body) == (202, f'{{"echo": "{MASK}"}}')
    assert "canary" not in repr(exchange)
    (request,) = receiver.requests
    assert request.headers["Authorization"] == "Bearer t0ken-canary"
    assert request.headers["webhook-id"].startswith("test_")
    assert request.json() == {"text": "hello"}
    assert not Execution.objects.exists()


def test_wh4_a_test_takes_the_guarded_path(team: Team, alice: User, settings: Settings) -> None:
    settings.WEBHOOK_ALLOWED_NETWORKS = []
    hook = factories.make_webhook(team, url="http://127.0.0.1:9/")
    exchange = webhooks.test(hook, payload="{}", by=alice)
    assert exchange.status_code is None
    assert "a loopback address" in exchange.error


@pytest.mark.django_db(transaction=True)
def test_wh4_while_a_test_waits_for_its_answer_another_is_refused(receiver: Receiver) -> None:
    """Two of them would keep every web worker from answering anybody else."""
    alice = factories.make_user("alice")
    team = factories.make_team(admin=alice)
    hook = factories.make_webhook(team, url=receiver.url)
    receiver.behave(hold=True)

    def send() -> webhooks.Exchange:
        try:
            return webhooks.test(Webhook.objects.get(), payload="{}", by=alice)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(send)
        receiver.wait_for(1)
        with pytest.raises(webhooks.TestIsRunning, match=r"^Another test is running; try again in a moment\.$"):
            webhooks.test(hook, payload="{}", by=alice)
        receiver.release()
        assert first.result().succeeded
    assert len(receiver.requests) == 1
    assert webhooks.test(hook, payload="{}", by=alice).succeeded


def test_wh4_a_test_of_another_process_counts_and_is_forgotten_with_it(
    team: Team, alice: User, receiver: Receiver, settings: Settings, tmp_path: Path
) -> None:
    settings.DATA_DIR = tmp_path
    hook = factories.make_webhook(team, url=receiver.url)
    holding = (
        "import fcntl, sys; lock = open(sys.argv[1], 'a'); fcntl.flock(lock, fcntl.LOCK_EX); print(flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", holding, str(tmp_path / "webhook-test.lock")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        with pytest.raises(webhooks.TestIsRunning):
            webhooks.test(hook, payload="{}", by=alice)
        other.kill()
    assert webhooks.test(hook, payload="{}", by=alice).succeeded


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        ("{oops", "not JSON: .* at line 1, column 2"),
        ("", "The payload is empty"),
        ('{"a": NaN}', "no number in JSON"),
        ("[" * 1_000, "nested more than 50 deep"),
        ('{"a": "\\ud800"}', "lone surrogates"),
    ],
)
def test_wh4_a_payload_that_is_not_json_is_refused(team: Team, alice: User, payload: str, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        webhooks.test(factories.make_webhook(team), payload=payload, by=alice)


def test_a_secret_whose_key_is_gone_is_told_as_that(team: Team, alice: User, receiver: Receiver) -> None:
    hook = factories.make_webhook(team, url=receiver.url, secret=factories.make_secret(team))
    with connection.cursor() as cursor:
        cursor.execute("UPDATE secrets_vault_secret SET value = %s", [b"sealed with a key that is gone"])
    automation = factories.make_automation(webhook=hook)
    rule = matching.rule_of(automation)
    execution = factories.make_execution(automation, status=Status.PENDING, rule=rule, webhook=hook)

    with pytest.raises(ValidationError, match="FERNET_KEYS"):
        webhooks.test(hook, payload="{}", by=alice)
    executions.run(execution.pk)

    execution.refresh_from_db()
    assert execution.status == Status.PENDING
    assert "Rotate it to enter its value anew" in execution.result
    assert receiver.requests == []


def test_credentials_mask_every_spelling_and_their_own_repr() -> None:
    credentials = Credentials(values=('pa"ss wörd',), access_token='pa"ss wörd')
    for text in (
        'pa"ss wörd',
        'pa\\"ss wörd',
        'pa\\"ss w\\u00f6rd',
        "pa%22ss%20w%C3%B6rd",
        "pa%22ss+w%C3%B6rd",
        "cGEic3Mgd8O2cmQ=",
    ):
        assert credentials.redact(f"<{text}>") == f"<{MASK}>"
    assert "ss w" not in repr(credentials)
