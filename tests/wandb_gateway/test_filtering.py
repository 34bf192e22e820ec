import json
from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import BadRequest

from automations.filters import RUN_FIELDS
from projects.events import run_facts
from projects.models import Project, Run
from tests import factories
from wandb_gateway import filtering

COLUMNS = {"created_at": "created_at", "config.*": "config", "name": "run_id"}


@pytest.fixture
def ids(project: Project) -> Callable[..., list[str]]:
    """`ids(filter=…, order=…)`: the ids of the runs a list would show."""
    for name, rate in (("slow", 2), ("fast", 10), ("none", None)):
        config: dict[str, Any] = {"opt": {"lr": rate}} if rate else {}
        factories.make_run(project, run_id=name, display_name=f"prod-{name}", config=config)

    def listed(filter: Any = None, order: str = "name") -> list[str]:
        text = filter if filter is None or isinstance(filter, str) else json.dumps(filter)
        rows = filtering.narrowed(Run.objects.filter(project=project), text, fields=RUN_FIELDS, facts=run_facts)
        return [run.run_id for run in filtering.ordered(rows, order, columns=COLUMNS)]

    return listed


@pytest.mark.parametrize("nothing", [None, "", "{}", " {} ", "null", {"$and": []}, {"$or": [{"$and": []}]}])
def test_a_filter_that_asks_for_nothing_keeps_every_row(ids: Callable[..., list[str]], nothing: Any) -> None:
    assert ids(nothing) == ["fast", "none", "slow"]


def test_a_filter_reads_what_the_rows_show(ids: Callable[..., list[str]]) -> None:
    assert ids({"config.opt.lr": {"$gt": 5}}) == ["fast"]
    assert ids({"config.opt.lr.value": 2}) == ["slow"]
    assert ids({"display_name": {"$regex": "-(slow|none)$"}}) == ["none", "slow"]


def test_orders_compare_numbers_as_numbers_and_put_what_has_none_last(ids: Callable[..., list[str]]) -> None:
    assert ids(order="+config.opt.lr") == ["slow", "fast", "none"]
    assert ids(order="-config.opt.lr.value") == ["fast", "slow", "none"]


def test_an_order_by_a_key_of_digits_is_one_by_a_name(ids: Callable[..., list[str]], project: Project) -> None:
    factories.make_run(project, run_id="numbered", config={"99999999999": 1})
    assert ids(order="+config.99999999999")[0] == "numbered"


@pytest.mark.parametrize(
    ("filter", "sentence"),
    [
        ("{", "The filter is not JSON"),
        ("[]", "A condition is an object"),
        ({"shoe_size": 43}, 'There is no field "shoe_size"'),
        ({"display_name": {"$regex": "("}}, "missing"),
    ],
)
def test_a_filter_that_cannot_be_used_is_refused_with_the_reason(
    ids: Callable[..., list[str]], filter: Any, sentence: str
) -> None:
    with pytest.raises(BadRequest, match=sentence):
        ids(filter)


@pytest.mark.parametrize(
    "order", ["shoe_size", "-user__password", "config", "config.", "name.x", "config.a\x00", f"config{'.a' * 500}"]
)
def test_there_is_no_order_by_what_the_list_does_not_name(ids: Callable[..., list[str]], order: str) -> None:
    with pytest.raises(BadRequest, match="There is no order by"):
        ids(order=order)
