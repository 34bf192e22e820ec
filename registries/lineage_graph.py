"""The surroundings of a version or a run as a graph: what it came from, and what came of it, as far as one may see.

A graph begins at its focus and goes a few steps each way. Of each thing on it only some neighbours are
followed, and the graph ends once it has so many things: what is left out is counted, not drawn. It takes a few queries
for each step, however many things there are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection as Many
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, QuerySet, Window
from django.db.models.functions import RowNumber

from projects.models import Run, User
from registries import listing
from registries.models import Artifact, ArtifactUse, Membership

STEPS = 6
NEIGHBOURS = 8
MOST = 60


class Kind(StrEnum):
    VERSION = "version"
    RUN = "run"


class Way(StrEnum):
    """Against the arrows, or along them."""

    BEFORE = "before"
    AFTER = "after"


Key = tuple[Kind, int]
Edge = tuple[Key, Key]


@dataclass(slots=True)
class Lineage:
    """Things by their keys, the focus first, then the nearest; `edges` go the way of the data. Of what is left out,
    `hidden` says how many neighbours of each thing there are on either side, and `ends_early` whether more is known
    beyond the last step."""

    focus: Key
    versions: Mapping[int, Membership] = field(default_factory=dict)
    runs: Mapping[int, Run] = field(default_factory=dict)
    ways: dict[Key, Way | None] = field(default_factory=dict)
    edges: list[Edge] = field(default_factory=list)
    hidden: dict[tuple[Key, Way], int] = field(default_factory=dict)
    ends_early: bool = False

    def thing(self, key: Key) -> Membership | Run:
        """What the key stands for."""
        kind, pk = key
        return self.versions[pk] if kind is Kind.VERSION else self.runs[pk]


def around_version(membership: Membership, user: User) -> Lineage:
    """The lineage of a version, which is named as in the collection where one looks at it."""
    found = _traced((Kind.VERSION, membership.artifact_id), user)
    found.versions = {**found.versions, membership.artifact_id: membership}
    return found


def around_run(run: Run, user: User) -> Lineage:
    """The lineage of a run."""
    return _traced((Kind.RUN, run.pk), user)


def _traced(focus: Key, user: User) -> Lineage:
    lineage = Lineage(focus, ways={focus: None})
    counts: dict[tuple[Key, Way], int] = {}
    for way in Way:
        frontier = [focus]
        for _ in range(STEPS):
            frontier = _one_step(lineage, frontier, way, user, counts)
        lineage.ends_early = lineage.ends_early or bool(_neighbours(frontier, way, user, most=1))
    _describe(lineage, user)
    lineage.edges = _edges_among(lineage.ways)
    _count_hidden(lineage, counts)
    return lineage


def _one_step(
    lineage: Lineage, frontier: list[Key], way: Way, user: User, counts: dict[tuple[Key, Way], int]
) -> list[Key]:
    """Take in the neighbours of the frontier; those that were not known are the next frontier."""
    fresh: list[Key] = []
    for key, neighbour, total in _neighbours(frontier, way, user, most=NEIGHBOURS):
        counts[key, way] = total
        if neighbour not in lineage.ways and len(lineage.ways) < MOST:
            lineage.ways[neighbour] = way
            fresh.append(neighbour)
    return fresh


def _neighbours(frontier: Many[Key], way: Way, user: User, *, most: int) -> list[tuple[Key, Key, int]]:
    """For each thing of the frontier, all of one kind, up to so many of its neighbours that the user may see, and how
    many there are: the newest, and among the runs that used a version first those that made something of it."""
    if not frontier:
        return []
    kind = next(iter(frontier))[0]
    rows, here, there = _links(kind, way, [pk for _, pk in frontier], user)
    order = [F("pk").desc()]
    if there == "run":
        order.insert(0, Exists(Artifact.objects.filter(run=OuterRef("run"))).desc())
    counted = rows.annotate(
        place=Window(RowNumber(), partition_by=F(here), order_by=order),
        total=Window(Count("pk"), partition_by=F(here)),
    )
    found = counted.filter(place__lte=most).order_by("place", "-pk").values_list(here, there, "total")
    other = Kind.RUN if kind is Kind.VERSION else Kind.VERSION
    return [((kind, pk), (other, neighbour), total) for pk, neighbour, total in found]


def _links(kind: Kind, way: Way, pks: list[int], user: User) -> tuple[QuerySet[Any], str, str]:
    """The rows that tell of the neighbours, and which of their columns are the thing and the neighbour."""
    runs, versions = Run.objects.visible_to(user), Artifact.objects.visible_to(user)
    if kind is Kind.VERSION and way is Way.BEFORE:
        return Artifact.objects.filter(pk__in=pks, run__in=runs), "pk", "run"
    if kind is Kind.VERSION:
        return ArtifactUse.objects.filter(artifact__in=pks, run__in=runs), "artifact", "run"
    if way is Way.BEFORE:
        return ArtifactUse.objects.filter(run__in=pks, artifact__in=versions), "run", "artifact"
    return versions.filter(run__in=pks), "run", "pk"


def _describe(lineage: Lineage, user: User) -> None:
    pks: dict[Kind, list[int]] = defaultdict(list)
    for kind, pk in lineage.ways:
        pks[kind].append(pk)
    runs = Run.objects.visible_to(user).select_related("project__team").defer("config", "summary", "notes")
    lineage.runs = runs.in_bulk(pks[Kind.RUN])
    lineage.versions = listing.places_of(pks[Kind.VERSION], user)
    # Somebody may delete while one looks.
    gone = [(kind, pk) for kind, pk in lineage.ways if pk not in (lineage.runs, lineage.versions)[kind is Kind.VERSION]]
    for key in gone:
        if key != lineage.focus:
            del lineage.ways[key]


def _edges_among(keys: Mapping[Key, object]) -> list[Edge]:
    """All that is known between the things of a graph, also where it was not followed."""
    runs = [pk for kind, pk in keys if kind is Kind.RUN]
    versions = [pk for kind, pk in keys if kind is Kind.VERSION]
    logged = Artifact.objects.filter(pk__in=versions, run__in=runs).order_by("pk").values_list("run_id", "pk")
    used = ArtifactUse.objects.filter(artifact__in=versions, run__in=runs).order_by("pk")
    edges = [((Kind.RUN, run), (Kind.VERSION, version)) for run, version in logged]
    return edges + [
        ((Kind.VERSION, version), (Kind.RUN, run)) for version, run in used.values_list("artifact_id", "run_id")
    ]


def _count_hidden(lineage: Lineage, counts: Mapping[tuple[Key, Way], int]) -> None:
    shown: dict[tuple[Key, Way], int] = defaultdict(int)
    for source, target in lineage.edges:
        shown[source, Way.AFTER] += 1
        shown[target, Way.BEFORE] += 1
    for (key, way), total in counts.items():
        if key in lineage.ways and total > shown[key, way]:
            lineage.hidden[key, way] = total - shown[key, way]
