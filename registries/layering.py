"""Places for the nodes of a graph, and ways for its edges: in layers from left to right, with few crossings.

Nodes stand as near to the focus as their edges let them. An edge that is longer than one layer passes the layers
between at a place of its own, so that it does not run behind nodes. Pure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

Node = TypeVar("Node", bound=Hashable)

WIDTH, HEIGHT = 160, 46
ACROSS, BETWEEN = 40, 14
# How much of a node's height an edge takes that passes a layer.
PASSAGE = 10
SWEEPS = 24
Place = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Drawing:
    """The upper left corners of the nodes, the ways of the edges as SVG paths, and the size of it all."""

    places: Mapping[Hashable, Place]
    paths: Sequence[str]
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class _Passage:
    """Where an edge passes a layer."""

    edge: int
    layer: int


def drawn(nodes: Sequence[Node], edges: Sequence[tuple[Node, Node]], focus: Node, before: frozenset[Node]) -> Drawing:
    """The graph around its focus, drawn. `before` are the nodes that lead to the focus."""
    layers_of = _layers(nodes, edges, focus, before)
    chains = [_chain(number, edge, layers_of) for number, edge in enumerate(edges)]
    layers: dict[int, list[Hashable]] = defaultdict(list)
    for node in nodes:
        layers[layers_of[node]].append(node)
    neighbours: dict[Hashable, dict[int, list[Hashable]]] = defaultdict(lambda: defaultdict(list))
    level: dict[Hashable, int] = {node: layer for node, layer in layers_of.items()}  # noqa: C416  wider keys
    for chain in chains:
        for passage in chain[1:-1]:
            assert isinstance(passage, _Passage)
            layers[passage.layer].append(passage)
            level[passage] = passage.layer
        for left, right in pairwise(chain):
            if level[left] < level[right]:
                neighbours[left][1].append(right)
                neighbours[right][-1].append(left)
    order = [layers[number] for number in sorted(layers)]
    _sort(order, neighbours)
    middles = _middles(order, neighbours)
    return _finished(nodes, chains, level, middles)


def _layers(
    nodes: Sequence[Node], edges: Sequence[tuple[Node, Node]], focus: Node, before: frozenset[Node]
) -> dict[Node, int]:
    """The number of each node's layer; the focus has 0, and no node is nearer to it than its edges let it be."""
    forth: dict[Node, list[Node]] = defaultdict(list)
    back: dict[Node, list[Node]] = defaultdict(list)
    for source, target in edges:
        forth[source].append(target)
        back[target].append(source)
    after = frozenset(nodes) - before - {focus}
    found = {focus: 0}
    for side, outward, step in ((before, back, -1), (after, forth, 1)):
        for node, further in _outward(focus, outward, side):
            for one in further:
                found[one] = step * max(step * found.get(one, 0), step * found[node] + 1)
        for node in side:
            found.setdefault(node, step)
    return found


def _outward(focus: Node, outward: Mapping[Node, list[Node]], side: frozenset[Node]) -> list[tuple[Node, list[Node]]]:
    """The nodes of one side, each before those that lie further out, with its neighbours there. Data may go in a
    circle, which is cut where it closes."""
    kept: dict[Node, list[Node]] = {}
    ended: list[Node] = []

    def walk(node: Node, walked: frozenset[Node]) -> None:
        kept[node] = [one for one in outward.get(node, ()) if one in side and one not in walked]
        for one in kept[node]:
            if one not in kept:
                walk(one, walked | {one})
        ended.append(node)

    walk(focus, frozenset({focus}))
    return [(node, kept[node]) for node in reversed(ended)]


def _chain(number: int, edge: tuple[Node, Node], layers: Mapping[Node, int]) -> list[Hashable]:
    """The edge from node to node, over the layers that it passes."""
    source, target = edge
    passed = [_Passage(number, layer) for layer in range(layers[source] + 1, layers[target])]
    return [source, *passed, target]


