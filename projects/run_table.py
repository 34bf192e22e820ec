"""The table of a project's runs: which of them, in which order, with which values, as the address says it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import re2
from django.core.paginator import Page, Paginator
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce, Lower
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from projects.listing import flattened
from projects.models import ChosenColumns, Project, Run, RunState, User
from projects.pages import ROWS_PER_PAGE, query_without
from projects.run_values import CONFIG, LONGEST, MOST_COMPARISONS, Comparison, InvalidComparison, meeting, value_at

COLUMNS_SHOWN = 3
COLUMNS_OFFERED = 100
USERS_OFFERED = 100
# A pattern is tried on the names of so many of the newest runs.
NAMES_TRIED = 20_000
PATTERN_MEMORY = 1 << 20

# What one may sort by beside values, as the query string names it.
SORTS: dict[str, Any] = {
    "name": Lower("display_name"),
    "state": F("state"),
    "user": F("user__username"),
    "started": F("started_at"),
    "duration": Coalesce("finished_at", "heartbeat_at") - F("started_at"),
}
HEADS = (
    ("name", gettext_lazy("Name")),
    ("state", gettext_lazy("State")),
    ("user", gettext_lazy("User")),
    ("started", gettext_lazy("Started")),
    ("duration", gettext_lazy("Duration")),
)


@dataclass(frozen=True, slots=True)
class Head:
    """A column's head: what it says, the address that sorts by it, and how it is sorted now."""

    label: str
    query: str
    order: str
    is_value: bool = False
    is_number: bool = False


@dataclass(frozen=True, slots=True)
class Cell:
    """A run's value of a column, None if it has none. `matters` where there is room for few: what is sorted by or
    asked for, else the first column."""

    column: str
    value: Any
    matters: bool


@dataclass(frozen=True, slots=True)
class RunTable:
    """One page of a project's runs. `columns` are the values shown, `offered` those to choose from: keys of the
    summary, and keys of the config with “config:” before them."""

    page: Page[Run]
    params: QueryDict
    columns: Sequence[str]
    offered: Sequence[str]
    users: Sequence[str]
    problem: str
    comparisons: Sequence[Comparison] = ()

    @property
    def asked(self) -> list[tuple[Comparison, str]]:
        """Each comparison with the address that leaves it out."""
        return [(one, self._without(one)) for one in self.comparisons]

    def _without(self, comparison: Comparison) -> str:
        params = self.params.copy()
        params.pop("page", None)
        params.setlist("where", [str(other) for other in self.comparisons if other != comparison])
        return params.urlencode()

    @property
    def search(self) -> str:
        return self.params.get("q", "").strip()

    @property
    def state(self) -> str:
        return _known(self.params.get("state", ""), RunState.values)

    @property
    def user(self) -> str:
        return self.params.get("user", "")

    @property
    def is_pattern(self) -> bool:
        return self.params.get("pattern") == "1"

    @property
    def sort(self) -> str:
        return self.params.get("sort", "")

    @property
    def query(self) -> str:
        """The address without the number of the page."""
        return query_without(self.params, "page")

    @property
    def rows(self) -> list[tuple[Run, list[Cell]]]:
        """Each run with its values of the columns."""
        asked = {self.sort.removeprefix("-"), *(one.column for one in self.comparisons)}.intersection(self.columns)
        matter = asked or set(self.columns[:1])
        found = []
        for run in self.page.object_list:
            values = _values_of(run, self.columns)
            found.append((run, [Cell(column, values.get(column), column in matter) for column in self.columns]))
        return found

    @property
    def heads(self) -> list[Head]:
        """The heads of all columns, in order."""
        named = [self._head(key, str(label)) for key, label in HEADS]
        return named + [self._head(column, column, is_value=True) for column in self.columns]

    @property
    def is_live(self) -> bool:
        """Whether a run on the page is expected to go on, or a new one to appear on it."""
        return self.page.number == 1 or any(not RunState(run.state).is_over for run in self.page.object_list)

    @property
    def is_filtered(self) -> bool:
        """Whether runs are left out on the user's wish."""
        return bool(self.search or self.state or self.user or self.comparisons)

    def _head(self, key: str, label: str, *, is_value: bool = False) -> Head:
        ascending, descending = key, f"-{key}"
        order = {ascending: "ascending", descending: "descending"}.get(self.sort, "")
        params = self.params.copy()
        params.pop("page", None)
        # Names read from A, everything else from the greatest or the latest.
        first = ascending if key in {"name", "state", "user"} else descending
        params["sort"] = {ascending: descending, descending: ascending}.get(self.sort, first) if order else first
        return Head(label, params.urlencode(), order, is_value, is_number=is_value or key == "duration")


