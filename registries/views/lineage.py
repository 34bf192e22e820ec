"""Parts of the pages of versions and runs: where they come from and what came of them, as a graph and as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from projects import access as projects_access
from projects.models import Run
from projects.pages import PageRequest
from registries import layering, listing
from registries.lineage_graph import MOST, Key, Kind, Lineage, Way, around_run, around_version
from registries.models import Membership


@dataclass(frozen=True, slots=True)
class Thing:
    """A version or a run: what it is called, where its page is, and in a few words what it is. `status` is a run's;
    `is_elsewhere` tells that it is of another project than the focus."""

    key: Key
    name: str
    url: str
    note: str
    place: str
    is_focus: bool
    status: str = ""
    is_elsewhere: bool = False

    @property
    def is_run(self) -> bool:
        return self.key[0] is Kind.RUN


@dataclass(frozen=True, slots=True)
class Box:
    """Something in the drawing and its upper left corner; without a thing it stands for neighbours left out."""

    x: int
    y: int
    thing: Thing | None
    more: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A thing in the table, with the things the data came from and went to, and in words those left out."""

    thing: Thing
    sources: Sequence[Thing]
    targets: Sequence[Thing]
    more_sources: str
    more_targets: str


@login_required
@require_safe
def of_version(request: PageRequest, pk: int) -> HttpResponse:
    """The lineage of a version."""
    membership = listing.membership_seen_by(request.user, pk)
    if membership is None:
        raise Http404(_("There is no such version."))
    return _shown(request, around_version(membership, request.user))


@login_required
@require_safe
def of_run(request: PageRequest, pk: int) -> HttpResponse:
    """The lineage of a run."""
    return _shown(request, around_run(projects_access.run_numbered(request.user, pk), request.user))


def _shown(request: PageRequest, lineage: Lineage) -> HttpResponse:
    things = {key: _thing(lineage, key) for key in lineage.ways}
    boxes, drawing = _boxes(lineage, things)
    context = {
        "focus": things[lineage.focus],
        "boxes": boxes,
        "drawing": drawing,
        "box": {"width": layering.WIDTH, "height": layering.HEIGHT},
        "rows": _rows(lineage, things) if lineage.edges or lineage.hidden else [],
        "is_full": len(lineage.ways) >= MOST,
        "most": MOST,
        "ends_early": lineage.ends_early,
    }
    return render(request, "registries/_lineage.html", context)


def _thing(lineage: Lineage, key: Key) -> Thing:
    found = lineage.thing(key)
    is_elsewhere = _project_of(found) != _project_of(lineage.thing(lineage.focus))
    shared: dict[str, Any] = {"key": key, "url": found.get_absolute_url(), "is_focus": key == lineage.focus}
    if isinstance(found, Run):
        name, note, place, status = found.display_name, found.get_state_display(), str(found.project), found.state
    else:
        collection = found.collection
        place, status = str(collection.registry or collection.project), ""
        name, note = f"{collection.name}:{found.version}", collection.type
    return Thing(**shared, name=name, note=note, place=place, status=status, is_elsewhere=is_elsewhere)


def _project_of(thing: Membership | Run) -> int | None:
    """Where it was logged, wherever it is linked."""
    return thing.project_id if isinstance(thing, Run) else thing.artifact.collection.project_id


def _boxes(lineage: Lineage, things: dict[Key, Thing]) -> tuple[list[Box], layering.Drawing]:
    """What is drawn: the things, and behind each as far as needed a box that counts what is left out."""
    nodes: list[object] = list(things)
    edges: list[tuple[object, object]] = list(lineage.edges)
    before = {key for key, way in lineage.ways.items() if way is Way.BEFORE}
    for more in lineage.hidden:
        key, way = more
        nodes.append(more)
        edges.append((more, key) if way is Way.BEFORE else (key, more))
    led = frozenset(before | {more for more in lineage.hidden if more[1] is Way.BEFORE})
    drawing = layering.drawn(nodes, edges, lineage.focus, led)
    boxes = [Box(*drawing.places[key], thing) for key, thing in things.items()]
    boxes += [Box(*drawing.places[more], None, _more(more[0], count)) for more, count in lineage.hidden.items()]
    # In reading order: so the focus of the keyboard goes from left to right.
    return sorted(boxes, key=lambda box: (box.x, box.y)), drawing


def _more(key: Key, count: int) -> str:
    """So many neighbours of a thing that are not shown; those of a version are runs, and the other way round."""
    if key[0] is Kind.VERSION:
        return ngettext("%(count)s more run", "%(count)s more runs", count) % {"count": f"{count:,}"}
    return ngettext("%(count)s more version", "%(count)s more versions", count) % {"count": f"{count:,}"}


def _rows(lineage: Lineage, things: dict[Key, Thing]) -> list[Row]:
    def more(key: Key, way: Way) -> str:
        count = lineage.hidden.get((key, way), 0)
        return _more(key, count) if count else ""

    return [
        Row(
            thing,
            [things[source] for source, target in lineage.edges if target == key],
            [things[target] for source, target in lineage.edges if source == key],
            more(key, Way.BEFORE),
            more(key, Way.AFTER),
        )
        for key, thing in things.items()
    ]
