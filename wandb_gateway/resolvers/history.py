"""What a run logged, read back: samples, all rows between two steps, and which keys there are."""

from __future__ import annotations

import json
from typing import Any

import orjson
from ariadne import ObjectType
from django.core.exceptions import BadRequest
from graphql import GraphQLResolveInfo

from projects import series
from projects.jsonvalues import mended
from projects.models import Run
from projects.models.history import Stream

run = ObjectType("Run")

SAMPLES = 500
MOST_SAMPLES = 100_000
BEYOND = 2**63 - 1


@run.field("history")
def history(found: Run, _info: GraphQLResolveInfo, **asked: Any) -> list[str]:
    """Every row from `minStep` to before `maxStep`, or else a sample of them all, each as a text of its own."""
    first, last = asked.get("minStep"), asked.get("maxStep")
    if first is None and last is None:
        return [json.dumps(row) for row in series.sampled(found, _samples(asked))]
    rows = series.rows_between(found, first or 0, BEYOND if last is None else last)
    return [json.dumps(row) for row in rows]


@run.field("events")
def events(found: Run, _info: GraphQLResolveInfo, **asked: Any) -> list[str]:
    return [json.dumps(row) for row in series.sampled(found, _samples(asked), stream=Stream.SYSTEM)]


@run.field("sampledHistory")
def sampled_history(found: Run, _info: GraphQLResolveInfo, specs: list[str]) -> list[list[dict[str, Any]]]:
    """For each spec the rows that have all of its keys. Here `maxStep` is the last step wanted."""
    return [_rows_of_spec(found, text) for text in specs]


def _rows_of_spec(found: Run, text: str) -> list[dict[str, Any]]:
    try:
        spec = orjson.loads(text)
        keys, last = spec["keys"], spec.get("maxStep")
        first, count = int(spec.get("minStep") or 0), int(spec.get("samples") or SAMPLES)
        last = None if last is None else int(last) + 1
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise BadRequest('A spec is a text like {"keys": ["_step", "loss"], "samples": 500}.') from error
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
        raise BadRequest("The keys of a spec are a list of texts.")
    rows = series.with_keys(found, keys, first=first, last=last, count=min(count, MOST_SAMPLES))
    answered: list[dict[str, Any]] = mended(rows)
    return answered


@run.field("historyKeys")
def history_keys(found: Run, _info: GraphQLResolveInfo) -> dict[str, Any]:
    survey = series.survey_of(found)
    keys = {
        key: {
            "typeCounts": [{"type": word, "count": count} for word, count in use.counts.items()],
            "monotonic": False,
            "previousValue": mended(use.last),
        }
        for key, use in survey.keys.items()
    }
    return {"sets": [], "keys": keys, "lastStep": survey.last_step}


@run.field("parquetHistory")
def parquet_history(found: Run, _info: GraphQLResolveInfo, liveKeys: list[str]) -> dict[str, list[Any]]:  # noqa: N803
    """There is no export: the client is told where the live rows begin, which is at the first."""
    first = series.survey_of(found).first_step
    return {"parquetUrls": [], "liveData": [] if first is None else [{series.STEP: first}]}


def _samples(asked: dict[str, Any]) -> int:
    wanted = asked.get("samples")
    return SAMPLES if wanted is None else min(max(wanted, 0), MOST_SAMPLES)


BINDABLES = (run,)
