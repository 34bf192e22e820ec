"""Pages of the audit log: of a team, and of an organization with all of its teams."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from automations.days import beginning, day_of
from projects import audit, spreadsheets
from projects.access import team_for
from projects.models import AuditRecord
from projects.pages import PageRequest, page_of, query_without

# People offered as a filter.
OFFERED = 200


@dataclass(frozen=True, slots=True)
class Wanted:
    """The filters of the address. What makes no sense there is left out."""

    actor: str = ""
    kind: str = ""
    since: datetime | None = None
    until: datetime | None = None

    @classmethod
    def of(cls, given: Mapping[str, str]) -> Wanted:
        kind = given.get("kind", "")
        return cls(
            actor=given.get("actor", "").strip(),
            kind=kind if kind in audit.KINDS else "",
            since=beginning(day_of(given.get("since", ""))),
            # The day itself is meant as well.
            until=beginning(day_of(given.get("until", "")), days_later=1),
        )

    def of_those(self, records: QuerySet[AuditRecord]) -> QuerySet[AuditRecord]:
        """The records that are wanted."""
        asked = {"actor_name": self.actor, "kind": self.kind, "at__gte": self.since, "at__lt": self.until}
        return records.filter(**{name: value for name, value in asked.items() if value})

    @property
    def is_any(self) -> bool:
        return self == Wanted()


@login_required
@require_safe
@vary_on_headers("HX-Request", "HX-Target")
def of_team(request: PageRequest, team: str) -> HttpResponse:
    """What was changed in the team."""
    found = team_for(request.user, team)
    context = {"team": found, "address": reverse("team_settings_audit", args=[team])}
    return _page(request, audit.of_team(found, reader=request.user), context)


@login_required
@require_safe
@vary_on_headers("HX-Request", "HX-Target")
def of_organization(request: PageRequest, organization: str) -> HttpResponse:
    """What was changed in the organization, its registries and its teams."""
    found, records = audit.of_organization(organization, reader=request.user)
    context = {"organization": found, "address": reverse("organization_audit", args=[organization])}
    return _page(request, records, context)


@login_required
@require_safe
def export_team(request: PageRequest, team: str) -> HttpResponseBase:
    """What is wanted of it as CSV."""
    return _export(request, audit.of_team(team_for(request.user, team), reader=request.user), team)


@login_required
@require_safe
def export_organization(request: PageRequest, organization: str) -> HttpResponseBase:
    """What is wanted of it as CSV."""
    _found, records = audit.of_organization(organization, reader=request.user)
    return _export(request, records, organization)


def _export(request: PageRequest, records: QuerySet[AuditRecord], name: str) -> HttpResponseBase:
    rows = audit.as_rows(Wanted.of(request.GET).of_those(records))
    return spreadsheets.attachment(spreadsheets.lines(audit.COLUMNS, rows), name=f"{name}-audit.csv")


def _page(request: PageRequest, records: QuerySet[AuditRecord], context: dict[str, Any]) -> HttpResponse:
    wanted = Wanted.of(request.GET)
    page = page_of(wanted.of_those(records), request.GET.get("page"))
    context |= {
        "wanted": wanted,
        "given": request.GET,
        "page": page,
        "rows": [(record, audit.differences(record)) for record in page],
        "query": query_without(request.GET, "page"),
        "kinds": sorted(audit.KINDS),
        "people": records.exclude(actor_name="")
        .order_by("actor_name")
        .values_list("actor_name", flat=True)
        .distinct()[:OFFERED],
    }
    template = "_results" if request.htmx.target == "audit-records" else "page"
    return render(request, f"automations/audit/{template}.html", context)
