"""The workspace of a project: which runs its plots are of, which metrics they show, and how (UI5)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from projects import plots
from projects.drawing import SYSTEM_PREFIX
from projects.models import Project, Run

LISTED = 200
METRICS_OF = 50
MOST_PLOTS = 500
NEWEST = (5, 10, 20, 50, 100, 200)
USUAL = 10
AXES = {"step": _("Step"), "relative": _("Time since start"), "time": _("Time of day")}
UNGROUPED, SYSTEM = _("Charts"), _("System")


@dataclass(frozen=True, slots=True)
class PlottedRun:
    """A run beside the plots. `colour` is its number among the project's runs, so that it keeps its colour while others
    come; `usual` says that it is drawn unless somebody hides it."""

    run: Run
    colour: int
    usual: bool
    shown: bool

    @property
    def swatch(self) -> int:
        """Which of the ten colours."""
        return self.colour % 10

    @property
    def started(self) -> float:
        """When its time begins, in seconds since 1970."""
        return (self.run.started_at or self.run.created_at).timestamp()


@dataclass(frozen=True, slots=True)
class Section:
    """Plots of metrics whose names begin alike."""

    name: str
    metrics: Sequence[str]


@dataclass(frozen=True)
class Settings:
    """How plots are drawn, as the address says it."""

    x: str = "step"
    smooth: int = 0
    log: bool = False
    clip: bool = False
    search: str = ""
    newest: int = USUAL

    @classmethod
    def of(cls, params: Mapping[str, str]) -> Settings:
        """What the query string asks for; what it does not say, or says wrongly, is as usual."""
        x, smooth, newest = params.get("x", ""), params.get("smooth", ""), params.get("newest", "")
        return cls(
            x=x if x in AXES else "step",
            smooth=min(int(smooth), 99) if smooth.isascii() and smooth.isdigit() and len(smooth) < 4 else 0,
            log=params.get("log") == "1",
            clip=params.get("clip") == "1",
            search=params.get("q", "")[:200],
            newest=int(newest) if newest in map(str, NEWEST) else USUAL,
        )


class Plotted:
    """Metrics that a page plots."""

    metrics: Sequence[str]

    @property
    def sections(self) -> list[Section]:
        """The metrics by the first part of their names."""
        return sections_of(self.metrics)

    @property
    def stamp(self) -> str:
        """Changes when there are other metrics to plot."""
        return hashlib.sha256("\n".join(self.metrics).encode("utf-8", "replace")).hexdigest()[:12]


class RunPlots(Plotted):
    """What the page of one run plots: what its script logged, or what its machine reported."""

    def __init__(self, run: Run, params: Mapping[str, str], *, system: bool) -> None:
        self.settings = Settings.of(params)
        self.axes = {name: label for name, label in AXES.items() if not (system and name == "step")}
        self.runs = [PlottedRun(run, colour=0, usual=True, shown=True)]
        self.metrics = [metric for metric in plots.metrics_of([run]) if metric.startswith(SYSTEM_PREFIX) == system][
            :MOST_PLOTS
        ]

    @property
    def usual_axis(self) -> str:
        """What x is unless the address says otherwise."""
        return next(iter(self.axes))


class Workspace(Plotted):
    """What a project's workspace shows to somebody who came by this address."""

    def __init__(self, project: Project, params: Mapping[str, str]) -> None:
        self.project = project
        self.settings = Settings.of(params)
        self.hidden = set(params.get("hide", "").split(","))
        self.added = set(params.get("show", "").split(","))

    @cached_property
    def count(self) -> int:
        """How many runs the project has."""
        return self._all.count()

    @cached_property
    def runs(self) -> list[PlottedRun]:
        """The newest runs, to choose from."""
        found = self._all.select_related("user").defer("config", "notes").order_by("-created_at", "-pk")[:LISTED]
        return [self._plotted(run, number) for number, run in enumerate(found)]

    @cached_property
    def metrics(self) -> list[str]:  # type: ignore[override]  # read when it is first asked for
        """What the newest of them logged."""
        return plots.metrics_of([plotted.run for plotted in self.runs[:METRICS_OF]])[:MOST_PLOTS]

    @property
    def _all(self) -> QuerySet[Run]:
        return Run.objects.filter(project=self.project)

    def _plotted(self, run: Run, number: int) -> PlottedRun:
        run.project = self.project
        usual = number < self.settings.newest
        shown = run.run_id not in self.hidden if usual else run.run_id in self.added
        return PlottedRun(run, colour=self.count - 1 - number, usual=usual, shown=shown)


def sections_of(metrics: Sequence[str]) -> list[Section]:
    """Metrics grouped by what stands before the first “/” or dot; those without come first, the machine's last."""
    ordered = sorted(metrics, key=lambda name: (_rank(name), _prefix(name), name))
    return [Section(prefix, list(names)) for prefix, names in groupby(ordered, key=_prefix)]


def _prefix(metric: str) -> str:
    if metric.startswith(SYSTEM_PREFIX):
        return str(SYSTEM)
    head, slash, _ = metric.partition("/")
    if not slash:
        head, slash, _ = metric.partition(".")
    return head if slash and head else str(UNGROUPED)


def _rank(metric: str) -> int:
    return {str(UNGROUPED): 0, str(SYSTEM): 2}.get(_prefix(metric), 1)
