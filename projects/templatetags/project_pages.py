"""What templates of a project's pages need beyond their context."""

from __future__ import annotations

from typing import Any

from django import template
from django.urls import reverse

from projects.models import Project

register = template.Library()

# The tabs of a project. Their pages live in several applications, known here by the names of their addresses only.
TABS = (
    ("runs", "Runs", "projects:project"),
    ("artifacts", "Artifacts", "registries:artifacts"),
    ("automations", "Automations", "automations:project_automations"),
    ("history", "History", "automations:project_history"),
)


@register.simple_tag
def project_tabs(project: Project, active: str = "") -> list[dict[str, Any]]:
    """The project's tabs, as `components/_tabs.html` wants them; `active` is runs, artifacts, automations or history."""
    place = {"team": project.team.name, "project": project.name}
    return [
        {"label": label, "url": reverse(page, kwargs=place), "current": key == active}
        for key, label, page in TABS
    ]
