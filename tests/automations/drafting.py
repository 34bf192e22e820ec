"""Automations as somebody might have written them: any event, scope and action, and texts of all sorts."""

from __future__ import annotations

import json
import string
from typing import Any

from hypothesis import strategies as st

from automations.access import Scope
from automations.editing import Draft
from automations.models import ActionKind, EventType, ScopeKind
from automations.models.automation import FITTING_SCOPES
from tests import factories

letters = st.characters(exclude_categories=("Cs", "Cc"), include_characters="\n\r\t")
texts = st.text(letters, max_size=30)
# Names have no line breaks, and no marks that turn text around.
lines = st.text(st.characters(exclude_categories=("Cs", "Cc", "Cf", "Zl", "Zp")), max_size=20)
words = st.one_of(st.text(string.ascii_letters + string.digits + " ,_-.^$", min_size=1, max_size=12), texts)
keys = st.text(string.ascii_letters + string.digits + " ,_-.^$", min_size=1, max_size=12) | lines
numbers = st.one_of(
    st.integers(-(10**25), 10**25), st.floats(-1e9, 1e9), st.floats(allow_nan=False, allow_infinity=False)
)
amounts = numbers.filter(lambda number: number > 0)
windows = st.integers(1, 4_000)
directions = st.sampled_from(["INCREASE", "DECREASE", "ANY"])
aggregates = st.sampled_from([None, "AVERAGE", "MIN", "MAX"])
thresholds = st.fixed_dictionaries(
    {
        "name": keys,
        "agg_op": aggregates,
        "window_size": windows,
        "cmp_op": st.sampled_from(["$gt", "$gte", "$lt", "$lte", "$eq", "$ne"]),
        "threshold": numbers,
    }
)
nonfinite = st.fixed_dictionaries(
    {
        "name": keys,
        "agg_op": st.none(),
        "window_size": windows,
        "cmp_op": st.just("$nonfinite"),
        "threshold": st.none(),
    }
)
CONDITIONS: dict[EventType, st.SearchStrategy[Any]] = {
    EventType.RUN_STATE: st.fixed_dictionaries(
        {"states": st.lists(st.sampled_from(["RUNNING", "FINISHED", "FAILED"]), min_size=1, max_size=4)}
    ),
    EventType.RUN_METRIC: thresholds | nonfinite,
    EventType.RUN_METRIC_CHANGE: st.fixed_dictionaries(
        {
            "name": keys,
            "agg_op": aggregates,
            "current_window_size": windows,
            "prior_window_size": windows,
            "change_type": st.sampled_from(["RELATIVE", "ABSOLUTE"]),
            "change_dir": directions,
            "change_amount": amounts,
        }
    ),
    EventType.RUN_METRIC_ZSCORE: st.fixed_dictionaries(
        {"name": keys, "window_size": st.integers(3, 1_000), "threshold": amounts, "change_dir": directions}
    ),
    EventType.RUN_ALERT: st.fixed_dictionaries(
        {},
        optional={
            "title": words,
            "text": st.none() | words,
            "levels": st.lists(st.sampled_from(["INFO", "WARN", "ERROR"]), max_size=4),
        },
    ),
    EventType.RUN_STALL: st.fixed_dictionaries(
        {"source": st.just("METRIC"), "name": keys, "minutes": st.integers(1, 43_200)}
    )
    | st.fixed_dictionaries(
        {"source": st.just("STEP"), "minutes": st.integers(1, 43_200)}, optional={"name": st.none() | st.just("")}
    ),
    EventType.ARTIFACT_ABSENCE: st.fixed_dictionaries({"hours": st.integers(1, 8_760)}),
}
RUN_KEYS = ["user", "display_name", "group", "tags", "config.lr"]
ARTIFACT_KEYS = ["alias", "tag", "collection", "type", "metadata.kind"]
COLLECTION_KEYS = ["tag", "collection", "type", "user"]


def filters_over(keys: list[str]) -> st.SearchStrategy[Any]:
    comparisons = st.one_of(
        words,
        st.none(),
        st.builds(lambda operator, value: {operator: value}, st.sampled_from(["$eq", "$ne", "$regex"]), words),
        st.builds(lambda values: {"$in": values}, st.lists(words, max_size=3)),
        st.builds(lambda value: {"$not": {"$contains": value}}, words),
    )
    fields = st.dictionaries(st.sampled_from(keys), comparisons, max_size=3)
    joints = st.sampled_from(["$and", "$or", "$nor"])
    return st.recursive(
        fields,
        lambda inner: st.builds(lambda joint, some: {joint: some}, joints, st.lists(inner, max_size=3)),
        max_leaves=4,
    )


def fields_of(event_type: EventType) -> list[str]:
    if event_type is EventType.ARTIFACT_ABSENCE:
        return []
    if event_type in CONDITIONS:
        return RUN_KEYS
    return COLLECTION_KEYS if "COLLECTION" in event_type else ARTIFACT_KEYS


@st.composite
def drafts(draw: st.DrawFn) -> tuple[Draft, ScopeKind, bool]:
    """An automation as somebody might have written it, what it covers, and whether a collection is a registry's."""
    event_type = draw(st.sampled_from(list(EventType)))
    kind = draw(st.sampled_from(list(ActionKind)))
    draft = Draft(
        name=draw(lines.map(lambda line: f"n{line}".strip())),
        description=draw(texts),
        enabled=draw(st.booleans()),
        shadow=draw(st.booleans()),
        event_type=event_type.value,
        condition=draw(CONDITIONS.get(event_type, st.just({}))),
        filter=draw(filters_over(fields_of(event_type)) if fields_of(event_type) else st.just({})),
        action_kind=kind.value,
    )
    if kind is ActionKind.WEBHOOK:
        draft.payload = draw(st.just("") | st.builds(lambda text: json.dumps({"text": text}, indent=1), texts))
    if kind is ActionKind.SLACK:
        draft.title, draft.message = draw(texts), draw(texts)
        draft.severity = draw(st.sampled_from(["INFO", "WARN", "ERROR"]))
    return draft, draw(st.sampled_from(sorted(FITTING_SCOPES[event_type]))), draw(st.booleans())


def make_scope(kind: ScopeKind, *, of_registry: bool) -> Scope:
    project = factories.make_project()
    team = project.team
    if kind is ScopeKind.COLLECTION and not of_registry:
        return project.collections.first() or factories.make_version(project).collection
    registry = team.organization.registries.first() or factories.make_registry(team.organization)
    if kind is ScopeKind.COLLECTION:
        return registry.collections.first() or factories.make_collection(registry)
    scopes: dict[ScopeKind, Scope] = {
        ScopeKind.PROJECT: project,
        ScopeKind.TEAM: team,
        ScopeKind.ORGANIZATION: team.organization,
        ScopeKind.REGISTRY: registry,
    }
    return scopes[kind]
