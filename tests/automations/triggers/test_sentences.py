"""The sentence of an automation: the same in list, wizard, history and API."""

from __future__ import annotations

from typing import Any

import pytest

from automations import sentences
from automations.editing import Draft
from automations.models import ActionKind, EventType, ScopeKind, Webhook
from automations.triggers import TRIGGERS, event_types_listening_to, triggers_for_scope

OF_ARTIFACTS = {
    EventType.LINK_ARTIFACT,
    EventType.UNLINK_ARTIFACT,
    EventType.ADD_ARTIFACT_ALIAS,
    EventType.ADD_ARTIFACT_TAG,
    EventType.REMOVE_ARTIFACT_TAG,
    EventType.ADD_COLLECTION_TAG,
    EventType.REMOVE_COLLECTION_TAG,
}
RISE = {
    "name": "loss",
    "agg_op": None,
    "current_window_size": 9,
    "prior_window_size": 9,
    "change_type": "RELATIVE",
    "change_dir": "INCREASE",
    "change_amount": 0.25,
}
FAR = {"name": "loss", "window_size": 30, "threshold": 3.0, "change_dir": "ANY"}
LOSS = {"name": "loss", "agg_op": "AVERAGE", "window_size": 5, "cmp_op": "$gt", "threshold": 0.9}


@pytest.mark.parametrize(
    ("event_type", "condition", "filter", "sentence"),
    [
        (EventType.RUN_STATE, {"states": ["FAILED"]}, {}, "When a run fails"),
        (EventType.RUN_STATE, {"states": ["FAILED", "FINISHED"]}, {}, "When a run finishes or fails"),
        (
            EventType.RUN_STATE,
            {"states": ["FAILED"]},
            {"$and": [{"display_name": {"$regex": "^prod-"}}, {"user": "alice"}]},
            "When a run fails, where run name matches ^prod- and user is alice",
        ),
        (EventType.RUN_METRIC, LOSS, {}, "When loss (average of the last 5 values) is above 0.9"),
        (EventType.RUN_METRIC_CHANGE, RISE, {}, "When loss increases by at least 25% against the value before"),
        (
            EventType.RUN_METRIC_ZSCORE,
            FAR,
            {},
            "When loss is at least 3 standard deviations away from the mean of the last 30 other runs",
        ),
        (EventType.RUN_ALERT, {}, {}, "When an alert is raised"),
        (EventType.RUN_ALERT, {"title": "", "text": None, "levels": []}, {}, "When an alert is raised"),
        (
            EventType.RUN_ALERT,
            {"title": "^Low", "levels": ["ERROR", "WARN"]},
            {"group": "prod"},
            "When an alert is raised whose title matches ^Low and level is one of WARN, ERROR, where group is prod",
        ),
        (
            EventType.RUN_STALL,
            {"source": "METRIC", "name": "loss", "minutes": 30},
            {"user": "bob"},
            "When a run is running and loss has not moved for 30 min, where user is bob",
        ),
        (
            EventType.RUN_STALL,
            {"source": "STEP", "minutes": 90},
            {},
            "When a run is running and the step has not moved for 90 min",
        ),
        (EventType.ARTIFACT_ABSENCE, {"hours": 24}, {}, "When no new version has come for 24 h"),
        (EventType.UNLINK_ARTIFACT, {}, {}, "When a version is unlinked from a registry"),
        (EventType.ADD_ARTIFACT_TAG, {}, {}, "When a tag is added to a version"),
        (EventType.ADD_ARTIFACT_TAG, {}, {"tag": {"$regex": "^ok$"}}, "When tag ^ok$ is added to a version"),
        (EventType.REMOVE_ARTIFACT_TAG, {}, {"tag": "ok"}, "When tag ok is removed from a version"),
        (EventType.ADD_COLLECTION_TAG, {}, {}, "When a tag is added to a collection"),
        (EventType.REMOVE_COLLECTION_TAG, {}, {"tag": "ok"}, "When tag ok is removed from a collection"),
        (EventType.CREATE_ARTIFACT, {}, {}, "When a new artifact version is logged"),
        (EventType.LINK_ARTIFACT, {}, {}, "When a version is linked to a registry"),
        (EventType.ADD_ARTIFACT_ALIAS, {}, {}, "When an alias is added"),
        (EventType.ADD_ARTIFACT_ALIAS, {}, {"alias": {"$regex": "^prod"}}, "When alias ^prod is added"),
        (
            EventType.ADD_ARTIFACT_ALIAS,
            {},
            {"$or": [{"$and": [{"alias": {"$eq": "production"}}]}]},
            "When alias production is added",
        ),
        (
            EventType.ADD_ARTIFACT_ALIAS,
            {},
            {"alias": "production", "type": "model"},
            "When an alias is added, where alias is production and artifact type is model",
        ),
    ],
)
def test_what_happens_is_said_in_a_sentence(event_type: str, condition: Any, filter: Any, sentence: str) -> None:
    assert sentences.when_clause(event_type, condition, filter) == sentence


def test_a_rule_that_became_invalid_says_so() -> None:
    sentence = sentences.when_clause(EventType.RUN_STATE, {"states": ["FAILED"]}, {"no_such": 1})
    assert sentence.startswith("When run state meets a condition that cannot be evaluated")


def test_what_is_done_ends_the_sentence() -> None:
    draft = Draft(name="n", event_type=EventType.LINK_ARTIFACT, action_kind=ActionKind.NO_OP)
    assert sentences.summary(draft) == "When a version is linked to a registry, do nothing but record it"
    draft.action_kind, draft.webhook = ActionKind.WEBHOOK, Webhook(name="pager")
    assert sentences.summary(draft) == "When a version is linked to a registry, call webhook pager"


def test_ev1_every_event_type_has_a_trigger_and_its_scopes() -> None:
    assert set(TRIGGERS) == set(EventType)
    assert {trigger.event_type for trigger in triggers_for_scope(ScopeKind.REGISTRY)} == {*OF_ARTIFACTS}
    assert {trigger.event_type for trigger in triggers_for_scope(ScopeKind.COLLECTION)} == {
        EventType.CREATE_ARTIFACT,
        EventType.ARTIFACT_ABSENCE,
        *OF_ARTIFACTS,
    }
    for wide in (ScopeKind.PROJECT, ScopeKind.TEAM, ScopeKind.ORGANIZATION):
        assert {trigger.event_type for trigger in triggers_for_scope(wide)} == set(EventType) - {
            EventType.ARTIFACT_ABSENCE
        }
    assert event_types_listening_to("METRICS_LOGGED") == [
        EventType.RUN_METRIC,
        EventType.RUN_METRIC_CHANGE,
        EventType.RUN_METRIC_ZSCORE,
    ]
