"""Redelivering from pages: one execution, many of a history, and how far that has come."""

from __future__ import annotations

import uuid
from collections import Counter
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from automations import disclosure, history, pending, prefilling, redelivering
from automations.access import execution_for, may_redeliver, redelivery_for, require_redeliver
from automations.forms.redelivering import EditedWishForm, WishForm
from automations.models import Content, Execution, Redelivery
from automations.redelivering import NotRedeliverable, TokenUsed, Wish
from automations.views.history import Wanted, number
from automations.views.places import Place, place_of, project_place, registry_place
from projects.pages import Dialog, PageRequest, leave, posted

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.models import QuerySet
    from django.http import HttpResponse

SHOWN = 100
# What could be asked for at most: of a rehearsal, too.
FOR_REAL = {content: Wish(content=content, for_real=True) for content in Content}


@login_required
@require_http_methods(["GET", "POST"])
def redeliver(request: PageRequest, key: uuid.UUID) -> HttpResponse:
    """Dialog: carry an execution out once more, as it was, with today's automation, or with an edited payload."""
    execution = execution_for(request.user, key)
    require_redeliver(request.user, execution.home)
    url = request.path
    problems = {content: _problem(execution, wish, request) for content, wish in FOR_REAL.items()}
    contents = [content for content, problem in problems.items() if not problem]
    title = _("Redeliver this execution")
    if not contents:
        return Dialog(title=title, url=url, action="", text=problems[Content.AS_SENT]).shown(request)
    editable = Content.EDITED in contents
    shape = EditedWishForm if editable else WishForm
    initial = {"token": uuid.uuid4().hex, "payload": prefilling.payload_to_edit(execution) if editable else ""}
    form = shape(posted(request), initial=initial, contents=contents, rehearsed=_any_rehearsal([execution], contents))

    text = _("It becomes a new execution; this one stays as it is.")
    body = "automations/redelivery/_one.html"
    dialog = Dialog(title=title, url=url, action=_("Redeliver"), form=form, text=text, wide=editable, body=body)
    return _asked(
        request, dialog, lambda wish: redelivering.redeliver(execution, wish, by=request.user, at=timezone.now())
    )


@login_required
@require_http_methods(["GET", "POST"])
def of_project(request: PageRequest, team: str, project: str) -> HttpResponse:
    """Dialog: carry out once more what was chosen, or filtered, in a project's history."""
    return _many(request, project_place(request.user, team, project))


@login_required
@require_http_methods(["GET", "POST"])
def of_registry(request: PageRequest, organization: str, registry: str) -> HttpResponse:
    """Dialog: carry out once more what was chosen, or filtered, in a registry's history."""
    return _many(request, registry_place(request.user, organization, registry))


@login_required
@require_safe
def show(request: PageRequest, key: uuid.UUID) -> HttpResponse:
    """How far a redelivery has come; its executions, the first hundred of them."""
    redelivery = redelivery_for(request.user, key)
    place = place_of(request.user, redelivery.home)
    executions = history.executions_in(redelivery.home, reader=request.user).filter(redelivery=redelivery)
    progress = redelivering.progress_of(redelivery, reader=request.user)
    context: dict[str, Any] = {
        **place.frame,
        "place": place,
        "redelivery": redelivery,
        "progress": progress,
        "statuses": [(status, count) for status, count in sorted(progress.by_status.items()) if count],
        "executions": disclosure.prepare(executions.order_by("pk")[:SHOWN], reader=request.user),
        "most": SHOWN,
        "cancellable": bool(progress.waiting) and may_redeliver(request.user, redelivery.home),
        "address": request.path,
    }
    partial = request.htmx and not request.htmx.history_restore_request
    template = "automations/redelivery/_progress.html" if partial else "automations/redelivery/page.html"
    return render(request, template, context)


@login_required
@require_POST
def cancel(request: PageRequest, key: uuid.UUID) -> HttpResponse:
    """Button: send no more of a redelivery."""
    redelivery = redelivery_for(request.user, key)
    count = redelivering.cancel(redelivery, by=request.user, at=timezone.now())
    told = ngettext(
        "Cancelled: %(count)s execution will not be sent.", "Cancelled: %(count)s executions will not be sent.", count
    )
    messages.success(request, told % {"count": f"{count:,}"})
    return redirect(redelivery)


@login_required
@require_POST
def try_now(request: PageRequest, key: uuid.UUID) -> HttpResponse:
    """Button: do not wait any longer."""
    return _with_waiting(request, key, pending.try_now, _("It is tried now."))


