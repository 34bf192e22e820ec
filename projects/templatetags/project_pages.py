"""What templates of a project's pages need beyond their context."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any

from django import template
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from projects.models import Project, Run
from projects.workspace import PlottedRun

register = template.Library()

TEXT_SHOWN = 2000
# Colours and cursor movements that programs print for terminals.
FOR_TERMINALS = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b")

# The tabs of a project. Their pages live in several applications, known here by the names of their addresses only.
TABS = (
    ("workspace", _("Workspace"), "projects:project"),
    ("runs", _("Runs"), "projects:runs"),
    ("artifacts", _("Artifacts"), "registries:artifacts"),
    ("automations", _("Automations"), "automations:project_automations"),
    ("history", _("History"), "automations:project_history"),
)


@register.simple_tag
def project_tabs(project: Project, active: str = "") -> list[dict[str, Any]]:
    """The project's tabs, as `components/_tabs.html` wants them; `active` is the key of the current one."""
    place = {"team": project.team.name, "project": project.name}
    return [{"label": label, "url": reverse(page, kwargs=place), "current": key == active} for key, label, page in TABS]


# The tabs of a run: what the address has behind the run's, and how much there is of it.
RUN_TABS = (
    ("overview", _("Overview"), "projects:run"),
    ("charts", _("Charts"), "projects:run_charts"),
    ("system", _("System"), "projects:run_system"),
    ("logs", _("Logs"), "projects:run_logs"),
    ("files", _("Files"), "projects:run_files"),
)


@register.simple_tag
def run_tabs(run: Run, active: str = "") -> list[dict[str, Any]]:
    """The run's tabs, as `components/_tabs.html` wants them; its project and team must be loaded."""
    return [
        {"label": label, "url": reverse(page, kwargs=run.place), "current": key == active}
        for key, label, page in RUN_TABS
    ]


@register.simple_tag
def plotted_attributes(plotted: PlottedRun) -> SafeString:
    """What `static/js/workspace.js` has to know of a run, as attributes of its element."""
    run = plotted.run
    attributes = {
        "run": run.run_id,
        "name": run.display_name,
        "colour": plotted.colour,
        "started": f"{plotted.started:.3f}",
        "lines": run.history_lines,
        "system-lines": run.system_lines,
        "state": run.state,
    }
    return format_html_join(" ", 'data-{}="{}"', attributes.items())


@register.filter
def logged(value: object, digits: int = 10) -> str:
    """A logged value as people read it: so many significant digits, very long texts and lists cut, “–” for none."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        # Without separators: it may be a seed or a year. PostgreSQL gives 1e20 back as a long integer.
        return str(value) if abs(value) < 10**15 else f"{Decimal(value).normalize():.{digits}g}"
    if isinstance(value, float):
        return f"{value:.{digits}g}"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= TEXT_SHOWN else f"{text[: TEXT_SHOWN - 1]}…"


@register.filter
def printed(text: str) -> str:
    """A printed line without what is for terminals, cut if it is very long."""
    plain = FOR_TERMINALS.sub("", text)
    return plain if len(plain) <= TEXT_SHOWN else f"{plain[: TEXT_SHOWN - 1]}…"
