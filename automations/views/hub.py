"""The hub: all automations one may see, over all scopes, and where to make another (UI4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from automations import disclosure, history
from automations.models import ActionKind, Automation, EventType, ScopeKind
from automations.views import choosing
from automations.views.listing import PER_PAGE, SORTS, rows_of
from projects.models import User
from projects.pages import PageRequest

FAILING = "failing"
STATES = {
    "enabled": (_("Enabled"), Q(enabled=True, shadow=False)),
    FAILING: (_("Failing"), Q(enabled=True, failing_since__isnull=False)),
    "shadow": (_("Shadow"), Q(enabled=True, shadow=True)),
    "disabled": (_("Disabled"), Q(enabled=False)),
    "snoozed": (_("Snoozed"), Q(enabled=True, snoozed_until__gt=Now())),
}
NAMED = (
    "name",
    "description",
    "organization__name",
    "team__name",
    "project__name",
    "project__team__name",
    "registry__name",
    "collection__name",
    "collection__project__name",
    "collection__registry__name",
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """The filters of the address. What makes no sense there is left out."""

    text: str = ""
    scope: str = ""
    event: str = ""
    action: str = ""
    state: str = ""
    mine: bool = False
    sort: str = "last_triggered"

    @classmethod
    def of(cls, given: Mapping[str, str]) -> Wanted:
        sort = given.get("sort", "")
        return cls(
            text=given.get("q", "").strip()[:128],
            scope=_known(given.get("scope", ""), ScopeKind.values),
            event=_known(given.get("event", ""), EventType.values),
            action=_known(given.get("action", ""), ActionKind.values),
            state=_known(given.get("state", ""), STATES),
            mine=given.get("mine") == "1",
            sort=sort if sort in SORTS else "last_triggered",
        )

    @property
    def is_narrow(self) -> bool:
        """Whether automations are left out on the user's wish."""
        return bool(self.text or self.scope or self.event or self.action or self.state or self.mine)

    @property
    def kept(self) -> str:
        """All but the sorting and the page, as they are written in an address."""
        asked = {"q": self.text, "scope": self.scope, "event": self.event, "action": self.action, "state": self.state}
        return urlencode({name: value for name, value in {**asked, "mine": "1" if self.mine else ""}.items() if value})

    def of_these(self, automations: QuerySet[Automation], *, by: User) -> QuerySet[Automation]:
        """Those that meet every filter, in the order asked for."""
        found = automations
        if self.text:
            found = found.filter(_named(self.text))
        if self.scope:
            found = found.filter(**{f"{self.scope}__isnull": False})
        if self.event:
            found = found.filter(event_type=self.event)
        if self.action:
            found = found.filter(action_kind=self.action)
        if self.state:
            found = found.filter(STATES[self.state][1])
        if self.state == FAILING:
            found = found.filter(disclosure.figures_told(by))
        if self.mine:
            found = found.filter(created_by=by)
        return history.sorted_by(found, self.sort, reader=by)


@login_required
@require_safe
def show(request: PageRequest) -> HttpResponse:
    """Automations of every scope, with how they fared."""
    wanted = Wanted.of(request.GET)
    found = wanted.of_these(Automation.objects.visible_to(request.user), by=request.user)
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    listed = history.with_figures(page.object_list, now=timezone.now())
    context: dict[str, Any] = {
        "nav": "automations",
        "page": page,
        "rows": _rows(listed, reader=request.user),
        "wanted": wanted,
        "scopes": ScopeKind.choices,
        "events": EventType.choices,
        "actions": ActionKind.choices,
        "states": {name: label for name, (label, _condition) in STATES.items()},
        "sorts": SORTS,
        "kept": wanted.kept,
        "rest": "&".join(part for part in (wanted.kept, urlencode({"sort": wanted.sort})) if part),
    }
    partial = request.htmx and not request.htmx.history_restore_request and request.htmx.target == "automations"
    template = "automations/hub/_results.html" if partial else "automations/hub/page.html"
    response = render(request, template, context)
    patch_vary_headers(response, ["HX-Request"])
    return response


@login_required
@require_safe
def choose_place(request: PageRequest) -> HttpResponse:
    """Where a new automation is to live: the places in which the user may make one."""
    text = request.GET.get("q", "").strip()[:128]
    context = {"nav": "automations", "query": text, "groups": choosing.places(request.user, text)}
    return render(request, "automations/hub/choose_place.html", context)


def _rows(listed: list[Automation], *, reader: User) -> list[dict[str, Any]]:
    """As `listing.rows_of`, each with its place, and figures where the reader may know them."""
    administered = disclosure.administered_organizations(reader)
    rows = rows_of(listed, reader=reader)
    failures = history.last_failures(listed, reader=reader)
    for row in rows:
        automation = cast("Automation", row["automation"])
        row["failure"] = failures.get(automation.pk)
        of_organization = automation.scope_kind is ScopeKind.ORGANIZATION
        row["figures_shown"] = not of_organization or automation.organization_id in administered
        row["place"] = choosing.place_shown(automation)
    return rows


def _named(text: str) -> Q:
    """The name or description holds the text, or the name of what the automation covers."""
    held = Q()
    for field in NAMED:
        held |= Q(**{f"{field}__icontains": text})
    return held


def _known(value: str, values: Any) -> str:
    return value if value in values else ""
