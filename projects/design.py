"""`/design/`: every component of the pages in all its states, for whoever works on them."""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple

from django import forms
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from projects.conflicts import Difference
from projects.pages import PageRequest
from projects.templatetags.interface import STATUSES

LONG = "a-name-as-long-as-a-name-may-be-" * 4
JAPANESE = "本番モデルのデプロイを監視するオートメーション"
GROUNDS = ("page", "panel", "raised", "hover", "selected", "code")
INKS = ("text", "secondary")
CODE = '{\n  "text": "${run_name} failed",\n  "token": "${ACCESS_TOKEN}"\n}'


class Change(NamedTuple):
    """A line of a text that changed."""

    sign: str
    text: str


class Sample(forms.Form):
    """A form that nobody sends, with a row of every sort."""

    name = forms.CharField(help_text="Letters, digits, “-” and “_”.")
    description = forms.CharField(required=False, widget=forms.Textarea(attrs={"rows": 3}))
    event = forms.ChoiceField(choices=[("RUN_STATE", "Run state"), ("RUN_METRIC", "Run metric threshold")])
    states = forms.MultipleChoiceField(
        choices=[("running", "Running"), ("finished", "Finished"), ("failed", "Failed")],
        widget=forms.CheckboxSelectMultiple,
    )
    shadow = forms.BooleanField(required=False, help_text="It does everything but send.")
    locked = forms.CharField(disabled=True, initial="Cannot be changed")

    def clean(self) -> None:
        raise forms.ValidationError("What is wrong with the form as a whole is said above it.")


@login_required
@require_safe
def show(request: PageRequest) -> HttpResponse:
    """The components, with nothing of anybody's data."""
    now = timezone.now()
    context = {
        "nav": "",
        "differences": [Difference("Endpoint URL", theirs="https://hooks.example.com/new", mine=LONG)],
        "grounds": GROUNDS,
        "inks": INKS,
        "statuses": STATUSES,
        "series": range(1, 11),
        "form": Sample(prefix="empty"),
        "wrong": Sample({"wrong-event": "RAIN"}, prefix="wrong"),
        "rows": [("A plain name", "finished"), (LONG, "failed"), (JAPANESE, "shadow")],
        "moments": [now, now - timedelta(minutes=3), now - timedelta(days=3), now - timedelta(days=40)],
        "lengths": [0.012, 1.2, 34, 200, 7500, 180_000],
        "pages": Paginator(range(1_000), 50).page(2),
        "code": CODE,
        "changes": [Change("-", "failed"), Change("+", "crashed"), Change("…", "")],
        "tabs": [
            {"label": "Runs", "url": "#tabs", "current": True, "count": 12_345},
            {"label": "Automations", "url": "#tabs", "current": False, "count": 0},
            {"label": "History", "url": "#tabs", "current": False, "count": None},
        ],
    }
    return render(request, "design/page.html", context)
