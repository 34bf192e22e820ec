"""The tabs of one run, what is downloaded from it, and its Stop button."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe
from django.views.decorators.vary import vary_on_headers

from projects import access, console, downloads, environments, listing, logged_tables, runfiles, runs, spreadsheets
from projects.access import Permission
from projects.models import Run, RunFile, RunState
from projects.pages import Dialog, PageRequest, ask, posted
from projects.workspace import RunPlots

LINES_SHOWN = 500
FOUND_SHOWN = 500
FILES_SHOWN = 500
ALERTS_SHOWN = 20


@login_required
@require_safe
@vary_on_headers("HX-Request", "HX-Target")
def overview(request: PageRequest, team: str, project: str, run_id: str) -> HttpResponse:
    """One run: what it is, what it was given, what it logged last, told, made and set off."""
    run = access.run_for(request.user, team, project, run_id)
    context = {
        "summary": listing.logged_summary(run),
        "config": sorted(listing.flattened(run.config)),
        "environment": environments.of(run),
        "alerts": run.alerts.all()[:ALERTS_SHOWN],
    }
    return _show(request, run, "overview", context, part="projects/_run_values.html")


@login_required
@require_safe
@vary_on_headers("HX-Request", "HX-Target")
def charts(request: PageRequest, team: str, project: str, run_id: str) -> HttpResponse:
    """Plots of what the script logged."""
    return _plots(request, access.run_for(request.user, team, project, run_id), "charts")


@login_required
@require_safe
@vary_on_headers("HX-Request", "HX-Target")
def system(request: PageRequest, team: str, project: str, run_id: str) -> HttpResponse:
    """Plots of what the machine reported."""
    return _plots(request, access.run_for(request.user, team, project, run_id), "system")


@login_required
@require_safe
@vary_on_headers("HX-Request", "HX-Target")
def logs(request: PageRequest, team: str, project: str, run_id: str) -> HttpResponse:
    """What the script printed last, or the lines in which a text is found."""
    run = access.run_for(request.user, team, project, run_id)
    search = request.GET.get("q", "").strip()
    if search:
        found = console.search(run, search, count=FOUND_SHOWN)
        context = {"search": search, "printed": found.lines, "searched": found.searched, "is_all": found.is_all}
    else:
        context = {"search": "", "printed": console.tail(run, count=LINES_SHOWN)}
    return _show(request, run, "logs", context, part="projects/_run_log.html")


@login_required
@require_safe
def files(request: PageRequest, team: str, project: str, run_id: str) -> HttpResponse:
    """What the script uploaded, with the pictures and tables among it."""
    run = access.run_for(request.user, team, project, run_id)
    found = list(runfiles.of(run)[: FILES_SHOWN + 1])
    shown = found[:FILES_SHOWN]
    context = {
        "files": shown,
        "pictures": runfiles.pictures(shown),
        "tables": logged_tables.among(shown),
        "has_more_files": len(found) > FILES_SHOWN,
    }
    return _show(request, run, "files", context, part="projects/_run_files.html")


def _plots(request: PageRequest, run: Run, tab: str) -> HttpResponse:
    context = {
        "workspace": RunPlots(run, request.GET.dict(), system=tab == "system"),
        "may_automate": access.may(request.user, Permission.EDIT_AUTOMATIONS, run.project.team),
    }
    part = "projects/_plots.html" if request.htmx.target == "plots" else "projects/_plotted_run.html"
    return _show(request, run, tab, context, part=part)


def _show(request: PageRequest, run: Run, tab: str, context: dict[str, Any], *, part: str) -> HttpResponse:
    """A tab of the run's page, or the part of it that goes on while the run does."""
    shown = {"run": run, "project": run.project, "tab": tab, "is_live": not RunState(run.state).is_over} | context
    if request.htmx.target == "run-facts":
        return render(request, "projects/_run_facts.html", shown)
    if request.htmx.target:
        return render(request, part, shown)
    may_log = access.may(request.user, Permission.LOG, run.project.team)
    shown["may_stop"] = may_log and run.state == RunState.RUNNING and run.stop_requested_at is None
    return render(request, f"projects/run_{tab}.html", shown)


@login_required
@require_http_methods(["GET", "POST"])
def stop(request: PageRequest, team: str, project: str, run_id: str) -> HttpResponse:
    """Dialog: whether the script is really to end."""
    run = access.run_for(request.user, team, project, run_id)
    access.require(request.user, Permission.LOG, run.project.team)

    def act() -> str:
        runs.request_stop(run, by=request.user, at=timezone.now())
        messages.success(request, _("%(display_name)s was asked to stop.") % {"display_name": run.display_name})
        return run.get_absolute_url()

    dialog = Dialog(
        title=_("Stop %(display_name)s") % {"display_name": run.display_name},
        url=reverse("projects:stop_run", kwargs=run.place),
        action=_("Stop run"),
        form=forms.Form(posted(request)),
        text=_(
            "The script is told when it next reports, within about half a minute, and ends "
            "as if somebody had pressed Ctrl-C. The run is then Killed, which starts no "
            "automation."
        ),
        danger=True,
    )
    return ask(request, dialog, act)


@login_required
@require_safe
def console_text(request: PageRequest, team: str, project: str, run_id: str) -> StreamingHttpResponse:
    """Everything the script printed, as plain text."""
    run = access.run_for(request.user, team, project, run_id)
    response = StreamingHttpResponse(console.everything(run), content_type="text/plain; charset=utf-8")
    response["X-Content-Type-Options"] = "nosniff"
    return response


@login_required
@require_safe
def file(request: PageRequest, team: str, project: str, run_id: str, name: str) -> FileResponse:
    """One file of the run, to keep."""
    found = _file(access.run_for(request.user, team, project, run_id), name)
    try:
        return downloads.download(found.blob, found.name)
    except FileNotFoundError as error:
        raise _missing(name) from error


@login_required
@require_safe
def table(request: PageRequest, team: str, project: str, run_id: str, name: str) -> StreamingHttpResponse:
    """A table that the script logged, as CSV."""
    found = _file(access.run_for(request.user, team, project, run_id), name)
    try:
        logged = logged_tables.read(found.blob)
    except FileNotFoundError as error:
        raise _missing(name) from error
    if logged is None:
        raise Http404(_("“%(name)s” is no table.") % {"name": name})
    # What a header takes; the name in full stands on the page.
    kept = re.sub(r"[^\w.-]", "_", name.rpartition("/")[2].removesuffix(logged_tables.SUFFIX), flags=re.ASCII)
    return spreadsheets.attachment(spreadsheets.lines(logged.columns, logged.rows), name=f"{kept}.csv")


def _file(run: Run, name: str) -> RunFile:
    found = runfiles.of(run, names=[name]).first()
    if found is None:
        raise Http404(_("The run has no file “%(name)s”.") % {"name": name})
    return found


def _missing(name: str) -> Http404:
    return Http404(_("The bytes of “%(name)s” are missing in the server's storage.") % {"name": name})
