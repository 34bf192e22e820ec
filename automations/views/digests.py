"""What one Slack message stood for: the executions of a digest that the reader may see."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from automations import disclosure, history
from automations.models import Digest
from automations.views.history import number, pageful
from projects.pages import PageRequest


@login_required
@require_safe
def show(request: PageRequest, key: uuid.UUID) -> HttpResponse:
    """The link in the message leads here. Who may see none of it is told that there is no such digest."""
    digest = Digest.objects.select_related("channel__team").filter(key=key).first()
    found = history.of_digest(digest, reader=request.user) if digest else None
    if digest is None or found is None or not found.exists():
        raise Http404(_("There is no digest %(key)s.") % {"key": key})
    before, after = number(request.GET.get("before", "")), number(request.GET.get("after", ""))
    page = pageful(found, before=before, after=after)
    disclosure.prepare(page.executions, reader=request.user)
    context: dict[str, Any] = {
        "digest": digest,
        "channel": digest.channel if disclosure.may_see_target(request.user, digest.channel) else None,
        "page": page,
        "count": found.count(),
        "address": request.get_full_path(),
    }
    return render(request, "automations/digest/page.html", context)
