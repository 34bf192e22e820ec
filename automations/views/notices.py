"""Notices for admins, and the buttons that mark them as read."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from automations import disclosure, mailing, notices
from automations.models import Notice
from automations.models.notice import NoticeQuerySet
from projects.pages import PageRequest, leave, page_of

PER_PAGE = 30


@login_required
@require_safe
def show(request: PageRequest) -> HttpResponse:
    """Unread ones first, then the newest. Looking at the list alone marks nothing."""
    return _shown(request, "automations/notices/page.html")


@login_required
@require_POST
def read(request: PageRequest, pk: int) -> HttpResponse:
    """Mark one as read."""
    rows = Notice.objects.filter(pk=pk)
    if not rows.visible_to(request.user).exists():
        raise Http404(_("There is no notice %(pk)s.") % {"pk": pk})
    return _mark(request, rows)


@login_required
@require_POST
def read_all(request: PageRequest) -> HttpResponse:
    """Mark all of them as read."""
    return _mark(request, Notice.objects.all())


@login_required
@require_POST
def by_email(request: PageRequest) -> HttpResponse:
    """Switch e-mail for the user on or off."""
    on = request.POST.get("on") == "yes"
    mailing.switch(request.user, on=on)
    messages.success(request, _("Notices also come by e-mail.") if on else _("Notices no longer come by e-mail."))
    return leave(request, reverse("automations:notices"))


def _mark(request: PageRequest, rows: NoticeQuerySet) -> HttpResponse:
    notices.mark_read(rows, by=request.user, at=timezone.now())
    if not request.htmx:
        return redirect("automations:notices")
    return _shown(request, "automations/notices/_results.html", out_of_band=True)


def _shown(request: PageRequest, template: str, *, out_of_band: bool = False) -> HttpResponse:
    asked = request.POST if request.method == "POST" else request.GET
    page = page_of(notices.listed(request.user), asked.get("page"), size=PER_PAGE)
    page.object_list = disclosure.prepare_notices(page.object_list, reader=request.user)
    context = {"page": page, "out_of_band": out_of_band, "mails": settings.EMAIL_CONFIGURED}
    response = render(request, template, context)
    patch_vary_headers(response, ["HX-Request"])
    return response
