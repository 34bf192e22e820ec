"""Aliases and tags, changed in place: each answer is the part of the page that shows them, and says what was done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from projects.pages import PageRequest, leave
from registries import access, curation, labels, listing
from registries.models import Alias, Collection, Membership
from registries.views import protection
from registries.views.browse import may_change, version_context


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants done to one label: `change` is add or remove."""

    kind: str
    change: str
    name: str

    @property
    def is_add(self) -> bool:
        return self.change == "add"


@login_required
@require_POST
def change_label(request: PageRequest, pk: int, kind: str, change: str) -> HttpResponse:
    """Add or remove an alias or a tag of a version."""
    membership = listing.membership_seen_by(request.user, pk)
    if membership is None:
        raise Http404(_("There is no such version."))
    access.require_labels(request.user, membership.collection)
    wish = _wish(request, kind, change)
    holder = _holder(membership, wish)
    outcome = _carried_out(wish, lambda: _change(membership, wish, request), moved_from=holder)
    fresh = access.memberships_of(membership.collection).filter(pk=pk).first()
    if fresh is None:
        raise Http404(_("%(membership)s is gone: somebody removed it meanwhile.") % {"membership": membership})

    def undo(opposite: str) -> str:
        return reverse("registries:change_label", args=[pk, kind, opposite])

    answer = Answer(
        "registries/_labels.html", version_context(request.user, fresh), membership.get_absolute_url(), undo
    )
    return answer.given(request, wish, outcome)


@login_required
@require_POST
def change_collection_tag(request: PageRequest, pk: int, change: str) -> HttpResponse:
    """Add or remove a tag of a collection as a whole."""
    found = Collection.objects.visible_to(request.user).filter(pk=pk)
    collection = found.select_related("project__team__organization", "registry__organization").first()
    if collection is None:
        raise Http404(_("There is no such collection."))
    access.require_labels(request.user, collection)
    wish = _wish(request, "tags", change)
    act = labels.tag_collection if wish.is_add else labels.untag_collection
    outcome = _carried_out(wish, lambda: bool(act(collection, [wish.name], by=request.user, at=timezone.now())))
    context = {"collection": collection, "may_change": may_change(request.user, collection)}

    def undo(opposite: str) -> str:
        return reverse("registries:change_collection_tag", args=[pk, opposite])

    answer = Answer("registries/_collection_tags.html", context, collection.get_absolute_url(), undo)
    return answer.given(request, wish, outcome)


@login_required
@require_POST
def change_protection(request: PageRequest, organization: str, registry: str, change: str) -> HttpResponse:
    """Protect an alias in a registry, or stop protecting it."""
    found = access.registry_for(request.user, organization, registry)
    access.require(request.user, access.Permission.EDIT_SETTINGS, found)
    wish = _wish(request, "protected", change)
    act = curation.protect_alias if wish.is_add else curation.unprotect_alias
    outcome = _carried_out(wish, lambda: bool(act(found, wish.name, by=request.user)))

    def undo(opposite: str) -> str:
        return reverse("registries:change_protection", args=[organization, registry, opposite])

    context = protection.context_of(request.user, found)
    return Answer("registries/_protected.html", context, found.get_absolute_url(), undo).given(request, wish, outcome)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a wish, in a sentence: a problem, or what was said of what was done."""

    problem: str = ""
    said: str = ""
    is_undoable: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """The part of the page that shows the labels, and the page itself for who came without htmx."""

    template: str
    context: dict[str, Any]
    page: str
    undo: Callable[[str], str]

    def given(self, request: PageRequest, wish: Wish, outcome: Outcome) -> HttpResponse:
        if not request.htmx:
            if outcome.problem:
                messages.error(request, outcome.problem)
            return leave(request, self.page)
        context = self.context | {
            "problem": outcome.problem,
            "problem_kind": wish.kind,
            "typed": wish.name if outcome.problem else "",
            "changed": wish.kind,
            "said": outcome.said,
            "undo": self.undo("remove" if wish.is_add else "add") if outcome.is_undoable else "",
            "undo_name": wish.name,
            "out_of_band": True,
        }
        return render(request, self.template, context, status=422 if outcome.problem else 200)


def _wish(request: PageRequest, kind: str, change: str) -> Wish:
    return Wish(kind, change, request.POST.get("name", "").replace("\x00", "").strip())


def _carried_out(wish: Wish, act: Callable[[], bool], *, moved_from: str = "") -> Outcome:
    name = {"name": wish.name}
    if not wish.name:
        tag, alias = _("Type the name of the tag."), _("Type the name of the alias.")
        return Outcome(problem=tag if wish.kind == "tags" else alias)
    try:
        done = act()
    except ValidationError as error:
        return Outcome(problem=error.messages[0])
    except PermissionDenied as error:  # of a protected alias
        return Outcome(problem=str(error))
    if not done:
        return Outcome(
            said=(_("%(name)s is there already.") if wish.is_add else _("%(name)s was gone already.")) % name
        )
    if moved_from:
        # Back to the version that had it one gets on the page of that version.
        return Outcome(said=_("%(name)s moved here from %(version)s.") % {**name, "version": moved_from})
    said = _("%(name)s added.") if wish.is_add else _("%(name)s removed.")
    return Outcome(said=said % name, is_undoable=True)


def _holder(membership: Membership, wish: Wish) -> str:
    """The other version of the collection that has the alias which is to be added."""
    if wish.kind != "aliases" or not wish.is_add:
        return ""
    held = Alias.objects.filter(collection=membership.collection_id, name=wish.name).select_related("membership")
    alias = held.exclude(membership=membership).first()
    return alias.membership.version if alias else ""


def _change(membership: Membership, wish: Wish, request: PageRequest) -> bool:
    now = timezone.now()
    if wish.kind == "aliases":
        if wish.is_add:
            return labels.add_alias(membership, wish.name, by=request.user, at=now)
        return labels.remove_alias(membership, wish.name, by=request.user)
    change = labels.add_tag if wish.is_add else labels.remove_tag
    return change(membership, wish.name, by=request.user, at=now)
