"""Part of a registry's page: the aliases that only its admins add, move or remove."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST

from projects.models import User
from projects.pages import PageRequest, leave
from registries import access, curation, protection
from registries.models import Registry


def context_of(user: User, registry: Registry) -> dict[str, Any]:
    """What the part needs."""
    return {
        "registry": registry,
        "protected": protection.aliases_of(registry),
        "may_protect": access.may(user, access.Permission.EDIT_SETTINGS, registry),
    }


@login_required
@require_POST
def change(request: PageRequest, organization: str, registry: str, change: str) -> HttpResponse:
    """Protect an alias, or stop protecting it; answers with the part of the page that shows them."""
    found = access.registry_for(request.user, organization, registry)
    access.require(request.user, access.Permission.EDIT_SETTINGS, found)
    name = request.POST.get("name", "").replace("\x00", "").strip()
    problem = ""
    try:
        if change == "add":
            curation.protect_alias(found, name)
        else:
            curation.unprotect_alias(found, name)
    except ValidationError as error:
        problem = error.messages[0]
    if not request.htmx:
        if problem:
            messages.error(request, problem)
        return leave(request, found.get_absolute_url())
    context = {
        **context_of(request.user, found),
        "problem": problem,
        "problem_kind": "protected",
        "typed": name if problem else "",
        "changed": "protected",
    }
    return render(request, "registries/_protected.html", context, status=422 if problem else 200)
