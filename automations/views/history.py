"""History tabs, and the executions of one run or version (HI1, HI5)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import Http404
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from automations import disclosure, history, history_export, retention
from automations.access import may_redeliver
from automations.days import beginning, day_of
from automations.models import ActionKind, Automation, EventType, Execution, Status
from automations.views.places import Place, project_place, registry_place
from projects.models import Run
from projects.names import NAME_LENGTH
from registries.models import Membership

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse
    from django.http.response import HttpResponseBase

PER_PAGE = 30
# Automations offered as a filter; a place with more is better searched in its Automations tab.
OFFERED = 200
MODES = {"live": gettext_lazy("Live"), "shadow": gettext_lazy("Shadow")}


@dataclass(frozen=True, slots=True)
class Wanted:
    """The filters of the address. What makes no sense there is left out."""

    status: str = ""
    event_type: str = ""
    automation: int | None = None
    collection: str = ""
    mode: str = ""
    action: str = ""
    since: date | None = None
    until: date | None = None

    @classmethod
    def of(cls, given: Mapping[str, str]) -> Wanted:
        status, event_type, automation = (given.get(name, "") for name in ("status", "event", "automation"))
        mode, action = given.get("mode", ""), given.get("action", "")
        return cls(
            status=status if status in Status.values else "",
            event_type=event_type if event_type in EventType.values else "",
            automation=number(automation),
            collection=given.get("collection", "")[:NAME_LENGTH],
            mode=mode if mode in MODES else "",
            action=action if action in ActionKind.values else "",
            since=day_of(given.get("since", "")),
            until=day_of(given.get("until", "")),
        )

    def of_rows(self, executions: QuerySet[Execution]) -> QuerySet[Execution]:
        """Those that meet every filter."""
        return history.filtered(
            executions,
            status=self.status,
            event_type=self.event_type,
            automation=self.automation,
            collection=self.collection,
            action_kind=self.action,
            shadow=self.mode == "shadow" if self.mode else None,
            since=beginning(self.since),
            until=beginning(self.until, days_later=1),
        )

    @property
    def query(self) -> str:
        """As they are written in an address, without those not set."""
        asked = {
            "status": self.status,
            "event": self.event_type,
            "automation": self.automation,
            "collection": self.collection,
            "action": self.action,
            "mode": self.mode,
            "since": self.since,
            "until": self.until,
        }
        return urlencode({name: value for name, value in asked.items() if value})


@dataclass(frozen=True, slots=True)
class Pageful:
    """Executions of one page, newest first, and the keys on which the pages beside it begin: no page is counted,
    and none is slower than the first, however long the history is."""

    executions: list[Execution]
    newer: int | None
    older: int | None

    @property
    def waiting(self) -> bool:
        """Whether something on it will change by itself."""
        return any(not execution.is_over for execution in self.executions)


@login_required
@require_safe
def of_project(request: HttpRequest, team: str, project: str) -> HttpResponse:
    """What automations did about events in a project."""
    return _history(request, project_place(request.user, team, project))


@login_required
@require_safe
def of_registry(request: HttpRequest, organization: str, registry: str) -> HttpResponse:
    """What automations did about events in a registry."""
    return _history(request, registry_place(request.user, organization, registry))


@login_required
@require_safe
def export_project(request: HttpRequest, team: str, project: str, form: str) -> HttpResponseBase:
    """What a project's History tab shows with the filters of the address, as a file."""
    return _export(request, project_place(request.user, team, project), form)


@login_required
@require_safe
def export_registry(request: HttpRequest, organization: str, registry: str, form: str) -> HttpResponseBase:
    """The same of a registry."""
    return _export(request, registry_place(request.user, organization, registry), form)


@login_required
@require_safe
def of_run(request: HttpRequest, pk: int) -> HttpResponse:
    """A part of a run's page: the executions that it started."""
    run = Run.objects.visible_to(request.user).filter(pk=pk).first()
    if run is None:
        raise Http404(_("There is no run %(pk)s.") % {"pk": pk})
    found = _of_events(request, event__run=run, event__artifact=None)
    return _fragment(request, found, subject="run")


