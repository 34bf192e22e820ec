"""Notices by e-mail: who gets which, once, whatever is killed or down."""

from __future__ import annotations

import smtplib
import socketserver
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient

from automations import mailing, notices, tasks
from automations.models import Notice, NoticeKind, NoticeMail, Webhook
from projects import members
from projects.models import Role, Team, TeamMember, User
from registries.models import Registry, RegistryTeam
from tests import factories

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
DOWN = "The receiver answered 503."


@pytest.fixture(autouse=True)
def configured(settings: Settings, alice: User, bob: User) -> None:
    """Every account has an address, and the server can send."""
    settings.EMAIL_CONFIGURED = True
    settings.PUBLIC_URL = "https://automations.example.com"
    for user in (alice, bob):
        user.email = f"{user}@example.com"
        user.save()


@pytest.fixture
def hook(team: Team) -> Webhook:
    return factories.make_webhook(team)


def fails(hook: Webhook, kind: NoticeKind = NoticeKind.FAILING, *, minute: float = 0) -> None:
    notices.tell(kind, hook, sentence=DOWN, at=NOW + timedelta(minutes=minute))


def send(*, minute: float) -> list[mail.EmailMessage]:
    """What goes out when the task runs at that minute."""
    before = len(mail.outbox)
    mailing.send_due(at=NOW + timedelta(minutes=minute))
    return mail.outbox[before:]


def test_a_failure_that_lasts_is_mailed_to_admins_once(hook: Webhook) -> None:
    fails(hook)
    assert send(minute=1) == []
    (sent,) = send(minute=3)
    assert (sent.to, sent.subject) == (["alice@example.com"], "Webhook pager of research fails")
    assert DOWN in sent.body
    assert "https://automations.example.com/notices/" in sent.body
    assert send(minute=10) == []


def test_what_works_again_within_two_minutes_is_not_mailed(hook: Webhook) -> None:
    fails(hook)
    notices.recovered(hook, because="It works again.", at=NOW + timedelta(minutes=1))
    assert send(minute=3) == []
    assert not NoticeMail.objects.exists()


def test_what_needs_an_admin_is_mailed_at_once_also_after_the_failure_was(hook: Webhook) -> None:
    fails(hook)
    assert len(send(minute=3)) == 1
    fails(hook, NoticeKind.PAUSED, minute=4)
    (sent,) = send(minute=4)
    assert sent.subject == "Webhook pager of research is paused"
    fails(hook, NoticeKind.BROKEN, minute=5)
    assert send(minute=6) == []


def test_the_recovery_is_mailed_to_who_heard_of_the_failure(hook: Webhook, bob: User, alice: User) -> None:
    fails(hook)
    send(minute=3)
    members.change_role(TeamMember.objects.get(user=bob, team=hook.team), role=Role.ADMIN, by=alice)
    notices.recovered(hook, because="It works again.", at=NOW + timedelta(minutes=9))
    (sent,) = send(minute=10)
    assert (sent.to, sent.subject) == (["alice@example.com"], "Webhook pager of research works again")


def test_flapping_is_not_mailed_again_and_again(hook: Webhook) -> None:
    for minute in range(0, 50, 10):
        fails(hook, minute=minute)
        send(minute=minute + 3)
        notices.recovered(hook, because="It works again.", at=NOW + timedelta(minutes=minute + 5))
        send(minute=minute + 6)
    assert [sent.subject.split()[-2:] for sent in mail.outbox] == [["research", "fails"], ["works", "again"]]


def test_ui6_mail_is_in_the_language_of_the_team(hook: Webhook) -> None:
    hook.team.language = "ja"
    hook.team.save()
    fails(hook)
    (sent,) = send(minute=3)
    assert sent.subject == f"webhook {hook}（research）: 失敗しています"
    assert "受信側の応答: 503。" in sent.body
    assert "すべての通知: https://automations.example.com/notices/" in sent.body
    assert "The " not in sent.body


def test_who_switched_it_off_or_has_no_address_gets_none(hook: Webhook, alice: User) -> None:
    factories.make_team(admin=factories.make_user("nameless"))
    mailing.switch(alice, on=False)
    fails(hook, NoticeKind.BROKEN)
    assert send(minute=1) == []


def test_az1_who_lost_the_right_before_it_left_gets_none(
    hook: Webhook, alice: User, bob: User, settings: Settings
) -> None:
    members.change_role(TeamMember.objects.get(user=bob, team=hook.team), role=Role.ADMIN, by=alice)
    fails(hook, NoticeKind.BROKEN)
    for user in (alice, bob):
        NoticeMail.objects.create(notice=Notice.objects.get(), user=user, said=NoticeKind.BROKEN, due_at=NOW)
    members.remove(TeamMember.objects.get(user=alice, team=hook.team), by=bob)
    assert [sent.to for sent in send(minute=1)] == [["bob@example.com"]]


def test_without_a_mail_server_nothing_is_kept_for_later(hook: Webhook, settings: Settings) -> None:
    settings.EMAIL_CONFIGURED = False
    fails(hook, NoticeKind.BROKEN)
    assert send(minute=1) == []
    assert tasks.mail_notices() == 0
    settings.EMAIL_CONFIGURED = True
    assert send(minute=60 * 25) == []
    assert Notice.objects.get().mail_due_at is None