def run_table(project: Project, params: QueryDict, *, reader: User | None = None) -> RunTable:
    """The runs that the query string asks for: `q` searches name and id, or names by a `pattern`; `state`, `user`,
    `where` (several comparisons of values), `column` (several), `sort`, `page`. If it names no columns, they are those
    that the reader chose before."""
    everything = Run.objects.filter(project=project)
    runs, problem = _filtered(everything, params)
    comparisons, odd = _comparisons(params)
    runs, problem = meeting(runs, comparisons), " ".join(filter(None, [problem, odd]))
    page: Page[Run] = Paginator(_sorted(runs, params.get("sort", "")), ROWS_PER_PAGE).get_page(params.get("page"))
    for run in page.object_list:
        run.project = project
    offered = keys_of(page.object_list)
    chosen = columns_in(params) if "column" in params else _columns_of(reader, project)
    usual = [key for key in offered if not key.startswith(CONFIG)][:COLUMNS_SHOWN]
    return RunTable(
        page=page,
        params=params,
        columns=usual if chosen is None else chosen,
        offered=sorted({*offered, *(chosen or ())}),
        users=_users_of(everything),
        problem=problem,
        comparisons=comparisons,
    )


def columns_in(params: QueryDict) -> list[str]:
    """The columns that a form or an address names. A form always sends an empty one, too, so that choosing none is told
    from not having chosen. No document has a key with a NUL in it."""
    named = [column for column in dict.fromkeys(params.getlist("column")) if column and "\x00" not in column]
    return [column[:LONGEST] for column in named][:COLUMNS_OFFERED]


def choose_columns(project: Project, columns: Sequence[str], *, reader: User) -> None:
    """Remember which columns the reader wishes to see."""
    ChosenColumns.objects.update_or_create(user=reader, project=project, defaults={"columns": list(columns)})


def _columns_of(reader: User | None, project: Project) -> list[str] | None:
    chosen = ChosenColumns.objects.filter(user=reader, project=project).values_list("columns", flat=True).first()
    return list(chosen) if isinstance(chosen, list) else None


def keys_of(runs: Iterable[Run]) -> list[str]:
    """Keys of single values, those that most runs have first, the summary's before the config's."""
    found: Counter[str] = Counter()
    for run in runs:
        for prefix, document in (("", run.summary), (CONFIG, run.config)):
            for key, value in flattened(document):
                # Keys with “_” are the client's own.
                if not key.startswith("_") and not isinstance(value, list):
                    found[f"{prefix}{key}"] += 1
    return sorted(found, key=lambda key: (key.startswith(CONFIG), -found[key], key))[:COLUMNS_OFFERED]


def _filtered(runs: QuerySet[Run], params: QueryDict) -> tuple[QuerySet[Run], str]:
    """The runs asked for, and what is wrong with the pattern that was to choose them."""
    search = params.get("q", "").strip()
    if state := _known(params.get("state", ""), RunState.values):
        runs = runs.filter(state=state)
    if user := params.get("user", ""):
        runs = runs.filter(user__username=user)
    if search and params.get("pattern") == "1":
        return _matching(runs, search)
    if search:
        runs = runs.filter(Q(display_name__icontains=search) | Q(run_id__icontains=search))
    return runs, ""


def _comparisons(params: QueryDict) -> tuple[list[Comparison], str]:
    """What is asked of values, without what cannot be read, and what is wrong with that."""
    found: list[Comparison] = []
    problem = ""
    for text in filter(str.strip, params.getlist("where")[:MOST_COMPARISONS]):
        try:
            comparison = Comparison.read(text)
        except InvalidComparison as error:
            problem = str(error)
        else:
            found += [comparison] if comparison not in found else []
    return found, problem


def _matching(runs: QuerySet[Run], text: str) -> tuple[QuerySet[Run], str]:
    """Runs whose name the pattern is found in. RE2 takes time in proportion to the name, whatever the pattern."""
    options = re2.Options()
    options.log_errors = False
    options.never_capture = True
    options.max_mem = PATTERN_MEMORY
    try:
        pattern = re2.compile(text.encode("utf-8", "replace"), options=options)
    except re2.error as error:
        return runs.none(), _("The pattern cannot be used: %(message)s.") % {"message": _message(error)}
    names = runs.order_by("-pk").values_list("pk", "display_name")[:NAMES_TRIED]
    return runs.filter(pk__in=[pk for pk, name in names if pattern.search(name.encode())]), ""


def _message(error: Exception) -> str:
    first = error.args[0] if error.args else error
    return first.decode("utf-8", "replace") if isinstance(first, bytes) else str(first)


def _sorted(runs: QuerySet[Run], sort: str) -> QuerySet[Run]:
    """In the order asked for, the newest first where that says nothing; runs without a value come last."""
    runs = runs.select_related("user").defer("notes")
    key = sort.removeprefix("-")
    if not key:
        return runs.order_by("-created_at", "-pk")
    value = SORTS.get(key) or value_at(key)
    runs = runs.alias(sorted_by=value)
    order = F("sorted_by").desc(nulls_last=True) if sort.startswith("-") else F("sorted_by").asc(nulls_last=True)
    return runs.order_by(order, "-created_at", "-pk")


def _values_of(run: Run, columns: Sequence[str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if any(column.startswith(CONFIG) for column in columns):
        values |= {f"{CONFIG}{key}": value for key, value in flattened(run.config)}
    return values | dict(flattened(run.summary))


def _users_of(runs: QuerySet[Run]) -> list[str]:
    people = User.objects.filter(pk__in=runs.order_by().values("user")).order_by("username")
    return list(people.values_list("username", flat=True)[:USERS_OFFERED])


def _known(value: str, among: Sequence[str]) -> str:
    return value if value in among else ""