@login_required
@require_POST
def cancel_one(request: PageRequest, key: uuid.UUID) -> HttpResponse:
    """Button: never send it (again)."""
    return _with_waiting(request, key, pending.cancel, _("Cancelled. It will not be sent."))


def _with_waiting(request: PageRequest, key: uuid.UUID, act: Callable[..., None], done: str) -> HttpResponse:
    execution = execution_for(request.user, key)
    try:
        act(execution, by=request.user, at=timezone.now())
    except pending.NotWaiting as error:
        messages.error(request, str(error))
    else:
        messages.success(request, done)
    return redirect(execution)


def _many(request: PageRequest, place: Place) -> HttpResponse:
    home = place.project or place.registry
    assert home is not None  # only these have a history
    require_redeliver(request.user, home)
    # What fires between the question and the answer was not asked about, nor what the answer itself makes.
    upto = number(request.POST.get("upto", ""))
    rows = _asked_for(request, place)
    found = redelivering.chosen(rows.filter(pk__lte=upto) if upto is not None else rows, home)
    contents = [Content.AS_SENT, Content.CURRENT]
    rehearsed = _any_rehearsal(found, contents)
    initial = {"token": uuid.uuid4().hex}
    form = WishForm(posted(request), initial=initial, contents=contents, rehearsed=rehearsed)
    sendable, left_out = redelivering.divided(found, FOR_REAL[Content.AS_SENT], by=request.user)

    title, text, action = _question(found, sendable)
    dialog = Dialog(
        title=title,
        url=request.get_full_path(),
        action=action,
        form=form,
        text=text,
        items=[
            _("%(count)s left out: %(problem)s") % {"count": f"{count:,}", "problem": problem}
            for problem, count in Counter(p for _one, p in left_out).items()
        ],
        body="automations/redelivery/_many.html",
        extra={"upto": upto or max((execution.pk for execution in found), default=0)},
    )
    return _asked(
        request,
        dialog,
        lambda wish: redelivering.redeliver_many(home, found, wish, by=request.user, at=timezone.now()),
    )


def _any_rehearsal(executions: list[Execution], contents: list[Content]) -> bool:
    return any(redelivering.is_rehearsal(execution, content) for execution in executions for content in contents)


def _question(found: list[Execution], sendable: list[Execution]) -> tuple[str, str, str]:
    """Title, sentence and verb of the dialog."""
    if not found:
        sentence = _(
            "There is nothing to redeliver: no execution is chosen, or matches the filters. Tick some, or choose"
            " Redeliver all."
        )
        return _("Redeliver"), sentence, ""
    if len(found) > redelivering.MOST:
        sentence = _("More than %(most)s executions match. At most %(most)s go at once: narrow the filters.")
        return _("Redeliver"), sentence % {"most": f"{redelivering.MOST:,}"}, ""
    count = len(sendable)
    if not sendable:
        return _("Redeliver"), _("None of these executions can be sent again."), ""
    title = ngettext("Redeliver %(count)s execution", "Redeliver %(count)s executions", count)
    return (
        title % {"count": f"{count:,}"},
        _("Each becomes a new execution, the oldest first; those in the history stay."),
        _("Redeliver"),
    )


def _asked_for(request: PageRequest, place: Place) -> QuerySet[Execution]:
    """The rows that were ticked, or else all that the filters leave."""
    home = place.project or place.registry
    assert home is not None
    rows = history.executions_in(home, reader=request.user)
    picked = [key for text in request.GET.getlist("pick") if (key := number(text)) is not None]
    if picked or "picked" in request.GET:
        return rows.filter(pk__in=picked)
    return Wanted.of(request.GET).of_rows(rows)


def _problem(execution: Execution, wish: Wish, request: PageRequest) -> str:
    _sendable, left_out = redelivering.divided([execution], wish, by=request.user)
    return left_out[0][1] if left_out else ""


def _asked(request: PageRequest, dialog: Dialog, act: Callable[[Wish], Execution | Redelivery]) -> HttpResponse:
    """The dialog, or, once it is answered well, what came of it. In no transaction: each few executions are one."""
    form = dialog.form
    assert isinstance(form, WishForm)
    if request.method == "POST" and form.is_valid():
        try:
            made = act(form.wish())
        except (NotRedeliverable, TokenUsed) as error:
            form.add_error(None, str(error))
        else:
            return leave(request, made.get_absolute_url())
    return dialog.shown(request)
