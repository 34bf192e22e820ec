"""Team settings: who sees and changes what; webhooks, secrets and keys by form; nothing secret in any page."""

import fcntl
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from automations.models import Webhook
from projects import keys, service_accounts
from projects.models import Role, Team, TeamMember, User
from secrets_vault.models import Secret
from tests import factories
from tests.receiver import Receiver

SignedIn = Callable[[User], Client]
HTMX = {"HX-Request": "true"}
CANARY = "canary-9f8e7d6c5b4a"


@pytest.fixture
def signed_in(db: None) -> SignedIn:
    """`signed_in(user)`: a browser in which the user is signed in."""

    def open_browser(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return open_browser


@pytest.fixture
def settings_url(team: Team) -> str:
    return reverse("team_settings", args=[team.name])


@pytest.fixture
def secret(team: Team) -> Secret:
    return factories.make_secret(team, "DEPLOY_TOKEN", CANARY)


@pytest.fixture
def webhook(team: Team, secret: Secret) -> Webhook:
    """pager, with the same secret as access token, signing secret and in a header."""
    headers = {"X-Key": ("${DEPLOY_TOKEN}", secret)}
    return factories.make_webhook(team, access_token=secret, secret=secret, headers=headers)


def dialogs_of(team: Team, webhook: Webhook, secret: Secret) -> list[str]:
    """The addresses that change what admins change."""
    member = TeamMember.objects.get(team=team, user__username="bob")
    names: list[tuple[str, list[object]]] = [
        ("add_member", []),
        ("language", []),
        ("member_role", [member.pk]),
        ("remove_member", [member.pk]),
        ("create_webhook", []),
        ("edit_webhook", [webhook.pk]),
        ("test_webhook", [webhook.pk]),
        ("delete_webhook", [webhook.pk]),
        ("create_secret", []),
        ("rotate_secret", [secret.pk]),
        ("delete_secret", [secret.pk]),
    ]
    return [reverse(f"team_settings_{name}", args=[team.name, *args]) for name, args in names]


# --- who --------------------------------------------------------------------------------------------------


def test_admins_see_every_dialog(
    signed_in: SignedIn, team: Team, webhook: Webhook, secret: Secret, alice: User
) -> None:
    for url in dialogs_of(team, webhook, secret):
        assert signed_in(alice).get(url, headers=HTMX).status_code == 200, url
        assert signed_in(alice).get(url).status_code == 200, url


def test_members_look_without_buttons_and_change_nothing(
    signed_in: SignedIn, team: Team, webhook: Webhook, secret: Secret, settings_url: str
) -> None:
    """Spec §8"""
    browser = signed_in(User.objects.get(username="bob"))
    page = browser.get(settings_url).content.decode()
    assert "pager" in page
    assert "DEPLOY_TOKEN" in page
    for button in ("Create webhook", "Create secret", "Add member", "Rotate DEPLOY", ">Test<"):
        assert button not in page, button
    for url in dialogs_of(team, webhook, secret):
        assert browser.get(url).status_code == 403, url
        assert browser.post(url, {"name": "x", "value": "y", "payload": "{}"}).status_code == 403, url
    assert Secret.objects.get().rotated_at is None


def test_strangers_find_no_settings(
    signed_in: SignedIn, team: Team, webhook: Webhook, secret: Secret, charlie: User
) -> None:
    """AZ1"""
    browser = signed_in(charlie)
    for url in [reverse("team_settings", args=[team.name]), *dialogs_of(team, webhook, secret)]:
        assert browser.get(url).status_code == 404, url
        assert browser.get(url.replace(team.name, "nowhere")).status_code == 404


def test_what_belongs_to_another_team_is_not_there(signed_in: SignedIn, team: Team, alice: User) -> None:
    other = factories.make_team("other")
    webhook, secret = factories.make_webhook(other), factories.make_secret(other)
    browser = signed_in(alice)
    for name, pk in (("edit_webhook", webhook.pk), ("test_webhook", webhook.pk), ("rotate_secret", secret.pk)):
        assert browser.get(reverse(f"team_settings_{name}", args=[team.name, pk])).status_code == 404
    url = reverse("team_settings_create_webhook", args=[team.name])
    form = {"name": "thief", "url": "https://example.com", "secret": secret.pk, "signature_encoding": "base64"}
    assert "secret" in signed_in(alice).post(url, form, headers=HTMX).context["form"].errors
    assert not Webhook.objects.filter(team=team).exists()


def test_the_page_takes_as_many_queries_however_much_is_on_it(
    signed_in: SignedIn,
    team: Team,
    webhook: Webhook,
    settings_url: str,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    browser = signed_in(User.objects.get(username="alice"))
    project = factories.make_project(team)
    automation = factories.make_automation(project, webhook=webhook)
    event = factories.make_event(factories.make_run(project))
    factories.make_execution(automation, event, webhook=webhook)
    with CaptureQueriesContext(connection) as first:
        browser.get(settings_url)
    for number in range(8):
        secret = factories.make_secret(team, f"TOKEN_{number}")
        more = factories.make_webhook(
            team, name=f"hook {number}", secret=secret, headers={"X-A": ("${TOKEN}", secret), "X-B": "b"}
        )
        again = factories.make_automation(project, name=f"rule {number}", webhook=more)
        factories.make_execution(again, event, webhook=more, status="failed")
        factories.make_team(viewer=factories.make_user(f"user{number}"))
        keys.create(User.objects.get(username="alice"), by=None)
    with django_assert_num_queries(len(first)):
        page = browser.get(settings_url).content.decode()
    assert "hook 7" in page


# --- members ----------------------------------------------------------------------------------------------


def test_an_admin_adds_and_removes_a_member(signed_in: SignedIn, team: Team, alice: User, charlie: User) -> None:
    browser = signed_in(alice)
    url = reverse("team_settings_add_member", args=[team.name])
    assert browser.post(url, {"username": "charlie", "role": "member"}).status_code == 302
    member = TeamMember.objects.get(team=team, user=charlie)
    browser.post(reverse("team_settings_member_role", args=[team.name, member.pk]), {"role": "view-only"})
    member.refresh_from_db()
    assert member.role == Role.VIEW_ONLY
    browser.post(reverse("team_settings_remove_member", args=[team.name, member.pk]))
    assert not TeamMember.objects.filter(pk=member.pk).exists()


def test_a_service_account_is_closed_rather_than_removed(signed_in: SignedIn, team: Team, alice: User) -> None:
    account = service_accounts.create(team, "nightly", role=Role.MEMBER, by=alice)
    address = reverse("team_settings_remove_member", args=["research", account.pk])
    assert signed_in(alice).post(address).status_code == 404
    assert service_accounts.of_team(team).get() == account


def test_the_last_admin_cannot_be_removed(signed_in: SignedIn, team: Team, alice: User) -> None:
    member = TeamMember.objects.get(team=team, user=alice)
    answer = signed_in(alice).post(reverse("team_settings_remove_member", args=[team.name, member.pk]), headers=HTMX)
    assert answer.status_code == 422
    assert "the only admin" in answer.content.decode()
    assert TeamMember.objects.filter(pk=member.pk).exists()


def test_who_removes_themselves_is_led_home(signed_in: SignedIn, team: Team, alice: User, bob: User) -> None:
    TeamMember.objects.filter(team=team, user=bob).update(role=Role.ADMIN)
    member = TeamMember.objects.get(team=team, user=alice)
    answer = signed_in(alice).post(reverse("team_settings_remove_member", args=[team.name, member.pk]))
    assert answer["Location"] == "/"


# --- webhooks ---------------------------------------------------------------------------------------------


def webhook_form(**fields: object) -> dict[str, object]:
    return {"name": "pager", "url": "https://hooks.example.com/x", "signature_encoding": "base64", **fields}


def test_a_webhook_is_created_and_changed_by_form(signed_in: SignedIn, team: Team, secret: Secret, alice: User) -> None:
    """WH1"""
    browser = signed_in(alice)
    headers = "X-Team: vision\n\nX-Key: ${DEPLOY_TOKEN}"
    form = webhook_form(access_token=secret.pk, secret=secret.pk, headers=headers)
    created = browser.post(reverse("team_settings_create_webhook", args=[team.name]), form, headers=HTMX)
    webhook = Webhook.objects.get(team=team)
    assert created["HX-Redirect"] == f"/teams/{team.name}/settings/#webhooks"
    assert (webhook.access_token, webhook.secret) == (secret, secret)
    assert {row.name: row.secret for row in webhook.headers.all()} == {"X-Team": None, "X-Key": secret}
    edit = reverse("team_settings_edit_webhook", args=[team.name, webhook.pk])
    shown = browser.get(edit, headers=HTMX).content.decode()
    assert "X-Key: ${DEPLOY_TOKEN}" in shown
    browser.post(edit, webhook_form(name="pager 2", signature_encoding="hex"), headers=HTMX)
    webhook.refresh_from_db()
    assert (webhook.name, webhook.secret, webhook.signature_encoding) == ("pager 2", None, "hex")
    assert not webhook.headers.exists()


def test_the_page_one_looks_at_is_reloaded_rather_than_left(
    signed_in: SignedIn, team: Team, alice: User, settings_url: str
) -> None:
    here = HTMX | {"HX-Current-URL": f"http://testserver{settings_url}#webhooks"}
    url = reverse("team_settings_create_webhook", args=[team.name])
    assert signed_in(alice).post(url, webhook_form(), headers=here)["HX-Refresh"] == "true"


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("name", "", "required"),
        ("name", "bad/name", "Use letters"),
        ("name", "taken", "already"),
        ("name", "x" * 65, "at most 64"),
        ("url", "ftp://example.com", "such as https://example.com"),
        ("url", "http://169.254.169.254/latest", "link-local"),
        ("url", "https://user:pass@example.com/", "credentials"),
        ("headers", "no colon here", "Line 1 is not a header"),
        ("headers", "X-A: 1\nX-A: 2", "given twice"),
        ("headers", "X-A: ${NO_SUCH}", "no secret NO_SUCH"),
        ("headers", "Authorization: Basic abc", "credentials in the open"),
        ("signature_encoding", "rot13", "valid choice"),
    ],
)
def test_a_bad_webhook_is_refused_beside_the_field(
    signed_in: SignedIn, team: Team, field: str, value: str, said: str
) -> None:
    factories.make_webhook(team, name="taken")
    browser = signed_in(User.objects.get(username="alice"))
    form = webhook_form(**{field: value})
    answer = browser.post(reverse("team_settings_create_webhook", args=[team.name]), form, headers=HTMX)
    assert answer.status_code == 422
    assert said in str(answer.context["form"].errors[field])
    assert Webhook.objects.count() == 1


