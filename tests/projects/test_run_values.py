"""Comparisons of runs' values: what is asked, of which runs it holds, and what cannot be asked."""

from typing import Any

import pytest

from projects.models import Project, Run
from projects.run_values import Comparison, InvalidComparison, meeting, value_at
from tests import factories


def make(project: Project, name: str, **fields: Any) -> None:
    factories.make_run(project, display_name=name, **fields)


@pytest.fixture
def several(project: Project) -> Project:
    make(project, "low", summary={"train/loss": 0.05, "val": {"acc": 0.9}}, config={"lr": 0.1, "opt": {"name": "adam"}})
    make(project, "high", summary={"train/loss": 12, "val.acc": 0.5}, config={"lr": 1, "opt": "sgd", "amp": True})
    make(project, "odd", summary={"train/loss": "NaN", "val": {"acc": "good"}}, config={"lr": "0.1", "amp": False})
    make(project, "none")
    return project


def names(project: Project, *texts: str) -> set[str]:
    runs = meeting(Run.objects.filter(project=project), [Comparison.read(text) for text in texts])
    return set(runs.values_list("display_name", flat=True))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("train/loss < 1", {"low"}),
        ("train/loss<=12", {"low", "high"}),
        ("train/loss > 0.05", {"high"}),
        ("train/loss >= 5e-2", {"low", "high"}),
        ("train/loss = 12.0", {"high"}),
        ("train/loss = NaN", {"odd"}),
        ("train/loss != 12", {"low", "odd"}),
        ("val.acc > 0.4", {"low", "high"}),
        ("val.acc != 0.5", {"low", "odd"}),
        ("config:lr = 0.1", {"low", "odd"}),
        ("config:opt.name = adam", {"low"}),
        ('config:opt = "sgd"', {"high"}),
        ("config:amp = true", {"high"}),
        ("config:amp != true", {"odd"}),
        ("config:amp > 0", set()),
        ("no such key = 1", set()),
        ("損失 < 1", set()),
        ("isnull = 1", set()),
    ],
)
def test_runs_that_meet_a_comparison_are_found(several: Project, text: str, found: set[str]) -> None:
    assert names(several, text) == found


def test_runs_meet_all_of_several(several: Project) -> None:
    assert names(several, "train/loss > 0", "val.acc > 0.8") == {"low"}
    assert names(several, "train/loss > 0", "train/loss < 0") == set()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("accuracy.0 > 0.6", {"sure"}),
        ("accuracy.0 != 0.7", {"unsure"}),
        ("7 = x", {"sure"}),
        ("7 != 1", {"sure"}),
        ("99999999999 < 2", {"unsure"}),
        ("accuracy.99999999999 = 1", set()),
        ("config:layers.1.size = 64", {"sure"}),
    ],
)
def test_a_key_of_digits_is_a_name(project: Project, text: str, found: set[str]) -> None:
    layers = {"1": {"size": 64}}
    make(project, "sure", summary={"accuracy": {"0": 0.7}, "7": "x"}, config={"layers": layers})
    make(project, "unsure", summary={"accuracy": {"0": 0.5}, "99999999999": 1}, config={"layers": [1, 2]})
    assert names(project, text) == found


@pytest.mark.parametrize(("column", "first"), [("accuracy.0", "high"), ("7", "high"), ("99999999999", "low")])
def test_runs_are_sorted_by_a_key_of_digits(project: Project, column: str, first: str) -> None:
    make(project, "low", summary={"accuracy": {"0": 0.5}, "7": 1, "99999999999": 2})
    make(project, "high", summary={"accuracy": {"0": 0.7}, "7": 2, "99999999999": 1})
    runs = Run.objects.alias(value=value_at(column)).order_by("-value")
    assert runs.values_list("display_name", flat=True)[0] == first


@pytest.mark.parametrize(
    "text", ["", "loss", "< 1", "config: < 1", "loss < abc", "loss > true", "loss > NaN", "x" * 400]
)
def test_what_compares_nothing_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(InvalidComparison, match=r"compares nothing|is no number"):
        Comparison.read(text)


def test_a_comparison_is_written_as_it_is_read() -> None:
    assert str(Comparison.read(" config:lr>=0.10 ")) == "config:lr >= 0.10"
    assert Comparison.read(str(Comparison.read("a b != 'x y'"))) == Comparison("a b", "!=", "x y")
