"""A session that ends while a page is open."""

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db
NEW_SECRET = "/teams/research/settings/secrets/new"


@pytest.mark.parametrize("headers", [{"HX-Request": "true"}, {"Accept": "application/json"}])
def test_scripts_hear_that_nobody_is_signed_in_and_where_to(client: Client, headers: dict[str, str]) -> None:
    for answer in (client.get(NEW_SECRET, headers=headers), client.post(NEW_SECRET, headers=headers)):
        assert (answer.status_code, answer.headers["Location"], answer.content) == (401, "/login", b"")


@pytest.mark.parametrize("headers", [{}, {"Accept": "text/html,*/*;q=0.8"}, {"Accept": "*/*"}])
def test_people_are_led_to_the_page_and_back(client: Client, headers: dict[str, str]) -> None:
    answer = client.get(NEW_SECRET, headers=headers)

    assert (answer.status_code, answer.headers["Location"]) == (302, f"/login?next={NEW_SECRET}")
