"""What the real client writes is stored, and what is stored the real client reads, without losing anything."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.core.exceptions import BadRequest
from hypothesis import given
from hypothesis import strategies as st
from wandb.automations import (
    ArtifactEvent,
    DoNothing,
    OnAddArtifactAlias,
    OnAddArtifactTag,
    OnAddCollectionTag,
    OnLinkArtifact,
    OnRemoveArtifactTag,
    OnRemoveCollectionTag,
    OnRunMetric,
    OnRunState,
    OnUnlinkArtifact,
    ProjectScope,
    RunEvent,
)
from wandb.automations._inputs import prepare_event_filter_input, prepare_to_create
from wandb.automations.events import SavedEvent

from automations import filters
from automations.filters import RUN_FIELDS
from tests.automations.test_filters_by_property import documents, everything
from wandb_gateway import names

# The client reads a field of its own that it calls deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")

SCOPE = ProjectScope(id="UHJvamVjdDox", name="digits")
ON_ARTIFACTS = (
    OnAddArtifactAlias,
    OnAddArtifactTag,
    OnAddCollectionTag,
    OnLinkArtifact,
    OnRemoveArtifactTag,
    OnRemoveCollectionTag,
    OnUnlinkArtifact,
)


@dataclass
class Rule:
    event_type: str
    filter: dict[str, Any] = field(default_factory=dict)
    condition: dict[str, Any] = field(default_factory=dict)
    payload: str = ""


def read_back(rule: Rule) -> Rule:
    """The rule after the client fetched it, and saved it again as it was."""
    fetched = SavedEvent.model_validate({"eventType": rule.event_type, "filter": names.event_filter(rule)})
    return Rule(rule.event_type, **names.asked_of(rule.event_type, prepare_event_filter_input(fetched.filter)))


# --- what a script may write ------------------------------------------------------------------------------------------

words = st.sampled_from(["", "prod", "^prod-.*$", "${x}", 'quote"and\\', "発火"])
metrics = st.sampled_from(["loss", "train/loss.mean", "system.gpu.0.gpu"]).map(RunEvent.metric)
windows = st.integers(1, 10_000)
numbers = st.one_of(st.integers(-(10**20), 10**20), st.floats(allow_nan=False, allow_infinity=False))
amounts = st.one_of(st.integers(1, 10**9), st.floats(1e-9, 1e9))


def conditions(*written: Any) -> st.SearchStrategy[Any]:
    """Expressions on these fields, joined by the client's operators."""
    simple = st.one_of(
        st.builds(lambda field, word: field.eq(word), st.sampled_from(written), words),
        st.builds(lambda field, word: field.ne(word), st.sampled_from(written), words),
        st.builds(lambda field, word: field.contains(word), st.sampled_from(written), words),
        st.builds(lambda field, word: field.matches_regex(word), st.sampled_from(written), words),
        st.builds(lambda field, many: field.in_(many), st.sampled_from(written), st.lists(words, max_size=2)),
        st.builds(lambda field, many: field.not_in(many), st.sampled_from(written), st.lists(words, max_size=2)),
        st.builds(lambda field, flag: field.exists(flag), st.sampled_from(written), st.booleans()),
    )
    return st.recursive(
        simple,
        lambda inner: st.one_of(
            st.builds(lambda one, other: one & other, inner, inner),
            st.builds(lambda one, other: one | other, inner, inner),
            st.builds(lambda one: ~one, inner),
        ),
        max_leaves=5,
    )


aggregates = st.one_of(
    metrics,
    st.builds(lambda metric, size: metric.avg(size), metrics, windows),
    st.builds(lambda metric, size: metric.min(size), metrics, windows),
    st.builds(lambda metric, size: metric.max(size), metrics, windows),
)
on_metrics = st.one_of(
    st.builds(lambda metric, bound: metric > bound, aggregates, numbers),
    st.builds(lambda metric, bound: metric >= bound, aggregates, numbers),
    st.builds(lambda metric, bound: metric < bound, aggregates, numbers),
    st.builds(lambda metric, bound: metric <= bound, aggregates, numbers),
    st.builds(lambda metric, amount: metric.changes_by(diff=amount), aggregates, amounts),
    st.builds(lambda metric, amount: metric.increases_by(frac=amount), aggregates, amounts),
    st.builds(lambda metric, amount: metric.decreases_by(frac=amount), aggregates, amounts),
    st.builds(lambda metric, size, bound: metric.zscore(size) > bound, metrics, windows, amounts),
    st.builds(lambda metric, size, bound: abs(metric.zscore(size)) > bound, metrics, windows, amounts),
)
on_states = st.lists(st.sampled_from(["running", "finished", "failed"]), min_size=1).map(RunEvent.state.in_)
on_runs = conditions(RunEvent.name)


