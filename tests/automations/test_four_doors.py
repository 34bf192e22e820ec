"""What cannot work is refused when it is saved, with the field and the reason, whichever way it comes in (IF1)."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.test import Client
from wandb.automations._generated.operations import CREATE_AUTOMATION_GQL

from automations.models import Automation
from projects.models import Project
from registries.models import Registry
from tests import factories
from tests.admin_pages import page
from tests.automations.views.filling import Filling
from wandb_gateway import ids

pytestmark = pytest.mark.django_db

LOSS = {"name": "loss", "agg_op": "AVERAGE", "window_size": 5, "cmp_op": "$gt", "threshold": 0.9}
FAILED = {"states": ["FAILED"]}


@dataclass(frozen=True, slots=True)
class Mistake:
    """What somebody asks for, where it goes wrong, and words of the reason; `typed` is what the form's fields say."""

    field: str
    words: str
    typed: Mapping[str, Any]
    event_type: str = "RUN_STATE"
    condition: Mapping[str, Any] = field(default_factory=lambda: FAILED)
    filter: Mapping[str, Any] = field(default_factory=dict)
    in_registry: bool = False


def of_filter(document: Mapping[str, Any], words: str) -> Mistake:
    typed = {"event_type": "RUN_STATE", "states": ["FAILED"], "filter_json": json.dumps(document)}
    return Mistake("filter", words, typed, filter=document)


def of_metric(part: str, value: Any, words: str) -> Mistake:
    condition = LOSS | {part: value}
    typed = {"event_type": "RUN_METRIC", **{name: str(one) for name, one in condition.items()}}
    typed["metric_name"] = typed.pop("name")
    return Mistake(f"condition.{part}", words, typed, "RUN_METRIC", condition)


MISTAKES = {
    "a pattern RE2 refuses": of_filter({"display_name": {"$regex": "(?=prod)"}}, "RE2 cannot run this pattern"),
    "a pattern that is none": of_filter({"display_name": {"$regex": "("}}, "RE2 cannot run this pattern"),
    "an unknown field": of_filter({"colour": "red"}, "There is no field"),
    "a metric above a text": of_filter({"summary.loss": {"$gt": "0.5"}}, "compared with a number, not with"),
    "a setting above a list": of_filter({"config.lr": {"$gt": [1]}}, "compared with a number, not with [1]"),
    "a name above a number": of_filter({"display_name": {"$gt": 5}}, "compared with text, not with 5"),
    "a window of nothing": of_metric("window_size", 0, "a whole number of values from 1 to 10,000"),
    "a window beyond memory": of_metric("window_size", 10**9, "a whole number of values from 1 to 10,000"),
    "a window of a million": of_metric("window_size", 10**6, "a whole number of values from 1 to 10,000"),
    "a threshold that is no number": of_metric("threshold", math.nan, "The threshold is finite"),
    "a threshold without end": of_metric("threshold", math.inf, "The threshold is finite"),
    "an event that does not happen there": Mistake(
        "event_type",
        "does not happen in a registry",
        {"event_type": "RUN_STATE", "states": ["FAILED"]},
        in_registry=True,
    ),
}
DOORS = ("form", "REST", "SDK", "admin")


