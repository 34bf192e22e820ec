"""The language of a team's messages, as its settings show and change it."""

from django.test import Client
from django.urls import reverse

from projects.models import Team, User


def test_ui6_an_admin_chooses_the_language_of_the_teams_messages(client: Client, team: Team, alice: User) -> None:
    client.force_login(alice)
    settings_url = reverse("team_settings", args=[team.name])
    assert "are in English." in client.get(settings_url).content.decode()
    answer = client.post(reverse("team_settings_language", args=[team.name]), {"language": "ja"})
    assert answer["Location"] == f"{settings_url}#language"
    team.refresh_from_db()
    assert team.language == "ja"
    assert "are in 日本語." in client.get(settings_url).content.decode()


def test_a_language_there_is_not_is_refused(client: Client, team: Team, alice: User) -> None:
    client.force_login(alice)
    answer = client.post(reverse("team_settings_language", args=[team.name]), {"language": "tlh"})
    assert answer.status_code == 422
    team.refresh_from_db()
    assert team.language == "en"
