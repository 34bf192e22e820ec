"""UI6: pages are English or Japanese, as the browser wants it or the user chose; programs are answered in English."""

import json

import pytest
from django.conf import settings
from django.test import Client
from django.utils import translation

from projects.models import Project, User
from tests import factories


def choose(client: Client, language: str) -> None:
    answer = client.post("/i18n/language", {"language": language}, HTTP_REFERER="http://testserver/login")
    assert answer.status_code == 302
    assert answer["Location"] == "http://testserver/login"


@pytest.mark.parametrize(
    ("wanted", "language"),
    [("ja", "ja"), ("ja-JP,en;q=0.5", "ja"), ("en-GB", "en"), ("fr,ja;q=0.5", "ja"), ("fr", "en"), ("", "en")],
)
def test_a_page_is_in_the_first_language_of_the_browser_that_there_is(wanted: str, language: str, db: None) -> None:
    answer = Client().get("/login", headers={"accept-language": wanted})
    assert f'<html lang="{language}" ' in answer.content.decode()
    assert answer["Content-Language"] == language
    assert {"Accept-Language", "Cookie"} <= set(answer["Vary"].split(", "))


def test_who_chose_a_language_gets_it_whatever_their_browser_wants(client: Client, alice: User) -> None:
    choose(client, "ja")
    assert client.cookies["language"]["max-age"] == 365 * 24 * 3600
    assert '<html lang="ja" ' in client.get("/login").content.decode()
    client.force_login(alice)
    page = client.get("/", headers={"accept-language": "en"}).content.decode()
    assert '<html lang="ja" ' in page
    assert "プロジェクト" in page
    choose(client, "en")
    assert '<html lang="en" ' in client.get("/", headers={"accept-language": "ja"}).content.decode()


def test_a_language_there_is_not_changes_nothing(client: Client, db: None) -> None:
    choose(client, "tlh")
    assert "language" not in client.cookies


def test_a_choice_leads_back_to_pages_of_this_server_only(client: Client, db: None) -> None:
    answer = client.post("/i18n/language", {"language": "ja"}, HTTP_REFERER="https://elsewhere.example/")
    assert answer["Location"] == "/"


@pytest.mark.parametrize("path", ["/api/projects/", "/healthz"])
def test_programs_are_answered_in_english_and_their_answers_do_not_vary(path: str, client: Client, db: None) -> None:
    japanese = client.get(path, headers={"accept-language": "ja", "cookie": "language=ja"})
    assert japanese.content == client.get(path).content
    assert "Accept-Language" not in japanese.get("Vary", "")


def test_a_request_leaves_no_language_behind_in_its_thread(client: Client, db: None) -> None:
    client.get("/login", headers={"accept-language": "ja"})
    assert translation.get_language() == settings.LANGUAGE_CODE


@pytest.mark.parametrize(("wanted", "verdict"), [("ja", "実行されませんでした"), ("en", "Would not have fired")])
def test_what_is_made_while_it_is_sent_is_in_the_language_of_the_page(
    client: Client, alice: User, project: Project, wanted: str, verdict: str
) -> None:
    automation = factories.make_automation(project)
    client.force_login(alice)
    address = f"{automation.get_absolute_url()}replay"

    answer = client.get(address, headers={"accept": "application/x-ndjson", "accept-language": wanted})

    *_, last = b"".join(answer).decode().splitlines()
    assert verdict in json.loads(last)["html"]
    assert translation.get_language() == settings.LANGUAGE_CODE


def test_what_programs_are_sent_piece_by_piece_is_english_on_a_japanese_server(
    client: Client, alice: User, project: Project
) -> None:
    automation = factories.make_automation(project)
    key = factories.make_api_key(alice)
    address = f"/api/automations/{automation.pk}/backtest/"

    with translation.override("ja"):
        answer = client.post(
            address, {"days": 30}, content_type="application/json", headers={"authorization": f"Bearer {key}"}
        )
        told = b"".join(answer).decode()

    assert "Would not have fired" in told


def test_the_choice_is_offered_to_those_who_are_not_signed_in_too(client: Client, alice: User) -> None:
    for page in (client.get("/login"), (client.force_login(alice), client.get("/"))[1]):
        text = page.content.decode()
        assert 'action="/i18n/language"' in text
        assert 'lang="ja"' in text
        assert "日本語" in text
