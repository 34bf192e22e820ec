"""Graphs drawn in layers: where nodes stand, and that neither they nor the edges get into each other's way."""

import re
from itertools import combinations

from registries.layering import HEIGHT, WIDTH, Drawing, drawn


def columns(drawing: Drawing) -> dict[object, int]:
    """The number of each node's layer, from the left."""
    places = sorted({x for x, _ in drawing.places.values()})
    return {node: places.index(x) for node, (x, _) in drawing.places.items()}


def test_data_goes_from_left_to_right_through_the_focus() -> None:
    edges = [("raw", "prepare"), ("prepare", "data"), ("data", "train"), ("train", "model")]
    drawing = drawn(["data", "prepare", "raw", "train", "model"], edges, "data", frozenset({"raw", "prepare"}))

    assert columns(drawing) == {"raw": 0, "prepare": 1, "data": 2, "train": 3, "model": 4}
    assert len({y for _, y in drawing.places.values()}) == 1
    assert drawing.height <= HEIGHT + 1
    assert len(drawing.paths) == 4


def test_what_leads_to_the_focus_two_ways_stands_before_both() -> None:
    edges = [("data", "train"), ("train", "model"), ("model", "evaluate"), ("data", "evaluate")]
    drawing = drawn(["evaluate", "model", "data", "train"], edges, "evaluate", frozenset({"model", "data", "train"}))

    assert columns(drawing) == {"data": 0, "train": 1, "model": 2, "evaluate": 3}


def test_nodes_of_a_layer_do_not_touch() -> None:
    runs = [f"run {number}" for number in range(9)]
    drawing = drawn(["data", *runs], [("data", run) for run in runs], "data", frozenset())

    for one, other in combinations(runs, 2):
        assert abs(drawing.places[one][1] - drawing.places[other][1]) > HEIGHT
    assert min(y for _, y in drawing.places.values()) >= 0
    assert max(y for _, y in drawing.places.values()) + HEIGHT <= drawing.height


def test_a_long_edge_passes_beside_the_nodes_between() -> None:
    edges = [("data", "train"), ("train", "model"), ("model", "evaluate"), ("data", "evaluate")]
    drawing = drawn(["evaluate", "model", "data", "train"], edges, "evaluate", frozenset({"model", "data", "train"}))

    # The level parts of its way, which lie in the layers that it passes.
    levels = re.findall(r" (\d+)H(\d+)", drawing.paths[3])
    assert len(levels) == 2
    for height, right in levels:
        beside = [(x, y) for x, y in drawing.places.values() if x + WIDTH == int(right)]
        assert len(beside) == 1
        assert not beside[0][1] <= int(height) <= beside[0][1] + HEIGHT


def test_few_edges_cross() -> None:
    runs = ["a", "b", "c"]
    edges = [("data", run) for run in runs] + [("a", "of a"), ("b", "of b"), ("c", "of c")]
    drawing = drawn(["data", *runs, "of c", "of a", "of b"], edges, "data", frozenset())

    heights = [drawing.places[f"of {run}"][1] for run in runs]
    assert heights == sorted(heights)


def test_a_circle_is_drawn_too() -> None:
    """A run may use what it logged itself."""
    drawing = drawn(["run", "model"], [("run", "model"), ("model", "run")], "run", frozenset())

    assert columns(drawing) == {"run": 0, "model": 1}
    assert len(drawing.paths) == 2


def test_a_circle_before_the_focus_ends() -> None:
    edges = [("data", "train"), ("train", "model"), ("model", "train"), ("model", "evaluate")]
    drawing = drawn(["evaluate", "model", "train", "data"], edges, "evaluate", frozenset({"data", "train", "model"}))

    assert columns(drawing) == {"data": 0, "train": 1, "model": 2, "evaluate": 3}


def test_one_node_alone_is_a_drawing() -> None:
    drawing = drawn(["run"], [], "run", frozenset())
    assert (drawing.width, drawing.paths, drawing.places) == (WIDTH, [], {"run": (0, 0)})
