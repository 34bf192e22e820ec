"""What is made for one person is kept by no cache."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from rest_framework.test import APIClient

from projects.models import Project, User


def test_a_signed_in_persons_pages_are_stored_nowhere(client: Client, project: Project, bob: User) -> None:
    client.force_login(bob)
    for path in ("/", project.get_absolute_url(), "/nothing/here/at/all"):
        answer = client.get(path)
        assert answer.headers["Cache-Control"] == "private, no-store", path
        assert "Cookie" in answer.headers["Vary"], path


def test_answers_of_the_api_are_stored_nowhere(
    api: Callable[[User | None], APIClient], project: Project, bob: User
) -> None:
    for user, path in ((bob, "/api/teams/"), (bob, "/api/teams/nothing/"), (None, "/api/teams/")):
        assert api(user).get(path).headers["Cache-Control"] == "private, no-store", path


@pytest.mark.django_db
def test_a_view_that_says_something_about_caching_is_left_alone(client: Client) -> None:
    assert "must-revalidate" in client.get("/login").headers["Cache-Control"]


@pytest.mark.django_db
def test_static_files_may_be_kept() -> None:
    style = Path(settings.STATIC_ROOT) / "kept.css"
    style.write_text("p { color: black }")
    try:
        # A client reads the folder at its first request.
        answer = Client().get("/static/kept.css")
        assert answer.status_code == 200
        assert "public" in answer.headers["Cache-Control"]
        answer.close()
    finally:
        style.unlink()
