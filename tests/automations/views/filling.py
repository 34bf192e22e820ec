"""Somebody who fills in an automation's form."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.forms import Textarea
from django.test import Client

FAILED = {"event_type": "RUN_STATE", "states": ["FAILED"]}


class Filling:
    """The form in a browser: each step is posted, and the answer followed."""

    def __init__(self, client: Client, address: str) -> None:
        self.client = client
        self.address = address
        self.step = 1
        self.draft = ""
        self.page = self.get()

    def get(self, step: int | None = None) -> str:
        """The page of a step, by the address it is at."""
        query = {"draft": self.draft, "step": step} if step else {}
        response = self.client.get(self.address, query)
        assert response.status_code == 200
        self.seen = response.context["seen"]
        return response.content.decode()

    def post(self, go: str = "next", **answers: Any) -> Any:
        """Send the step with these answers, and go where that leads."""
        posted = {"step": self.step, "draft": self.draft, "seen": self.seen, "go": go, **answers}
        response = self.client.post(self.address, posted)
        if response.status_code == 302:
            query = parse_qs(urlsplit(response["Location"]).query)
            if "draft" in query:
                self.draft, self.step = query["draft"][0], int(query["step"][0])
                self.page = self.get(self.step)
        elif response.context is not None:
            self.step, self.draft = response.context["step"], response.context["token"]
            self.page = response.content.decode()
        return response


def act(webhook: Any, **answers: Any) -> dict[str, Any]:
    """Answers of the second step: call the webhook."""
    return {"action_kind": "GENERIC_WEBHOOK", "team": webhook.team_id, "webhook": webhook.pk, **answers}


def same(response: Any) -> dict[str, Any]:
    """What a browser would send of the shown form, if nobody touched it: with line ends of its own, and none in fields
    of one line."""
    form = response.context["form"]
    sent = {}
    for bound in form:
        value = bound.value()
        if isinstance(value, str):
            between = "\r\n" if isinstance(bound.field.widget, Textarea) else ""
            value = between.join(re.split("\r\n|\r|\n", value))
        sent[bound.name] = "" if value is None else value
    return sent
