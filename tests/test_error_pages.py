"""What people see when something is wrong: a sentence, also when there is nothing to build a page from."""

import pytest
from django.http import Http404
from django.template.loader import render_to_string
from django.test import Client, RequestFactory
from django.views import defaults


@pytest.mark.parametrize("template", ["400.html", "403.html", "403_csrf.html", "404.html", "500.html"])
def test_error_page_needs_no_context(template: str) -> None:
    """UI6: each has a heading and a way out, and asks no database for it (without a mark, a query fails the test)."""
    page = render_to_string(template)
    assert page.count("<h1>") == 1
    assert '<a class="button" href="/">Go to Home</a>' in page


def test_404_says_what_is_not_there_and_escapes_it(db: None) -> None:
    request = RequestFactory().get("/nobody/")
    answer = defaults.page_not_found(request, Http404("There is no team “<script>”."))
    assert "There is no team “&lt;script&gt;”." in answer.content.decode()


def test_form_without_its_token_is_refused_with_a_sentence(db: None) -> None:
    answer = Client(enforce_csrf_checks=True).post("/login", {"username": "alice", "password": "x"})
    assert answer.status_code == 403
    assert "This form has expired" in answer.content.decode()
