"""What the pages of all applications share: the request of somebody signed in, dialogs, leaving for another page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from django import forms
from django.core.exceptions import ValidationError
from django.core.paginator import Page, Paginator
from django.db import IntegrityError, transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.utils.translation import gettext as _
from django_htmx.http import HttpResponseClientRedirect, HttpResponseClientRefresh
from django_htmx.middleware import HtmxDetails

from projects.conflicts import SEEN, Conflict, Guard
from projects.models import User

ROWS_PER_PAGE = 50
Row = TypeVar("Row", bound=Model)


class PageRequest(HttpRequest):
    """A request that came through `login_required` and the htmx middleware."""

    user: User
    htmx: HtmxDetails


@dataclass(frozen=True, slots=True)
class Dialog:
    """A question in a floating window. `url` is where its answer is posted, `action` the verb on the button,
    none if there is only something to read, `text` a sentence above the form, `items` a list below that sentence, and
    `body` the template of all these, which also gets `extra`. `guard` keeps its answer from writing over what somebody
    else saved meanwhile."""

    title: str
    url: str
    action: str
    form: forms.Form = field(default_factory=forms.Form)
    text: str = ""
    items: Sequence[str] = ()
    danger: bool = False
    wide: bool = False
    body: str = "projects/_dialog_body.html"
    extra: Mapping[str, Any] = field(default_factory=dict)
    guard: Guard | None = None

    def shown(self, request: PageRequest, conflict: Conflict | None = None) -> HttpResponse:
        """The dialog alone for htmx, which opens it; a page of its own for a browser that came by link."""
        context = {**self.extra, "dialog": self, "form": self.form, "conflict": conflict}
        if self.guard is not None:
            context["seen"] = conflict.seen if conflict else request.POST.get(SEEN) or self.guard.mark()
        template = "projects/_dialog.html" if request.htmx else "projects/dialog_page.html"
        return render(request, template, context, status=422 if conflict or self.form.errors else 200)


def posted(request: HttpRequest) -> QueryDict | None:
    """What a form is bound to: the data of a POST, even if empty, else None."""
    return request.POST if request.method == "POST" else None


def ask(request: PageRequest, dialog: Dialog, act: Callable[[], str]) -> HttpResponse:
    """Show the dialog; once it is answered well, `act`, and go to the address that `act` returns.

    A ValidationError that `act` raises is shown beside the fields it names, and nothing of the act remains.
    """
    conflict = None
    if request.method == "POST" and dialog.form.is_valid():
        try:
            with transaction.atomic():
                conflict = dialog.guard.look(request.POST.get(SEEN, ""), dialog.form) if dialog.guard else None
                address = "" if conflict else act()
        except ValidationError as error:
            put_errors(dialog.form, error)
        except IntegrityError:
            dialog.form.add_error(None, _("Somebody did the same just now. Reload the page to see what is there."))
        else:
            if conflict is None:
                return leave(request, address)
    return dialog.shown(request, conflict)


def put_errors(form: forms.Form, error: ValidationError) -> None:
    """Show the problems that a domain function found beside the fields they are about."""
    if not hasattr(error, "error_dict"):
        form.add_error(None, error)
        return
    for name, problems in error.error_dict.items():
        form.add_error(name if name in form.fields else None, problems)


def leave(request: PageRequest, address: str) -> HttpResponse:
    """Go to the address, also from an answer to htmx; reload if that is the page the user looks at."""
    if not request.htmx:
        return HttpResponseRedirect(address)
    current = request.htmx.current_url_abs_path or ""
    if address.partition("#")[0] == current.partition("#")[0]:
        return HttpResponseClientRefresh()
    return HttpResponseClientRedirect(address)


def page_of(rows: QuerySet[Row], number: str | None, *, size: int = ROWS_PER_PAGE) -> Page[Row]:
    """One page of a list; a number that is none shows the first page, one too high the last."""
    return Paginator(rows, size).get_page(number)


def query_without(params: QueryDict, *names: str) -> str:
    """The query string without these parameters, for links that change them."""
    kept = params.copy()
    for name in names:
        kept.pop(name, None)
    return kept.urlencode()
