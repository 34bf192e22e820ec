"""PL2–PL5: previews on real events, and what the linter says."""

from __future__ import annotations

import json
import math
import tracemalloc
from dataclasses import replace

import pytest
from django.utils import timezone, translation

from automations import preview
from automations.editing import Draft
from automations.models import ActionKind, EventType
from automations.templating import InvalidTemplate, RenderedTooLarge
from automations.unsealing import MASK
from projects import metrics, runs
from projects.models import Project, Team
from registries import labels
from tests import factories

pytestmark = pytest.mark.django_db

STATE = Draft(
    name="n", event_type=EventType.RUN_STATE, action_kind=ActionKind.WEBHOOK, condition={"states": ["FAILED"]}
)

METRIC = Draft(
    name="n",
    event_type=EventType.RUN_METRIC,
    action_kind=ActionKind.WEBHOOK,
    condition={"name": "loss", "agg_op": "AVERAGE", "window_size": 3, "cmp_op": "$gt", "threshold": 0.9},
)
VERSION = Draft(name="n", event_type=EventType.CREATE_ARTIFACT, action_kind=ActionKind.WEBHOOK)
ALIAS = Draft(name="n", event_type=EventType.ADD_ARTIFACT_ALIAS, action_kind=ActionKind.WEBHOOK)


def test_an_event_the_draft_would_react_to_is_preferred(project: Project) -> None:
    run = factories.make_run(project, display_name="failing")
    runs.finish(run, exit_code=1, by=run.user, at=timezone.now())
    factories.make_run(project, display_name="just started")
    event = preview.recent_event(project, STATE)
    assert event is not None
    assert (event.facts["display_name"], event.details["state"]) == ("failing", "failed")
    assert preview.reacts(STATE, event)


def test_the_latest_event_of_the_kind_in_the_scope_is_taken(project: Project, team: Team) -> None:
    assert preview.recent_event(project, STATE) is None
    factories.make_run(project, display_name="first")
    factories.make_run(project, display_name="second")
    factories.make_run(factories.make_project(team, "elsewhere"), display_name="third")
    factories.make_version(project)
    event = preview.recent_event(project, STATE)
    assert event is not None
    assert event.facts["display_name"] == "second"
    assert not preview.reacts(STATE, event)
    assert preview.recent_event(team, STATE) != event


def test_pl5_variables_that_do_not_apply_are_empty_and_secrets_are_masked(project: Project, team: Team) -> None:
    factories.make_run(project, display_name='quote " and \\ newline \n')
    hook = factories.make_webhook(
        team,
        access_token=factories.make_secret(team, name="TOKEN", value="canary-token"),
        secret=factories.make_secret(team, name="SIGNING", value="canary-signing"),
    )
    event = preview.recent_event(project, STATE)
    assert event is not None
    draft = STATE
    draft.webhook = hook
    draft.payload = '{"run": "${run_name}", "alias": "${alias}", "t": "${ACCESS_TOKEN}", "s": "${SIGNING}"}'
    assert json.loads(preview.rendered(draft, event=event)) == {
        "run": 'quote " and \\ newline \n',
        "alias": "",
        "t": MASK,
        "s": MASK,
    }
    draft.payload, draft.webhook = "", None


def test_the_default_document_is_shown_without_a_template(project: Project) -> None:
    factories.make_run(project, display_name="prod-7")
    event = preview.recent_event(project, STATE)
    assert event is not None
    shown = json.loads(preview.rendered(STATE, event=event))
    assert shown["run"]["name"] == "prod-7"
    assert shown["automation"]["summary"] == "When a run fails, call a webhook"


def test_the_default_document_is_shown_with_why_the_automation_would_react(project: Project) -> None:
    run = factories.make_run(project)
    runs.finish(run, exit_code=1, by=run.user, at=timezone.now())
    event = preview.recent_event(project, STATE)
    assert event is not None
    assert json.loads(preview.rendered(STATE, event=event))["because"] == "the run failed with exit code 1"


def test_pl5_the_linter_names_variables_that_never_apply() -> None:
    warnings = preview.lint(
        '{"a": "${run_name}", "b": "${alias}", "c": "${run_nmae}"}', event_type=EventType.RUN_STATE, webhook=None
    )
    assert len(warnings) == 2
    assert "${alias} does not apply to this event" in warnings[0].message
    assert "Did you mean ${run_name}?" in warnings[1].message
    assert preview.lint("", event_type=EventType.RUN_STATE, webhook=None) == []


def test_pl5_the_linter_says_where_in_the_payload() -> None:
    payload = '{\n  "a": "${alias}",\n  "b": "${ run_id }"\n}'

    found = preview.lint(payload, event_type=EventType.RUN_STATE, webhook=None)

    assert [(one.field, one.line, one.column) for one in found] == [("payload", 2, 9), ("payload", 3, 9)]


def test_pl5_what_json_spells_otherwise_has_no_place() -> None:
    payload = '{"a": "${artifact_metadata.\\u00e9}"}'

    (found,) = preview.lint(payload, event_type=EventType.RUN_STATE, webhook=None)

    assert (found.line, found.column) == (0, 0)