@login_required
@require_safe
def of_version(request: HttpRequest, pk: int) -> HttpResponse:
    """A part of a version's page: the executions that it started, in every collection it is in."""
    membership = Membership.objects.filter(pk=pk).select_related("collection").first()
    if membership is None or not _sees(request, membership):
        raise Http404(_("There is no version %(pk)s.") % {"pk": pk})
    found = _of_events(request, event__artifact=membership.artifact_id)
    return _fragment(request, found, subject="version")


def pageful(executions: QuerySet[Execution], *, before: int | None, after: int | None) -> Pageful:
    """The page that ends before a key, or begins after one; the first page without either."""
    if after is not None:
        rising = list(executions.filter(pk__gt=after).order_by("pk")[: PER_PAGE + 1])
        rows = rising[:PER_PAGE][::-1]
        newer = rows[0].pk if rows and len(rising) > PER_PAGE else None
        return Pageful(rows, newer=newer, older=rows[-1].pk if rows else None)
    found = executions.filter(pk__lt=before) if before is not None else executions
    falling = list(found[: PER_PAGE + 1])
    rows = falling[:PER_PAGE]
    return Pageful(
        rows,
        newer=rows[0].pk if rows and before is not None else None,
        older=rows[-1].pk if len(falling) > PER_PAGE else None,
    )


def _history(request: HttpRequest, place: Place) -> HttpResponse:
    wanted = Wanted.of(request.GET)
    home = place.project or place.registry
    assert home is not None  # only these have a History tab
    found = wanted.of_rows(history.executions_in(home, reader=request.user))
    before, after = number(request.GET.get("before", "")), number(request.GET.get("after", ""))
    page = pageful(found, before=before, after=after)
    disclosure.prepare(page.executions, reader=request.user)
    context: dict[str, Any] = {
        "place": place,
        "wanted": wanted,
        "page": page,
        "address": request.get_full_path(),
        "statuses": Status.choices,
        "modes": MODES,
        "actions": ActionKind.choices,
        "events": EventType.choices,
        "kept_for": retention.kept_for(),
        "automations": _offered(place, wanted.automation),
        "redeliverable": may_redeliver(request.user, home),
    }
    htmx: Any = request.htmx  # type: ignore[attr-defined]  # set by django_htmx's middleware
    partial = htmx and not htmx.history_restore_request and htmx.target == "executions"
    template = "automations/history/_results.html" if partial else "automations/history/page.html"
    response = render(request, template, context)
    patch_vary_headers(response, ["HX-Request"])
    return response


def _export(request: HttpRequest, place: Place, form: str) -> HttpResponseBase:
    if form not in history_export.FORMS:
        raise Http404(_("History is not exported as %(form)s.") % {"form": form})
    home = place.project or place.registry
    assert home is not None  # only these have a History tab
    found = Wanted.of(request.GET).of_rows(history.executions_in(home, reader=request.user))
    return history_export.response(found, form=form, name=home.name, reader=request.user)


def _offered(place: Place, chosen: int | None) -> list[Automation]:
    """Automations to filter by, the chosen one always among them."""
    home = place.home
    automations = (
        Automation.objects.in_project(home) if place.project else Automation.objects.in_registry(home)  # type: ignore[arg-type]  # as asked
    )
    offered = list(automations.only("name").order_by("name")[:OFFERED])
    if chosen is not None and all(automation.pk != chosen for automation in offered):
        offered += automations.filter(pk=chosen).only("name")
    return offered


def _of_events(request: HttpRequest, **events: Any) -> list[Execution]:
    executions = Execution.objects.visible_to(request.user).filter(**events)
    shown = executions.select_related(
        "automation",
        "event__run__project__team",
        "event__collection__project__team",
        "event__collection__registry__organization",
        "registry__organization",
    )
    return disclosure.prepare(shown.order_by("-pk")[:PER_PAGE], reader=request.user)


def _fragment(request: HttpRequest, executions: list[Execution], *, subject: str) -> HttpResponse:
    context = {
        "executions": executions,
        "subject": subject,
        "address": request.get_full_path(),
        "waiting": any(not execution.is_over for execution in executions),
    }
    return render(request, "automations/history/_of_subject.html", context)


def _sees(request: HttpRequest, membership: Membership) -> bool:
    collection = membership.collection
    return type(collection).objects.visible_to(request.user).filter(pk=collection.pk).exists()


def number(text: str) -> int | None:
    """A key from an address; None for anything that cannot be one."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None
