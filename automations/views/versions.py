"""Versions of an automation: what each changed, and the button that goes back to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.db.models import F, Window
from django.db.models.functions import RowNumber
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from automations import differences, disclosure, restoring, sentences
from automations.access import automation_for, may_edit, version_for
from automations.models import Automation, AutomationSwitch, AutomationVersion
from automations.views.places import place_of

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from projects.models import User

PER_PAGE = 20
SWITCHES_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Row:
    """A version as the page shows it, beside the one before."""

    version: AutomationVersion
    sentence: str
    sentence_before: str
    changes: list[differences.Change]
    switches: list[AutomationSwitch]


@login_required
@require_safe
def show(request: HttpRequest, pk: int) -> HttpResponse:
    """A page of versions, newest first; `upto` in the address is the number it begins with."""
    automation = automation_for(request.user, pk)
    place = place_of(request.user, automation.scope)
    asked = request.GET.get("upto", "")
    upto = int(asked) if asked.isascii() and asked.isdigit() and len(asked) <= 9 else None
    found = automation.versions.select_related("created_by")
    if upto is not None:
        found = found.filter(number__lte=upto)
    # One more than is shown, for what the last one changed.
    versions = disclosure.prepare_versions(found[: PER_PAGE + 1], reader=request.user)
    shown = versions[:PER_PAGE]
    context: dict[str, Any] = {
        **place.frame,
        "automation": automation,
        "place": place,
        "editable": may_edit(request.user, automation.scope),
        "rows": rows_of(automation, shown, before=versions[1:]),
        "older": shown[-1].number - 1 if len(versions) > PER_PAGE else None,
        "newest": not shown or shown[0].number == automation.version,
    }
    return render(request, "automations/versions/page.html", context)


@login_required
@require_POST
def restore(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Make the automation what it was in this version."""
    automation = automation_for(request.user, pk)
    before = automation.version
    try:
        restored = restoring.restore(version_for(automation, number), by=cast("User", request.user))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        if restored.version == before:
            messages.success(
                request,
                _("“%(name)s” is as in version %(number)s already.") % {"name": automation.name, "number": number},
            )
        else:
            messages.success(
                request,
                _("Version %(number)s restored, as version %(version)s.")
                % {"number": number, "version": restored.version},
            )
    return redirect("automations:versions", pk=pk)


def rows_of(automation: Automation, versions: list[AutomationVersion], *, before: list[AutomationVersion]) -> list[Row]:
    """Versions that `disclosure.prepare_versions` made fit for the reader, each with its neighbour `before`."""
    switches = _switches(automation, [version.number for version in versions])
    neighbours = [*before, *[None] * (len(versions) - len(before))]
    return [
        row_of(version, neighbour, switches=switches.get(version.number, []))
        for version, neighbour in zip(versions, neighbours, strict=True)
    ]


def row_of(version: AutomationVersion, before: AutomationVersion | None, *, switches: list[AutomationSwitch]) -> Row:
    """A version beside the one before; what the reader may not see of either is not compared."""
    comparable = before is not None and not before.hidden and not version.hidden
    sentence = "" if version.hidden else sentences.summary_of(version.rule)
    sentence_before = sentences.summary_of(before.rule) if comparable and before else ""
    return Row(
        version=version,
        sentence=sentence,
        sentence_before=sentence_before if sentence_before != sentence else "",
        changes=differences.between(before.rule, version.rule) if comparable and before else [],
        switches=switches,
    )


def _switches(automation: Automation, numbers: list[int]) -> dict[int, list[AutomationSwitch]]:
    """The latest switches of each of the versions."""
    latest = Window(RowNumber(), partition_by=F("version"), order_by=F("pk").desc())
    found = automation.switches.filter(version__in=numbers).annotate(place=latest).filter(place__lte=SWITCHES_SHOWN)
    by_version: dict[int, list[AutomationSwitch]] = {}
    for switch in found.select_related("created_by"):
        by_version.setdefault(switch.version, []).append(switch)
    return by_version