def narrowed(asked: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(asked, st.builds(lambda one, runs: one & runs, asked, on_runs))


events = st.one_of(
    st.builds(lambda asked: OnRunMetric(scope=SCOPE, filter=asked), narrowed(on_metrics)),
    st.builds(lambda asked: OnRunState(scope=SCOPE, filter=asked), narrowed(on_states)),
    st.builds(
        lambda kind, asked: kind(scope=SCOPE, filter=asked),
        st.sampled_from(ON_ARTIFACTS),
        conditions(ArtifactEvent.alias, ArtifactEvent.tag),
    ),
    st.builds(lambda kind: kind(scope=SCOPE), st.sampled_from(ON_ARTIFACTS)),
)


@given(events)
def test_what_a_script_wrote_comes_back_as_it_was_sent(event: Any) -> None:
    sent = prepare_to_create(event >> DoNothing(), name="any").model_dump()
    rule = Rule(sent["triggeringEventType"], **names.asked_of(sent["triggeringEventType"], sent["eventFilter"]))

    if names.expressible(rule):
        again = read_back(rule)
        assert json.loads(names.event_filter(again)) == json.loads(names.event_filter(rule))


# --- what people may store in the browser -----------------------------------------------------------------------------


@given(documents, everything, st.sampled_from(["RUN_STATE", "LINK_MODEL"]))
def test_a_filter_the_client_saves_again_still_means_the_same(
    document: dict[str, Any], facts: dict[str, Any], event_type: str
) -> None:
    rule = Rule(event_type, document, {"states": ["FAILED"]} if event_type == "RUN_STATE" else {})

    if names.expressible(rule):
        once = read_back(rule)
        assert once.condition == rule.condition
        before = filters.compile(document, fields=RUN_FIELDS)
        after = filters.compile(once.filter, fields=RUN_FIELDS)
        assert after.matches(facts) is before.matches(facts)


THRESHOLD = {"name": "loss", "agg_op": "AVERAGE", "window_size": 5, "cmp_op": "$gt", "threshold": 0.5}


@pytest.mark.parametrize(
    ("event_type", "condition"),
    [
        ("RUN_METRIC", THRESHOLD),
        (
            "RUN_METRIC_CHANGE",
            {
                "name": "loss",
                "agg_op": None,
                "current_window_size": 3,
                "prior_window_size": 5,
                "change_type": "RELATIVE",
                "change_dir": "ANY",
                "change_amount": 0.25,
            },
        ),
        ("RUN_METRIC_ZSCORE", {"name": "loss", "window_size": 30, "threshold": 2.5, "change_dir": "DECREASE"}),
        ("RUN_STATE", {"states": ["FAILED", "RUNNING"]}),
    ],
)
def test_a_condition_of_ours_is_read_and_written_by_the_client_as_it_is(
    event_type: str, condition: dict[str, Any]
) -> None:
    rule = Rule(event_type, {"$and": [{"display_name": {"$regex": "^prod-"}}]}, condition)

    assert names.expressible(rule)
    assert read_back(rule) == rule


@pytest.mark.parametrize(
    "rule",
    [
        pytest.param(Rule("RUN_METRIC", condition=THRESHOLD | {"cmp_op": "$eq"}), id="equal"),
        pytest.param(Rule("RUN_METRIC", condition=THRESHOLD | {"cmp_op": "$ne"}), id="not equal"),
        pytest.param(
            Rule("RUN_METRIC", condition=THRESHOLD | {"agg_op": None, "cmp_op": "$nonfinite", "threshold": None}),
            id="not a number",
        ),
    ],
)
def test_if5_what_the_client_would_read_as_something_else_is_not_expressible(rule: Rule) -> None:
    assert not names.expressible(rule)
    read = SavedEvent.model_validate({"eventType": rule.event_type, "filter": names.event_filter(rule)})
    assert prepare_event_filter_input(read.filter) == '{"$and":[]}'  # it asks for nothing


@pytest.mark.parametrize("event_type", ["RUN_ALERT", "RUN_STALL", "ARTIFACT_ABSENCE"])
def test_if5_what_the_client_would_refuse_is_not_expressible(event_type: str) -> None:
    rule = Rule(event_type)

    assert not names.expressible(rule)
    with pytest.raises(ValueError, match="eventType"):
        SavedEvent.model_validate({"eventType": rule.event_type, "filter": '{"run_filter": "{}"}'})


@pytest.mark.parametrize(
    ("document", "read"),
    [
        ({"$nor": [{"user": "bob"}]}, {"$and": [{"user": {"$eq": "bob"}}]}),
        ({"$not": {"$or": [{"user": "bob"}]}}, {"$and": [{"user": {"$eq": "bob"}}]}),
        ({"$or": [{"user": "bob"}, {"$or": []}]}, {"$and": [{"user": {"$eq": "bob"}}]}),
        (
            {"user": {"$not": {"$gt": "a", "$lt": "c"}}},
            {"$and": [{"user": {"$not": {"$and": [{"$gt": "a"}, {"$lt": "c"}]}}}]},
        ),
    ],
)
def test_if5_filters_on_runs_that_the_client_turns_into_others_are_not_expressible(
    document: dict[str, Any], read: dict[str, Any]
) -> None:
    rule = Rule("RUN_STATE", document, {"states": ["FAILED"]})

    assert not names.expressible(rule)
    assert read_back(rule).filter == read


def test_if5_a_payload_that_is_no_object_is_not_expressible() -> None:
    assert names.expressible(Rule("LINK_MODEL", payload='{"text": "${alias}"}'))
    assert names.expressible(Rule("LINK_MODEL", payload=" "))
    assert not names.expressible(Rule("LINK_MODEL", payload='["${alias}"]'))


def test_a_condition_the_client_has_lost_is_not_taken_for_one() -> None:
    for event_type in ("RUN_METRIC", "RUN_METRIC_CHANGE", "RUN_METRIC_ZSCORE", "RUN_STATE"):
        with pytest.raises(BadRequest, match="“\\$and” is not part of this event's filter"):
            names.asked_of(event_type, '{"$and":[]}')
    with pytest.raises(BadRequest, match="“change_filter” is not part"):
        names.asked_of("RUN_METRIC", '{"run_metric_filter": {"change_filter": {}}}')