@dataclass(frozen=True, slots=True)
class House:
    """Alice's ways to save an automation: each returns the fields that were refused, and what was said."""

    project: Project
    registry: Registry

    def home(self, mistake: Mistake) -> Project | Registry:
        return self.registry if mistake.in_registry else self.project

    def through(self, door: str, mistake: Mistake) -> tuple[list[str], str]:
        ways: dict[str, Callable[[Mistake], tuple[list[str], str]]] = {
            "form": self._form,
            "REST": self._rest,
            "SDK": self._sdk,
            "admin": self._admin,
        }
        return ways[door](mistake)

    def _form(self, mistake: Mistake) -> tuple[list[str], str]:
        client = Client()
        client.force_login(factories.make_user("alice"))
        home = "/registries/acme/models" if mistake.in_registry else "/research/digits"
        response = Filling(client, f"{home}/automations/new").post(**mistake.typed)
        assert response.status_code == 422
        return list(response.context["form"].errors), response.content.decode()

    def _rest(self, mistake: Mistake) -> tuple[list[str], str]:
        home = self.home(mistake)
        body = {
            "name": "Tell the pager",
            "scope": {"kind": type(home).__name__.lower(), "name": str(home)},
            "event_type": mistake.event_type,
            "condition": mistake.condition,
            "filter": mistake.filter,
            "action_kind": "NO_OP",
        }
        headers = {"Authorization": f"Bearer {factories.make_api_key(factories.make_user('alice'))}"}
        answer = Client().post("/api/automations/", json.dumps(body), "application/json", headers=headers)
        assert answer.status_code == 400
        problem = answer.json()
        said = [problem["detail"], *(error["message"] for error in problem["errors"])]
        return [error["field"] for error in problem["errors"]], " ".join(said)

    def _sdk(self, mistake: Mistake) -> tuple[list[str], str]:
        home = self.home(mistake)
        asked: dict[str, Any] = {"run_filter": json.dumps(mistake.filter)}
        if mistake.event_type == "RUN_METRIC":
            asked["run_metric_filter"] = {"threshold_filter": mistake.condition}
        else:
            asked["run_state_filter"] = mistake.condition
        wanted = {
            "name": "Tell the pager",
            "enabled": True,
            "scopeType": "PROJECT",
            "scopeID": ids.encode(type(home).__name__, home.pk),
            "triggeringEventType": mistake.event_type,
            "eventFilter": json.dumps(asked),
            "triggeredActionType": "NO_OP",
            "triggeredActionConfig": {"noOpActionInput": {"noOp": True}},
        }
        headers = {"Authorization": f"Bearer {factories.make_api_key(factories.make_user('alice'))}"}
        body = {"query": CREATE_AUTOMATION_GQL, "variables": {"input": wanted}}
        answer = Client().post("/graphql", body, "application/json", headers=headers)
        assert answer.status_code == 400
        # The client knows sentences only, which begin with the field where there is one.
        (said,) = [error["message"] for error in answer.json()["errors"]]
        return [said], said

    def _admin(self, mistake: Mistake) -> tuple[list[str], str]:
        client = Client()
        client.force_login(factories.make_user("operator", superuser=True, is_staff=True))
        home = self.home(mistake)
        fields = {
            type(home).__name__.lower(): home.pk,
            "name": "Tell the pager",
            "event_type": mistake.event_type,
            "filter": json.dumps(mistake.filter),
            "condition": json.dumps(mistake.condition),
            "action_kind": "NO_OP",
        }
        response = client.post(page(Automation, "add"), fields)
        assert response.status_code == 200
        form = response.context["adminform"].form
        return list(form.errors), " ".join(str(one) for errors in form.errors.values() for one in errors)


def field_at(door: str, mistake: Mistake) -> str:
    """How a door names the field: the form and the admin by the widget, the others by the path in the document."""
    head, _, part = mistake.field.partition(".")
    if door == "form":
        return part or {"filter": "filter_json"}.get(head, head)
    if door == "SDK" and part == "threshold":
        return "eventFilter"
    return head if door == "admin" else mistake.field


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_refused_at_every_door(project: Project, registry: Registry, name: str, door: str) -> None:
    """SC4, EV1, EV6, EV9, EV10."""
    mistake = MISTAKES[name]
    fields, said = House(project, registry).through(door, mistake)

    assert len(fields) == 1
    assert field_at(door, mistake) in fields[0]
    # What JSON has no words for cannot be typed, and does not reach the rule through the client.
    unsaid = mistake.words == "The threshold is finite" and door in {"form", "SDK"}
    assert ("number" if unsaid else mistake.words) in said
    assert not Automation.objects.exists()
