"""Creating and editing an automation: three steps over one form, each with an address of its own (UI2)."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods
from django_htmx.http import HttpResponseClientRedirect

from automations import covering, editing
from automations.access import automation_for, require_edit
from automations.editing import Draft
from automations.models import ActionKind, Automation
from automations.views import drafts, explanations, payloads, steps
from automations.views.drafts import Answers
from automations.views.places import (
    Place,
    organization_place,
    place_of,
    project_place,
    registry_place,
    team_place,
)
from automations.views.steps import ACTION, EVENT, NAME, TITLES, Step, Steps
from projects.models import Project
from registries.models import Registry

if TYPE_CHECKING:
    from automations.access import Scope
    from projects.models import User

SEEN = "seen"
METRIC_RUNS = 20
METRICS_OFFERED = 500
STEPS = {str(step) for step in TITLES}
# What a link to the form may have filled in, and in which fields.
PREFILLED = {
    "event": "event_type",
    "metric": "metric_name",
    "states": "states",
    "action": "action_kind",
    "webhook": "webhook",
    "slack_channel": "slack_channel",
    "name": "name",
}
LATER = {*steps.FIELDS[ACTION], *steps.FIELDS[NAME]}


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def create_in_project(request: HttpRequest, team: str, project: str) -> HttpResponse:
    """Create an automation of a project, or of one of its collections."""
    return Wizard(request, project_place(request.user, team, project)).answer()


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def create_in_registry(request: HttpRequest, organization: str, registry: str) -> HttpResponse:
    """Create an automation of a registry, or of one of its collections."""
    return Wizard(request, registry_place(request.user, organization, registry)).answer()


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def create_in_team(request: HttpRequest, team: str) -> HttpResponse:
    """Create an automation that covers all of a team's projects."""
    return Wizard(request, team_place(request.user, team)).answer()


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def create_in_organization(request: HttpRequest, organization: str) -> HttpResponse:
    """Create an automation that covers all of an organization's teams and registries."""
    return Wizard(request, organization_place(request.user, organization)).answer()


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change an automation, by the form that created it."""
    automation = automation_for(request.user, pk)
    return Wizard(request, place_of(request.user, automation.scope), automation).answer()


class Wizard:
    """One request to the form."""

    def __init__(self, request: HttpRequest, place: Place, automation: Automation | None = None) -> None:
        self.request = request
        self.place = place
        self.automation = automation
        self.user = cast("User", request.user)
        given = request.POST if request.method == "POST" else request.GET
        self.token = given.get("draft", "")
        self.step = _step(given.get("step", ""))

    def answer(self) -> HttpResponse:
        require_edit(self.user, self.automation.scope if self.automation else self.place.home)
        kept = drafts.load(self.request.session, self.token)
        saved = drafts.saved_as(kept)
        if saved is not None:
            # A refresh that was under way while the form was saved must not load the page a second time.
            late = self.request.POST.get("go") == "refresh"
            return HttpResponse(status=HTTPStatus.NO_CONTENT) if late else self._leave(saved)
        if self.request.method == "POST":
            return self._post(kept)
        if self.token and kept is None:
            messages.info(self.request, _("This form was left too long ago. Fill it in again."))
            self.token, self.step = "", EVENT
        answers = self._answers(kept)
        if kept is None and self.automation is None and LATER & set(answers):
            # What a link fills in of later steps has to be there when these are come to.
            self.token = drafts.new_token()
            drafts.keep(self.request.session, self.token, answers)
        form = self._steps(answers)
        faulty = form.first_faulty(self.step - 1)
        if faulty is not None:
            self.step = faulty
            return self._show(form, form.checked(faulty) if self.token else form.plain(faulty))
        return self._show(form, form.plain(self.step))

    def _post(self, kept: Answers | None) -> HttpResponse:
        answers = self._answers(kept)
        posted = self.request.POST
        answers |= {name: posted.getlist(name) for name in steps.FIELDS[self.step]}
        answers.setdefault(SEEN, posted.getlist(SEEN))
        form = self._steps(answers)
        go = posted.get("go", "next")
        if go == "refresh":
            return self._show(form, form.plain(self.step))
        self.token = self.token or drafts.new_token()
        drafts.keep(self.request.session, self.token, answers)
        if go == "back":
            return self._go_to(max(self.step - 1, EVENT))
        if go in STEPS:
            return self._go_to(int(go))
        if go in {"save", "overwrite"} or self.step == NAME:
            return self._save(form, overwrite=go == "overwrite")
        if form.checked(self.step).is_valid():
            return self._go_to(self.step + 1)
        return self._show(form, form.checked(self.step), status=422)

    def _save(self, form: Steps, *, overwrite: bool) -> HttpResponse:
        faulty = form.first_faulty()
        draft = form.draft()
        if faulty is not None or draft is None:
            self.step = faulty or EVENT
            return self._show(form, form.checked(self.step), status=422)
        if form.confirmation():
            self.step = NAME
            form.name.add_error(
                "confirmed", gettext("Confirm that it is meant to fire this often, or begin in shadow mode.")
            )
            return self._show(form, form.name, status=422)
        try:
            with transaction.atomic():
                theirs = None if overwrite else self._changed_meanwhile(form)
                if theirs is not None:
                    return self._show(form, form.plain(self.step), status=422, theirs=differences(theirs, draft))
                saved = self._write(draft, form)
        except ValidationError as error:
            twin = self._twin(draft, form) if isinstance(error, editing.NameTaken) else None
            if twin is None:
                self.step = form.blame(error)
                return self._show(form, form.checked(self.step), status=422)
            saved = twin
        drafts.note_saved(self.request.session, self.token, saved.pk)
        told = _("Automation “%(name)s” saved.") if self.automation else _("Automation “%(name)s” created.")
        messages.success(self.request, told % {"name": saved.name})
        return self._leave(saved.pk)

    def _write(self, draft: Draft, form: Steps) -> Automation:
        if self.automation is None:
            return editing.create(draft, scope=form.scope, by=self.user)
        return editing.update(self.automation, draft, by=self.user)

    def _changed_meanwhile(self, form: Steps) -> Draft | None:
        """The automation as it is now, if it is not what the person began to edit."""
        if self.automation is None:
            return None
        now = get_object_or_404(Automation.objects.select_for_update(), pk=self.automation.pk)
        seen = form.answers.get(SEEN) or [""]
        return None if seen[-1] == now.updated_at.isoformat() else editing.draft_of(now)

    def _twin(self, draft: Draft, form: Steps) -> Automation | None:
        """The automation that the same form, sent twice at once, has just become."""
        if self.automation is not None:
            return None
        same = {editing.kind_of(form.scope).value: form.scope, "name": draft.name, "created_by": self.user}
        found = Automation.objects.select_related("webhook", "slack_channel").filter(**same).first()
        return found if found is not None and editing.draft_of(found) == draft else None

    def _steps(self, answers: Answers) -> Steps:
        return Steps(self.place, self.user, answers, self.automation)

    def _answers(self, kept: Answers | None) -> Answers:
        """What was typed so far. What was too long to be kept is what it was: a form loses nothing it did not show."""
        if kept is None:
            return self._first_answers()
        return (steps.answers_from(self.automation) if self.automation else {}) | kept

    def _first_answers(self) -> Answers:
        if self.automation is not None:
            answers = steps.answers_from(self.automation)
            if self.request.method == "GET":
                answers[SEEN] = [self.automation.updated_at.isoformat()]
            return answers
        asked = self.request.GET
        answers = {field: asked.getlist(name) for name, field in PREFILLED.items() if asked.get(name)}
        if asked.get("metric"):
            answers.setdefault("event_type", ["RUN_METRIC"])
        if asked.get("collection") and isinstance(self.place.home, Project | Registry):
            found = self.place.home.collections.filter(name=asked["collection"]).first()
            answers["collection"] = [str(found.pk)] if found else []
        return answers

    def _go_to(self, step: int) -> HttpResponse:
        return redirect(self._address(step))

    def _address(self, step: int) -> str:
        if not self.token and step == EVENT:
            return self.request.get_full_path() if self.request.method == "GET" else self.request.path
        query = {"draft": self.token, "step": step} if self.token else {"step": step}
        return f"{self.request.path}?{urlencode(query)}"

    def _leave(self, pk: int) -> HttpResponse:
        address = Automation(pk=pk).get_absolute_url()
        return HttpResponseClientRedirect(address) if self._is_htmx() else redirect(address)

    def _is_htmx(self) -> bool:
        htmx: Any = self.request.htmx  # type: ignore[attr-defined]  # set by django_htmx's middleware
        return bool(htmx) and not htmx.history_restore_request

    def _is_new_step(self) -> bool:
        """Whether htmx swaps in a step, rather than the same one with what follows from a choice."""
        return self._is_htmx() and self.request.POST.get("go") != "refresh"

    def _is_unsaved(self, form: Steps) -> bool:
        """Whether something was typed before this page came, at other steps or at this one."""
        if not self.token and self.request.method == "GET":
            return False
        return self.automation is None or form.draft() != editing.draft_of(self.automation)

    def _show(
        self, form: Steps, shown: Step, *, status: int = 200, theirs: list[dict[str, str]] | None = None
    ) -> HttpResponse:
        page = "automations/wizard/_wizard.html" if self._is_htmx() else "automations/wizard/page.html"
        response = render(self.request, page, self._context(form, shown, theirs), status=status)
        patch_vary_headers(response, ["HX-Request"])
        if self._is_new_step():
            response["HX-Push-Url"] = self._address(self.step)
        return response

    def _context(self, form: Steps, shown: Step, theirs: list[dict[str, str]] | None) -> dict[str, Any]:
        context: dict[str, Any] = {
            **self.place.frame,
            "place": self.place,
            "automation": self.automation,
            "form": shown,
            "step": self.step,
            "steps": [
                {"title": title, "number": number, "url": self._address(number)} for number, title in TITLES.items()
            ],
            "last_step": NAME,
            "token": self.token,
            "seen": (form.answers.get(SEEN) or [""])[-1],
            "when": form.when(),
            "whatever": form.whatever(),
            "do": form.do(),
            "scope": form.scope,
            "theirs": theirs,
            "unsaved": self._is_unsaved(form),
            "announce": not _focus_first_fault(shown) and self._is_new_step(),
        }
        if self.step == EVENT:
            context["metric_names"] = metric_names(form.scope, reader=self.user)
            context["hits"] = form.hits()
        context["covered"] = form.covered()
        if self.step == NAME:
            context["reach"] = form.reach
        if self.step == ACTION:
            context |= payloads.context_of(form)
        if self.step != ACTION:
            draft = form.draft()
            context["replay"] = explanations.sealed(draft, form.scope) if draft else ""
        return context


def metric_names(scope: Scope, *, reader: User) -> list[str]:
    """Keys that recent runs of the scope logged, to choose from."""
    recent = covering.runs_in(scope, reader=reader)
    names: set[str] = set()
    for summary in recent.values_list("summary", flat=True)[:METRIC_RUNS]:
        names |= set(_leaves(summary))
    return sorted(name for name in names if not name.startswith("_"))[:METRICS_OFFERED]


def differences(theirs: Draft, mine: Draft) -> list[dict[str, str]]:
    """Where two drafts part, in words."""
    names = {
        "name": _("Name"),
        "description": _("Description"),
        "shadow": _("Shadow mode"),
        "event_type": _("Event"),
        "condition": _("Condition"),
        "filter": _("Filter"),
        "action_kind": _("Action"),
        "webhook": _("Webhook"),
        "payload": _("Payload"),
        "slack_channel": _("Slack channel"),
        "title": _("Title"),
        "message": _("Message"),
        "severity": _("Severity"),
    }
    return [
        {"label": label, "theirs": _shown(theirs, name), "mine": _shown(mine, name)}
        for name, label in names.items()
        if getattr(theirs, name) != getattr(mine, name)
    ]


def _shown(draft: Draft, name: str) -> str:
    value = getattr(draft, name)
    if name == "action_kind":
        return str(ActionKind(value).label)
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return str(value) if value not in (None, "", {}) else "–"


def _leaves(summary: Any, prefix: str = "") -> Iterable[str]:
    """Dotted keys of the numbers in a run's summary; NaN and infinities are texts there."""
    if not isinstance(summary, dict):
        return
    for key, value in summary.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{prefix}{key}.")
        elif (isinstance(value, int | float) and not isinstance(value, bool)) or value in (
            "NaN",
            "Infinity",
            "-Infinity",
        ):
            yield f"{prefix}{key}"


def _focus_first_fault(shown: Step) -> bool:
    """Put the cursor into the first field that is wrong, if one is."""
    if not shown.is_bound:
        return False
    for name, field in shown.fields.items():
        if name in shown.errors:
            field.widget.attrs["autofocus"] = True
            return name != "event_type"  # whose cards the page draws itself
    return False


def _step(text: str) -> int:
    return int(text) if text in STEPS else EVENT
