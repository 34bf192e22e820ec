"""What delivery has to reach, and a table that says whether it did."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import Any, NamedTuple

Round = Mapping[str, Any]


class Goal(NamedTuple):
    """`case` names the rounds it is about; of several, the median counts, and of what was lost the sum."""

    what: str
    case: str
    goal: str
    shown: Callable[[Round], str]
    is_met: Callable[[Round], bool]


def lost(measured: Round) -> str:
    return f"{measured['lost']:.0f} of {measured['events']:.0f} lost"


GOALS = (
    Goal(
        "event → webhook, one at a time",
        "one at a time",
        "p50 ≤ 10 ms, p99 ≤ 25 ms",
        lambda one: f"p50 {one['p50_ms']:.1f} ms, p99 {one['p99_ms']:.1f} ms",
        lambda one: one["p50_ms"] <= 10 and one["p99_ms"] <= 25,
    ),
    Goal(
        "burst, receiver takes 100 ms",
        "burst",
        "all within 3 s of the last accepted, 0 lost",
        lambda one: f"{one['delivered_after_s']:.1f} s, {lost(one)}",
        lambda one: one["delivered_after_s"] <= 3 and one["lost"] == 0,
    ),
    Goal(
        "receiver down, then back",
        "receiver down",
        "0 lost",
        lambda one: f"{lost(one)}, all there {one['all_came_s_after']:.0f} s after {one['down_s']:.0f} s down",
        lambda one: one["lost"] == 0,
    ),
    *(
        Goal(
            f"{what} killed (-9) mid-burst",
            f"{what} killed",
            "0 lost, repeats under the same id",
            lambda one: f"{lost(one)}, {one['repeated']:.0f} repeated, {one['renamed']:.0f} under another id",
            lambda one: one["lost"] == 0 and one["renamed"] == 0,
        )
        for what in ("server", "workers")
    ),
    Goal(
        "neighbours that fail and hang",
        "neighbour",
        "healthy p50 ≤ 2 × alone",
        lambda one: (
            f"× {one['worst_ratio']:.2f} (alone {one['alone_p50_ms']:.1f}, failing {one['beside_failing_p50_ms']:.1f}, "
            f"hanging {one['beside_hanging_p50_ms']:.1f}, both {one['beside_both_p50_ms']:.1f} ms)"
        ),
        lambda one: one["worst_ratio"] <= 2,
    ),
)


def together(rounds: Sequence[Round]) -> Round:
    """Several rounds of one case as one: the median of each figure, the sum of what was lost and of what could be."""
    summed = {"lost", "events", "renamed", "repeated"}
    figures = [name for name, value in rounds[0].items() if isinstance(value, int | float)]
    return {name: (sum if name in summed else median)([one[name] for one in rounds]) for name in figures}


def print_table(rounds: Sequence[Round]) -> None:
    """What, goal, measured, met; and the peer's figures where it was measured."""
    sides = list(dict.fromkeys(one["side"] for one in rounds))
    print(
        "",
        " | ".join(["what", "goal", *sides, "met"]),
        " | ".join(["---"] * (len(sides) + 3)),
        sep="\n",
        file=sys.stderr,
    )
    for goal in GOALS:
        of_side = {
            side: together(found)
            for side in sides
            if (found := [one for one in rounds if one["case"] == goal.case and one["side"] == side])
        }
        if not of_side:
            continue
        ours = of_side.get("ours")
        met = "–" if ours is None else "yes" if goal.is_met(ours) else "no"
        measured = [goal.shown(of_side[side]) if side in of_side else "–" for side in sides]
        print(" | ".join([goal.what, goal.goal, *measured, met]), file=sys.stderr)