def test_a_killed_worker_leaves_a_claim_that_runs_out(hook: Webhook, monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(BaseException):
        pass

    def die(message: mail.EmailMessage, **kwargs: Any) -> int:
        raise Killed

    fails(hook, NoticeKind.BROKEN)
    with monkeypatch.context() as patch:
        patch.setattr(mail.EmailMessage, "send", die)
        with pytest.raises(Killed):
            send(minute=1)
    assert send(minute=1) == []
    (sent,) = send(minute=5)
    assert sent.extra_headers["Message-ID"].startswith(f"<notice-{Notice.objects.get().pk}-broken-")
    assert send(minute=60) == []


def test_a_mail_server_that_is_down_is_tried_again_and_given_up(
    hook: Webhook, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    fails(hook, NoticeKind.BROKEN)
    for hour in range(8):
        send(minute=hour * 240)
    row = NoticeMail.objects.get()
    assert (row.attempts, row.due_at, row.sent_at) == (len(mailing.LADDER) + 1, None, None)


def test_an_address_that_is_none_holds_nobody_else_up(hook: Webhook, alice: User, bob: User) -> None:
    members.change_role(TeamMember.objects.get(user=bob, team=hook.team), role=Role.ADMIN, by=alice)
    User.objects.filter(pk=alice.pk).update(email="alice\n@example.com")
    fails(hook, NoticeKind.BROKEN)
    assert [sent.to for sent in send(minute=1)] == [["bob@example.com"]]


def test_names_cannot_add_headers(hook: Webhook) -> None:
    Webhook.objects.update(name="pager\nBcc: eve@example.com")
    fails(hook, NoticeKind.BROKEN)
    (sent,) = send(minute=1)
    assert sent.subject == "Webhook pager Bcc: eve@example.com of research needs an admin"
    assert sent.recipients() == ["alice@example.com"]


def test_the_audience_is_who_sees_the_notice(registry: Registry, team: Team, alice: User, bob: User) -> None:
    head, viewer, stranger = (factories.make_user(name) for name in ("head", "viewer", "stranger"))
    factories.make_organization(admin=head)
    factories.make_team(viewer=viewer)
    RegistryTeam.objects.create(registry=registry, team=team, role=Role.ADMIN)
    subjects = [
        factories.make_webhook(team),
        factories.make_automation(registry, "LINK_MODEL"),
        factories.make_automation(team.organization),
    ]
    for subject in subjects:
        notices.tell(NoticeKind.BROKEN, subject, sentence="It failed.", at=NOW)
    for notice in Notice.objects.all():
        told = {user for user in User.objects.all() if Notice.objects.visible_to(user).filter(pk=notice.pk).exists()}
        assert set(mailing.audience(notice)) == told
        assert told
        assert not told & {viewer, stranger}


def test_the_switch_is_on_the_page_and_in_the_api(
    client: Client, api: Callable[[User | None], APIClient], alice: User, settings: Settings
) -> None:
    client.force_login(alice)
    assert "Notices also go to alice@example.com" in client.get("/notices/").content.decode()
    client.post("/notices/by-email", {"on": "no"})
    assert api(alice).get("/api/notices/preferences/").json() == {"by_email": False}
    assert api(alice).patch("/api/notices/preferences/", {"by_email": True}).json() == {"by_email": True}
    assert User.objects.get(pk=alice.pk).notices_by_email
    settings.EMAIL_CONFIGURED = False
    assert "Also by e-mail" not in client.get("/notices/").content.decode()


class _Session(socketserver.StreamRequestHandler):
    """Just enough of SMTP for a client to hand over a mail."""

    def handle(self) -> None:
        self._say("220 ready")
        while line := self.rfile.readline().decode().strip():
            verb = line.split()[0].upper()
            if verb == "DATA":
                self._say("354 go on")
                lines = []
                while (part := self.rfile.readline().decode().rstrip("\r\n")) != ".":
                    lines.append(part)
                self.server.mails.append("\n".join(lines))  # type: ignore[attr-defined]
            if verb == "QUIT":
                self._say("221 bye")
                return
            self._say("250 ok")

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


@pytest.fixture
def smtp() -> Iterator[Any]:
    """A mail server on this machine; `mails` are what it took."""
    server: Any = socketserver.TCPServer(("127.0.0.1", 0), _Session)
    server.mails = []
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_real_mail_server_gets_plain_text_without_payload(hook: Webhook, settings: Settings, smtp: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = smtp.server_address
    fails(hook, NoticeKind.BROKEN)
    assert mailing.send_due(at=NOW + timedelta(minutes=1)) == 1
    (text,) = smtp.mails
    assert 'Content-Type: text/plain; charset="utf-8"' in text
    assert "Subject: Webhook pager of research needs an admin" in text
    assert "To: alice@example.com" in text
    assert "Auto-Submitted: auto-generated" in text
    assert DOWN in text
    assert smtplib.SMTP(*smtp.server_address).quit()[0] == 221