def _sort(order: list[list[Hashable]], neighbours: Mapping[Hashable, Mapping[int, list[Hashable]]]) -> None:
    """Bring each layer into the order of what its nodes are tied to, from the left and from the right in turn."""
    for sweep in range(SWEEPS):
        side = -1 if sweep % 2 == 0 else 1
        at = {node: place for layer in order for place, node in enumerate(layer)}
        for layer in order if side < 0 else reversed(order):
            weights = {node: _mean([at[one] for one in neighbours[node][side]], at[node]) for node in layer}
            layer.sort(key=weights.__getitem__)
            at.update({node: place for place, node in enumerate(layer)})


def _middles(
    order: list[list[Hashable]], neighbours: Mapping[Hashable, Mapping[int, list[Hashable]]]
) -> dict[Hashable, float]:
    """How high the middle of each node is: near to what it is tied to, as far from its neighbours as they need."""
    middles: dict[Hashable, float] = {}
    for layer in order:
        middles |= _spread(layer, dict.fromkeys(layer, 0.0))
    for sweep in range(SWEEPS):
        for layer in order if sweep % 2 == 0 else reversed(order):
            wished = {}
            for node in layer:
                tied = [middles[one] for side in (-1, 1) for one in neighbours[node][side]]
                wished[node] = _mean(tied, middles[node])
            middles |= _spread(layer, wished)
    return middles


def _spread(layer: Sequence[Hashable], wished: Mapping[Hashable, float]) -> dict[Hashable, float]:
    """The wished heights, moved apart in their order as far as needed; together they stay where they wished to be, and
    where an edge passes gives way to nodes."""
    placed: list[float] = []
    for number, node in enumerate(layer):
        least = placed[-1] + _distance(layer[number - 1], node) if placed else wished[node]
        placed.append(max(wished[node], least))
    weights = [1 if isinstance(node, _Passage) else 100 for node in layer]
    pulls = [(at - wished[node]) * weight for at, node, weight in zip(placed, layer, weights, strict=True)]
    moved = sum(pulls) / sum(weights)
    return {node: at - moved for at, node in zip(placed, layer, strict=True)}


def _distance(upper: Hashable, lower: Hashable) -> float:
    return (_size(upper) + _size(lower)) / 2 + BETWEEN


def _size(node: Hashable) -> int:
    return PASSAGE if isinstance(node, _Passage) else HEIGHT


def _finished(
    nodes: Sequence[Hashable],
    chains: Sequence[Sequence[Hashable]],
    level: Mapping[Hashable, int],
    middles: Mapping[Hashable, float],
) -> Drawing:
    first, last = min(level.values()), max(level.values())
    top = min(middles[node] - _size(node) / 2 for node in middles)
    bottom = max(middles[node] + _size(node) / 2 for node in middles)

    def left(node: Hashable) -> int:
        return (level[node] - first) * (WIDTH + ACROSS)

    def middle(node: Hashable) -> int:
        return round(middles[node] - top)

    return Drawing(
        places={node: (left(node), middle(node) - HEIGHT // 2) for node in nodes},
        paths=[_path([(left(node), middle(node)) for node in chain]) for chain in chains],
        width=(last - first) * (WIDTH + ACROSS) + WIDTH,
        height=round(bottom - top) + 1,
    )


def _path(points: Sequence[Place]) -> str:
    """From the right side of the first node to the left side of the last, level where it passes a layer."""
    (x, y), *rest = points
    said = [f"M{x + WIDTH} {y}"]
    for number, (left, height) in enumerate(rest, start=1):
        begin, bend = x + WIDTH, ACROSS // 2
        said.append(f"C{begin + bend} {y} {left - bend} {height} {left} {height}")
        if number < len(rest):
            said.append(f"H{left + WIDTH}")
        x, y = left, height
    return "".join(said)


def _mean(numbers: Sequence[float], otherwise: float) -> float:
    return sum(numbers) / len(numbers) if numbers else otherwise