def test_pl5_the_linter_tells_the_title_of_a_message_from_its_text() -> None:
    found = preview.lint_texts(
        {"title": "Look: ${alias}", "message": 'Say "hi"\n${nope}'}, event_type=EventType.RUN_STATE
    )

    assert [(one.field, one.line, one.column) for one in found] == [("title", 1, 7), ("message", 2, 1)]


def test_what_is_no_json_is_told_with_its_place() -> None:
    with pytest.raises(InvalidTemplate) as refused:
        preview.lint('{\n  "a": nope\n}', event_type=EventType.RUN_STATE, webhook=None)

    told = preview.fault(refused.value)
    assert (told.line, told.column) == (2, 8)


def test_sl2_a_message_is_previewed_in_the_language_of_the_channels_team(
    project: Project, team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preview, "message_of", lambda *_, **__: translation.get_language())
    team.language = "ja"
    factories.make_run(project)
    event = preview.recent_event(project, STATE)
    assert event is not None
    to_channel = replace(STATE, slack_channel=factories.make_slack_channel(team))

    with translation.override("en"):
        assert preview.message(to_channel, event=event) == "ja"
        assert preview.message(STATE, event=event) == "en"


def test_pl2_metric_variables_tell_what_was_seen_against_what_was_asked(project: Project) -> None:
    condition = {"name": "loss", "agg_op": "AVERAGE", "window_size": 3, "cmp_op": "$gt", "threshold": 0.9}
    factories.make_automation(project, EventType.RUN_METRIC, condition=condition)
    run = factories.make_run(project)
    metrics.append(
        run, metrics.parse(json.dumps([{"loss": value} for value in (1, math.nan, 2)]).encode()), at=timezone.now()
    )
    event = preview.recent_event(project, METRIC)
    assert event is not None
    names = ("metric_name", "metric_values", "metric_filter", "metric_filter_short", "metric_current_status")
    draft = Draft(
        name="n",
        event_type=EventType.RUN_METRIC,
        action_kind=ActionKind.WEBHOOK,
        condition=condition,
        payload=json.dumps({name: f"${{{name}}}" for name in names}),
    )
    assert json.loads(preview.rendered(draft, event=event)) == {
        "metric_name": "loss",
        "metric_values": '[1.0, "NaN", 2.0]',
        "metric_filter": "loss (average of the last 3 values) is above 0.9",
        "metric_filter_short": "loss > 0.9",
        "metric_current_status": "1.5 > 0.9, average of the last 3 values",
    }


def test_pl2_pl3_artifact_variables_name_the_version(project: Project) -> None:
    version = factories.make_version(project, metadata={"accuracy": 0.9, "tags": ["a"]})
    labels.add_alias(version, "production", by=factories.make_user("bob"), at=timezone.now())
    event = preview.recent_event(project, ALIAS)
    assert event is not None
    draft = Draft(
        name="n",
        event_type=EventType.ADD_ARTIFACT_ALIAS,
        action_kind=ActionKind.WEBHOOK,
        payload='["${artifact_version_string}", "${artifact_metadata.tags}", "${event_author}", "${run_id}"]',
    )
    assert json.loads(preview.rendered(draft, event=event)) == [
        "research/digits/model:production",
        '["a"]',
        "bob",
        "",
    ]


def test_a_run_that_was_deleted_still_previews(project: Project) -> None:
    run = factories.make_run(project)
    runs.finish(run, exit_code=1, by=run.user, at=timezone.now())
    run.delete()
    event = preview.recent_event(project, STATE)
    assert event is not None
    assert json.loads(preview.rendered(STATE, event=event))["run"]["url"] is None


def test_the_latest_20_events_are_looked_through_a_few_in_memory_at_a_time(project: Project) -> None:
    """A filter that fits none of them makes all of them be read."""
    run = factories.make_run(project)
    wide = {"config": {f"key {number}": "x" * 500 for number in range(2_000)}}
    factories.make_event(run, facts=wide, details={"state": "failed"})
    for _ in range(19):
        factories.make_event(run, facts=wide)
    tracemalloc.start()
    fitting = preview.recent_event(project, STATE)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert fitting is not None
    assert fitting.details["state"] == "failed"
    assert peak < 14_000_000
    del fitting
    factories.make_event(run, facts={})
    latest = preview.recent_event(project, STATE)
    assert latest is not None
    assert latest.details["state"] == "running"


def test_a_default_payload_that_grows_too_large_says_so(project: Project) -> None:
    """PL1: the limit of rendered templates holds for the document we make ourselves too."""
    factories.make_version(project, metadata={"note": "short"})
    event = preview.recent_event(project, VERSION)
    assert event is not None
    event.facts["metadata"]["note"] = "x" * (4 * 1024 * 1024)
    with pytest.raises(RenderedTooLarge, match="4,194,304 characters"):
        preview.rendered(VERSION, event=event)


def test_remarks_and_faults_are_in_the_readers_language() -> None:
    """UI6"""
    with translation.override("ja"):
        (unknown,) = preview.lint('{"text": "${run_nam}"}', event_type=EventType.RUN_STATE, webhook=None)
        with pytest.raises(InvalidTemplate) as refused:
            preview.lint('{"text": production}', event_type=EventType.RUN_STATE, webhook=None)
    assert unknown.message == "${run_nam} という変数はなく、空になります。${run_name} のことですか?"
    assert preview.fault(refused.value).message == "ペイロードが JSON ではありません: 1 行 10 列、値が必要です。"
