"""The page of one run, what is downloaded from it, and its Stop button."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from projects import access, console, downloads, environments, listing, runfiles, runs
from projects.access import Permission
from projects.models import RunState
from projects.pages import Dialog, PageRequest, ask, posted

LINES_SHOWN = 200
FILES_SHOWN = 100
ALERTS_SHOWN = 20


@login_required
@require_safe
def run_page(request: PageRequest, team: str, project: str, run_id: str) -> HttpResponse:
    """One run: what it is, what it was given, what it logged last, printed, uploaded and told."""
    run = access.run_for(request.user, team, project, run_id)
    files = list(runfiles.of(run)[: FILES_SHOWN + 1])
    may_log = access.may(request.user, Permission.LOG, run.project.team)
    context = {
        "run": run,
        "project": run.project,
        "summary": listing.logged_summary(run),
        "config": sorted(listing.flattened(run.config)),
        "environment": environments.of(run),
        "printed": console.tail(run, count=LINES_SHOWN),
        "files": files[:FILES_SHOWN],
        "has_more_files": len(files) > FILES_SHOWN,
        "alerts": run.alerts.all()[:ALERTS_SHOWN],
        "may_stop": may_log and run.state == RunState.RUNNING and run.stop_requested_at is None,
    }
    return render(request, "projects/run.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def stop(request: PageRequest, team: str, project: str, run_id: str) -> HttpResponse:
    """Dialog: whether the script is really to end."""
    run = access.run_for(request.user, team, project, run_id)
    access.require(request.user, Permission.LOG, run.project.team)

    def act() -> str:
        runs.request_stop(run, by=request.user, at=timezone.now())
        messages.success(request, f"{run.display_name} was asked to stop.")
        return run.get_absolute_url()

    dialog = Dialog(
        title=f"Stop {run.display_name}",
        url=reverse("projects:stop_run", kwargs=run.place),
        action="Stop run",
        form=forms.Form(posted(request)),
        text="The script is told when it next reports, within about half a minute, and ends as if somebody had pressed"
        " Ctrl-C. The run is then Killed, which starts no automation.",
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
    run = access.run_for(request.user, team, project, run_id)
    found = runfiles.of(run, names=[name]).first()
    if found is None:
        raise Http404(f"The run has no file “{name}”.")
    try:
        return downloads.download(found.blob, found.name)
    except FileNotFoundError as error:
        raise Http404(f"The bytes of “{name}” are missing in the server's storage.") from error
