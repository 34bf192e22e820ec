"""Who asks: HTTP Basic with the user `api` and an API key as password, as the client sends it; Bearer works too."""

from __future__ import annotations

from django.http import HttpRequest

from projects import keys
from projects.api.authentication import key_in
from projects.models import User


class NotSignedIn(Exception):
    """The request carries no valid API key. The client shows the sentence, and does not try again."""

    def __init__(self) -> None:
        super().__init__("user is not logged in: the API key is missing, unknown or revoked. Run “wandb login” again.")


def signed_in(request: HttpRequest) -> User:
    """The user whose key the request carries. Sessions do not count: there is no CSRF token here.

    Raises:
        NotSignedIn: there is no valid key.
    """
    key = key_in(request)
    user = keys.user_of(key) if key else None
    if user is None:
        raise NotSignedIn
    return user
