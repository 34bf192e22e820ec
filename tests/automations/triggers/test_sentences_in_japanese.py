"""UI6: the sentence of an automation is whole in Japanese, too, whatever it is about."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from django.utils import translation

from automations import filters, sentences
from automations.editing import Draft
from automations.filters import ALERT_FIELDS, ARTIFACT_FIELDS, OPERATORS, RUN_FIELDS, Kind
from automations.models import ActionKind, EventType, SlackChannel, Webhook
from automations.triggers import TRIGGERS, trigger_for
from automations.triggers.runs import ASKABLE_STATES
from automations.triggers.silence import SOURCES
from automations.windows import AGGREGATES, COMPARISONS, NONFINITE

# What Japanese texts about machine learning write in Latin letters, and names that these tests give.
LATIN = {"run", "artifact", "alias", "webhook", "Slack", "ID", "NaN", "z-score", "alerts", "pager", "loss", "wanted"}
WORD = re.compile(r"[A-Za-z][A-Za-z-]*")
DIRECTIONS = ("INCREASE", "DECREASE", "ANY")


def conditions() -> Iterator[tuple[EventType, dict[str, Any]]]:
    """Every shape of condition that an event type has."""
    for states in ([one] for one in ASKABLE_STATES):
        yield EventType.RUN_STATE, {"states": states}
    for first, second in product(ASKABLE_STATES, repeat=2):
        yield EventType.RUN_STATE, {"states": [first, second]}
    yield EventType.RUN_STATE, {"states": [*ASKABLE_STATES]}
    for aggregate, comparison in product([None, *AGGREGATES], COMPARISONS):
        threshold = {"name": "loss", "agg_op": aggregate, "window_size": 5, "cmp_op": comparison, "threshold": 0.9}
        yield EventType.RUN_METRIC, threshold
    nan = {"name": "loss", "agg_op": None, "window_size": 1, "cmp_op": NONFINITE, "threshold": None}
    yield EventType.RUN_METRIC, nan
    for aggregate, kind, direction in product([None, *AGGREGATES], ("RELATIVE", "ABSOLUTE"), DIRECTIONS):
        sizes = {"name": "loss", "agg_op": aggregate, "current_window_size": 3, "prior_window_size": 7}
        change = {"change_type": kind, "change_dir": direction, "change_amount": 0.25}
        yield EventType.RUN_METRIC_CHANGE, sizes | change
    for direction in DIRECTIONS:
        yield EventType.RUN_METRIC_ZSCORE, {"name": "loss", "window_size": 30, "threshold": 3, "change_dir": direction}
    yield EventType.RUN_ALERT, {}
    yield EventType.RUN_ALERT, {"title": "1", "text": "2"}
    for source in SOURCES:
        named = {"name": "loss"} if source == "METRIC" else {}
        yield EventType.RUN_STALL, {"source": source, "minutes": 1, **named}
    yield EventType.ARTIFACT_ABSENCE, {"hours": 24}
    for event_type in TRIGGERS:
        if event_type is not EventType.ARTIFACT_ABSENCE and not trigger_for(event_type).about_runs:
            yield event_type, {}


def english_in(text: str) -> set[str]:
    return {word for word in WORD.findall(text) if word not in LATIN}


@pytest.mark.parametrize(("event_type", "condition"), list(conditions()))
def test_what_happens_is_said_in_japanese(event_type: EventType, condition: dict[str, Any]) -> None:
    with translation.override("ja"):
        said = sentences.when_clause(event_type, condition, {})
    assert english_in(said) == set()
    assert said.endswith("とき")
    assert said != sentences.when_clause(event_type, condition, {})


def test_every_event_type_is_among_them() -> None:
    assert {event_type for event_type, _condition in conditions()} == set(EventType)


def wanted_by(operator: str, kind: Kind) -> Any:
    if operator in {"$in", "$nin", "$all"}:
        return [1] if kind is Kind.NUMBER else ["wanted"]
    if operator == "$exists":
        return True
    if operator == "$size" or kind is Kind.NUMBER:
        return 1
    return "wanted"


@pytest.mark.parametrize("negated", [False, True])
@pytest.mark.parametrize("name", list(OPERATORS))
@pytest.mark.parametrize("fields", [RUN_FIELDS, ARTIFACT_FIELDS, ALERT_FIELDS])
def test_every_comparison_of_every_field_is_said_in_japanese(fields: filters.Fields, name: str, negated: bool) -> None:
    for field in fields:
        if field.kind not in OPERATORS[name].kinds or field.name.endswith(".*"):
            continue
        clause = {field.name: {name: wanted_by(name, field.kind)}}
        document = {"$nor": [clause]} if negated else clause
        compiled = filters.compile(document, fields=fields)
        with translation.override("ja"):
            assert english_in(compiled.describe()) == set()
            # Reasons name the field as the condition does.
            assert english_in(compiled.explain({}).reason) <= {field.name, *field.name.split("_")}


def test_conditions_are_joined_in_japanese() -> None:
    document = {"$or": [{"user": "alice", "state": "x"}, {"$nor": [{"group": "g"}, {"group": "h"}]}]}
    with translation.override("ja"):
        said = filters.compile(document, fields=RUN_FIELDS).describe()
    assert said == ("(ユーザーが alice、かつ、状態が x)、または、（グループが g、または、グループが h）ではない")


@pytest.mark.parametrize(
    ("kind", "hidden", "said"),
    [
        (ActionKind.NO_OP, False, "run が失敗したとき（条件: run 名が ^prod- に一致）、何もせず記録する"),
        (ActionKind.WEBHOOK, False, "run が失敗したとき（条件: run 名が ^prod- に一致）、webhook pager を呼び出す"),
        (
            ActionKind.WEBHOOK,
            True,
            "run が失敗したとき（条件: run 名が ^prod- に一致）、別のチームの webhook を呼び出す",
        ),
        (ActionKind.SLACK, False, "run が失敗したとき（条件: run 名が ^prod- に一致）、Slack の #alerts に投稿する"),
        (
            ActionKind.SLACK,
            True,
            "run が失敗したとき（条件: run 名が ^prod- に一致）、別のチームの Slack チャンネルに投稿する",
        ),
    ],
)
def test_the_whole_sentence_reads_naturally(kind: ActionKind, hidden: bool, said: str) -> None:
    draft = Draft(name="n", event_type=EventType.RUN_STATE, action_kind=kind)
    draft.condition, draft.filter = {"states": ["FAILED"]}, {"display_name": {"$regex": "^prod-"}}
    if kind is ActionKind.WEBHOOK:
        draft.webhook = Webhook(name="pager")
    if kind is ActionKind.SLACK:
        draft.slack_channel = SlackChannel(channel="alerts", workspace="acme")
    with translation.override("ja"):
        assert sentences.summary(draft, target_hidden=hidden) == said


def test_ev6_numbers_of_a_window_are_told_in_japanese() -> None:
    trigger = trigger_for(EventType.RUN_METRIC)
    condition = {"name": "loss", "agg_op": "AVERAGE", "window_size": 2, "cmp_op": "$gt", "threshold": 0.9}
    rule = trigger.compile(condition, {})
    with translation.override("ja"):
        met = trigger.match(rule, {}, {"metric": "loss", "values": [1, 2]})
        unmet = trigger.match(rule, {}, {"metric": "loss", "values": [0, 0]})
        short = trigger.match(rule, {}, {"metric": "loss", "values": [1]})
    assert met.reason == "loss: 直近 2 件の平均 1.5 > 0.9"
    assert unmet.reason == "loss: 直近 2 件の平均 0 は > 0.9 ではない"
    assert short.reason == "loss: 評価不可: ウィンドウ 1 / 2"