def test_a_webhook_in_use_is_not_deleted_and_says_by_what(
    signed_in: SignedIn, team: Team, webhook: Webhook, alice: User
) -> None:
    """SE3"""
    automation = factories.make_automation(factories.make_project(team), name="Night watch", webhook=webhook)
    url = reverse("team_settings_delete_webhook", args=[team.name, webhook.pk])
    browser = signed_in(alice)
    asked = browser.get(url, headers=HTMX).content.decode()
    assert "Night watch" in asked
    assert 'type="submit"' not in asked
    refused = browser.post(url, headers=HTMX)
    assert refused.status_code == 422
    assert "Night watch" in refused.content.decode()
    automation.delete()
    browser.post(url, headers=HTMX)
    assert not Webhook.objects.exists()


def test_a_paused_webhook_says_so_and_is_resumed(
    signed_in: SignedIn, webhook: Webhook, alice: User, settings_url: str
) -> None:
    """WH7"""
    Webhook.objects.filter(pk=webhook.pk).update(paused_at=timezone.now(), paused_reason="It answered 410 Gone.")
    browser = signed_in(alice)
    assert "It answered 410 Gone." in browser.get(settings_url).content.decode()
    browser.post(reverse("team_settings_resume_webhook", args=[webhook.team.name, webhook.pk]))
    assert Webhook.objects.get().paused_at is None
    assert "410" not in browser.get(settings_url).content.decode()


