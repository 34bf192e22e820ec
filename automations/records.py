"""What the history keeps is read by people of all languages: it is written in English, whoever was there."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from django.utils import translation

Given = ParamSpec("Given")
Made = TypeVar("Made")

LANGUAGE = "en"


def in_english(write: Callable[Given, Made]) -> Callable[Given, Made]:
    """What is said inside of the function is said in English."""

    @wraps(write)
    def written(*args: Given.args, **kwargs: Given.kwargs) -> Made:
        with translation.override(LANGUAGE):
            return write(*args, **kwargs)

    return written
