"""Parts of a version's page: its files, and what used it; and a file itself."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from projects.downloads import download
from projects.pages import PageRequest, page_of
from registries import listing
from registries.models import ArtifactFile, Membership


@login_required
@require_safe
def version_files(request: PageRequest, pk: int) -> HttpResponse:
    """The files of a version, a page of them at a time."""
    membership = _seen(request, pk)
    files = ArtifactFile.objects.filter(artifact=membership.artifact_id).select_related("blob").order_by("path")
    context = {"membership": membership, "page": page_of(files, request.GET.get("page"))}
    return render(request, "registries/_files.html", context)


@login_required
@require_safe
def version_file(request: PageRequest, pk: int, path: str) -> FileResponse:
    """One file of a version, to keep."""
    membership = _seen(request, pk)
    file = ArtifactFile.objects.filter(artifact=membership.artifact_id, path=path).select_related("blob").first()
    if file is None or file.blob is None:
        raise Http404(
            _("%(membership)s has no file “%(path)s” that is kept here.") % {"membership": membership, "path": path}
        )
    return download(file.blob, file.path)


def _seen(request: PageRequest, pk: int) -> Membership:
    membership = listing.membership_seen_by(request.user, pk)
    if membership is None:
        raise Http404(_("There is no such version."))
    return membership