# --- test (WH4) -------------------------------------------------------------------------------------------


def test_a_test_sends_the_payload_with_the_real_credentials_and_shows_the_answer(
    signed_in: SignedIn, webhook: Webhook, alice: User, settings: Settings
) -> None:
    """WH4, SE1: an echo of the credentials is masked."""
    settings.WEBHOOK_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    url = reverse("team_settings_test_webhook", args=[webhook.team.name, webhook.pk])
    with Receiver() as receiver:
        Webhook.objects.update(url=f"{receiver.url}/hook")
        receiver.behave(status=202, headers={"X-Seen": CANARY}, body=f"got {CANARY}".encode())
        answer = signed_in(alice).post(url, {"payload": '{"a": [1, "ü"]}'}, headers=HTMX)
        received = receiver.requests[0]
    assert received.json() == {"a": [1, "ü"]}
    assert received.headers["Authorization"] == f"Bearer {CANARY}"
    assert received.headers["X-Key"] == CANARY
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "202" in page
    assert "X-Seen" in page
    assert "got " in page
    assert CANARY not in page


def test_a_test_that_gets_no_answer_says_why(signed_in: SignedIn, webhook: Webhook, alice: User) -> None:
    """WH9: along the guarded path."""
    Webhook.objects.update(url="http://127.0.0.1:9/hook")
    url = reverse("team_settings_test_webhook", args=[webhook.team.name, webhook.pk])
    page = signed_in(alice).post(url, {"payload": "{}"}, headers=HTMX).content.decode()
    assert "No answer" in page
    assert "loopback" in page
    assert "WEBHOOK_ALLOWED_NETWORKS" in page


