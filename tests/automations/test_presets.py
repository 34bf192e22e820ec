"""Payloads to start from: what is rendered fits what the receivers document (WH5)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from rest_framework.test import APIClient

from automations import executions, presets, preview, templating
from automations.models import EventType, Execution
from automations.presets import PRESETS, Preset
from automations.redaction import MASK
from automations.triggers import trigger_for
from projects import runs
from projects.models import Project, User
from tests import factories
from tests.automations.receivers import LARGEST, LONGEST_EMBEDS, SCHEMAS
from tests.receiver import Receiver

KEY = "0123456789abcdef0123456789abcdef"
# As long as each can be: the columns they come from end there, and texts of rules are made of those.
LONGEST = {
    "automation_name": 255,
    "entity_name": 128,
    "project_name": 128,
    "event_author": 128,
    "run_name": 255,
    "run_id": 128,
    "run_status": 8,
    "metric_name": 500,
    "metric_filter": 700,
    "metric_current_status": 300,
    "alert_title": 1_000,
    "alert_level": 5,
    "artifact_collection_name": 128,
    "artifact_version_string": 550,
    "artifact_version": 60,
    "artifact_version_index": 9,
    "alias": 128,
    "tag": 128,
    "silent_for": 20,
}
OPTIONAL = ("event_author", "metric_name")  # nobody caused it; what stands still is no metric


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    settings.WEBHOOK_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    with Receiver() as listening:
        yield listening


every_preset = pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.key)
every_event = pytest.mark.parametrize("event_type", EventType)


def values(event_type: EventType, *, longest: bool) -> dict[str, str]:
    names = trigger_for(event_type).variables
    filled = {name: "ム" * LONGEST.get(name, 2_000) if longest else "x" for name in names}
    return filled | {"event_type": event_type.rendered, "ACCESS_TOKEN": KEY}


def rendered(preset: Preset, event_type: EventType, given: dict[str, str]) -> Any:
    return json.loads(templating.parse(preset.payload(event_type)).render(given))


@every_preset
@every_event
@pytest.mark.parametrize("longest", [False, True], ids=["short", "long"])
def test_wh5_what_is_rendered_fits_the_receiver(preset: Preset, event_type: EventType, longest: bool) -> None:
    body = rendered(preset, event_type, values(event_type, longest=longest))

    jsonschema.Draft202012Validator(SCHEMAS[preset.key]).validate(body)
    assert len(json.dumps(body, ensure_ascii=False).encode()) <= LARGEST.get(preset.key, 10**6)
    if preset.key == "discord":
        (embed,) = body["embeds"]
        assert len(embed["title"]) + len(embed["description"]) <= LONGEST_EMBEDS
        assert body["allowed_mentions"] == {"parse": []}


@every_preset
@every_event
def test_values_that_may_be_missing_are_in_no_field_that_must_be_there(preset: Preset, event_type: EventType) -> None:
    given = values(event_type, longest=False) | dict.fromkeys(OPTIONAL, "")

    jsonschema.Draft202012Validator(SCHEMAS[preset.key]).validate(rendered(preset, event_type, given))


@every_preset
@every_event
def test_a_preset_names_variables_of_its_event_alone(preset: Preset, event_type: EventType) -> None:
    payload = preset.payload(event_type)
    known = {*trigger_for(event_type).variables, "ACCESS_TOKEN"}

    assert templating.parse(payload).names() <= known
    if "ACCESS_TOKEN" not in payload:
        assert preview.lint(payload, event_type=event_type, webhook=None) == []


def test_every_event_has_its_words() -> None:
    assert set(presets.HAPPENINGS) == set(EventType)
    assert len({preset.key for preset in PRESETS}) == len(PRESETS) == len(SCHEMAS)


@pytest.mark.parametrize(
    ("url", "first"),
    [
        ("https://api.github.com/repos/acme/digits/dispatches", "github"),
        ("https://discord.com/api/webhooks/1/x", "discord"),
        ("https://prod-1.westeurope.logic.azure.com:443/workflows/1", "teams"),
        ("https://a.b.powerplatform.com/powerautomate/x", "teams"),
        ("https://events.eu.pagerduty.com/v2/enqueue", "pagerduty"),
        ("https://logic.azure.com.example.com/", "github"),
        ("", "github"),
    ],
)
def test_the_preset_of_the_receiver_comes_first(url: str, first: str) -> None:
    found = presets.closest_to(url)

    assert (found[0].key, len(found)) == (first, len(PRESETS))


@pytest.mark.django_db
def test_pl4_the_key_in_the_body_is_sent_and_not_remembered(project: Project, alice: User, receiver: Receiver) -> None:
    secret = factories.make_secret(project.team, "PAGERDUTY", KEY)
    webhook = factories.make_webhook(project.team, receiver.url, access_token=secret)
    pagerduty = presets.preset_named("pagerduty")
    assert pagerduty is not None
    factories.make_automation(project, webhook=webhook, payload=pagerduty.payload(EventType.RUN_STATE))
    run = factories.make_run(project, user=alice, display_name="baseline")
    runs.finish(run, exit_code=1, by=alice, at=run.started_at)
    executions.run(Execution.objects.get().pk)

    (request,) = receiver.requests
    jsonschema.Draft202012Validator(SCHEMAS["pagerduty"]).validate(request.json())
    assert request.json()["routing_key"] == KEY
    assert request.json()["payload"]["summary"] == "Tell the pager: Run baseline is failed"
    payload = Execution.objects.get().payload
    assert (KEY in payload, MASK in payload) == (False, True)


@pytest.mark.django_db
def test_presets_are_listed_over_rest(api: Any, bob: User) -> None:
    client: APIClient = api(bob)
    found = client.get("/api/presets/?event_type=ADD_ARTIFACT_ALIAS").json()

    assert [one["key"] for one in found] == ["github", "teams", "discord", "pagerduty", "generic"]
    assert json.loads(found[0]["payload"])["client_payload"]["alias"] == "${alias}"
    assert found[0]["headers"]["Accept"] == "application/vnd.github+json"
    assert all(one["documentation"].startswith("https://") for one in found)
    refused = client.get("/api/presets/?event_type=NOTHING")
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "event_type")