def test_a_second_test_at_the_same_time_is_refused(
    signed_in: SignedIn, webhook: Webhook, alice: User, tmp_path: Path, settings: Settings
) -> None:
    """WH4"""
    settings.DATA_DIR = tmp_path
    url = reverse("team_settings_test_webhook", args=[webhook.team.name, webhook.pk])
    with (tmp_path / "webhook-test.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        answer = signed_in(alice).post(url, {"payload": "{}"}, headers=HTMX)
    assert answer.status_code == 422
    assert "Another test is running; try again in a moment." in answer.content.decode()


@pytest.mark.parametrize("payload", ["", "{", "NaN", '{"a": NaN}', "[" * 100_000])
def test_a_payload_that_is_not_json_is_not_sent(
    signed_in: SignedIn, webhook: Webhook, alice: User, payload: str
) -> None:
    url = reverse("team_settings_test_webhook", args=[webhook.team.name, webhook.pk])
    answer = signed_in(alice).post(url, {"payload": payload}, headers=HTMX)
    assert answer.status_code == 422
    assert "payload" in answer.context["form"].errors


# --- secrets ----------------------------------------------------------------------------------------------


def test_a_secret_is_created_rotated_and_deleted(
    signed_in: SignedIn, team: Team, alice: User, settings_url: str
) -> None:
    """SE1"""
    browser = signed_in(alice)
    url = reverse("team_settings_create_secret", args=[team.name])
    browser.post(url, {"name": "TOKEN", "value": " spaces stay "}, headers=HTMX)
    secret = Secret.objects.get()
    assert secret.value == " spaces stay "
    new = {"value": CANARY, "overlap": "0", "version": secret.version}
    browser.post(reverse("team_settings_rotate_secret", args=[team.name, secret.pk]), new, headers=HTMX)
    assert Secret.objects.get().value == CANARY
    assert CANARY not in browser.get(settings_url).content.decode()
    browser.post(reverse("team_settings_delete_secret", args=[team.name, secret.pk]), headers=HTMX)
    assert not Secret.objects.exists()


@pytest.mark.parametrize("form", [{"name": "bad name"}, {"name": "9LIVES"}, {"name": "DEPLOY_TOKEN"}, {"name": ""}])
def test_a_refused_secret_does_not_come_back_in_the_page(
    signed_in: SignedIn, secret: Secret, alice: User, form: dict[str, str]
) -> None:
    """SE1"""
    url = reverse("team_settings_create_secret", args=[secret.team.name])
    answer = signed_in(alice).post(url, form | {"value": "typed-by-hand"}, headers=HTMX)
    assert answer.status_code == 422
    assert "name" in answer.context["form"].errors
    assert "typed-by-hand" not in answer.content.decode()


def test_a_secret_in_use_is_not_deleted_and_says_by_what(
    signed_in: SignedIn, webhook: Webhook, secret: Secret, alice: User
) -> None:
    """SE3"""
    url = reverse("team_settings_delete_secret", args=[secret.team.name, secret.pk])
    browser = signed_in(alice)
    assert "pager" in browser.get(url, headers=HTMX).content.decode()
    refused = browser.post(url, headers=HTMX)
    assert refused.status_code == 422
    assert "pager" in refused.content.decode()
    assert Secret.objects.exists()


def test_no_page_or_dialog_shows_a_secrets_value(
    signed_in: SignedIn, team: Team, webhook: Webhook, secret: Secret, settings_url: str
) -> None:
    """SE1"""
    browser = signed_in(User.objects.get(username="alice"))
    for url in [settings_url, *dialogs_of(team, webhook, secret)]:
        assert CANARY not in browser.get(url).content.decode(), url
