"""The small pieces pages are made of: icons, statuses, times, durations, counts, form rows."""

from __future__ import annotations

import json
import math
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from django import template
from django.forms import BaseForm, BoundField, CheckboxInput
from django.templatetags.static import static
from django.utils import formats, timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from projects import scripttexts

register = template.Library()

# Words of statuses; each has an icon "status-…" of its own, because colour alone tells too little.
STATUSES = {
    "pending": gettext_lazy("Pending"),
    "running": gettext_lazy("Running"),
    "finished": gettext_lazy("Finished"),
    "failed": gettext_lazy("Failed"),
    "crashed": gettext_lazy("Crashed"),
    "killed": gettext_lazy("Killed"),
    "skipped": gettext_lazy("Skipped"),
    "shadow": gettext_lazy("Shadow"),
    "enabled": gettext_lazy("Enabled"),
    "disabled": gettext_lazy("Disabled"),
    "snoozed": gettext_lazy("Snoozed"),
}
# Of an amount of each unit: its seconds, and how it is written.
UNITS = (
    (86_400, gettext_lazy("%(number)s d")),
    (3_600, gettext_lazy("%(number)s h")),
    (60, gettext_lazy("%(number)s min")),
    (1, gettext_lazy("%(number)s s")),
)
RELATIVE_FOR = timedelta(days=7)


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """An icon of `static/img/icons.svg`. Give a `label` only where no text stands beside it."""
    if label:
        return format_html(
            '<svg class="icon" role="img" aria-label="{}"><use href="{}#{}"></use></svg>', label, _icons(), name
        )
    return _silent_icon(name)


# A list of automations has hundreds of icons: to look up the same address for each took a fifth of the page's time.
@cache
def _icons() -> str:
    return static("img/icons.svg")


@cache
def _silent_icon(name: str) -> SafeString:
    return format_html('<svg class="icon" aria-hidden="true"><use href="{}#{}"></use></svg>', _icons(), name)


@register.simple_tag
def status_badge(value: object, label: str = "") -> SafeString:
    """A status as icon and word in its colour; `label` says it in other words ("Would have fired")."""
    key = str(value).lower()
    picture = icon(f"status-{key}") if key in STATUSES else icon("info")
    word = label or STATUSES.get(key) or str(value).capitalize()
    return format_html('<span class="status {}">{}<span>{}</span></span>', key, picture, word)


@register.simple_tag
def status_mark(value: object) -> SafeString:
    """A status as its icon alone, with the word for who points at it or cannot see it; for narrow lists."""
    key = str(value).lower()
    word = STATUSES.get(key) or str(value).capitalize()
    return format_html(
        '<span class="status {}" title="{}">{}</span>', key, word, icon(f"status-{key}", label=str(word))
    )


@register.simple_tag
def ago(moment: datetime | None, none: str = "–") -> SafeString:
    """A time in words for up to seven days, then a date; the exact time with its zone on hover; `none` without one."""
    if moment is None:
        return format_html('<span class="none">{}</span>', none)
    local = timezone.localtime(moment)
    exact = f"{local:%Y-%m-%d %H:%M:%S} {local.tzname()}"
    return format_html('<time datetime="{}" title="{}">{}</time>', moment.isoformat(), exact, _in_words(local))


def _in_words(moment: datetime) -> str:
    passed = timezone.now() - moment
    if abs(passed) >= RELATIVE_FOR:
        return formats.date_format(moment, "DATE_FORMAT")
    seconds = int(abs(passed).total_seconds())
    if passed >= timedelta(0) and seconds < 10:
        return _("just now")
    if seconds == 0:
        return _("now")
    size, written = next(unit for unit in UNITS if seconds >= unit[0])
    amount = written % {"number": seconds // size}
    return (_("%(amount)s ago") if passed >= timedelta(0) else _("in %(amount)s")) % {"amount": amount}


@register.simple_tag
def script_texts(part: str) -> SafeString:
    """The attribute that hands the texts of `projects/scripttexts.py` to scripts."""
    texts = {name: str(text) for name, text in scripttexts.TEXTS[part].items()}
    return format_html('data-texts="{}"', json.dumps(texts, ensure_ascii=False))


@register.filter
def duration(seconds: float | timedelta | None) -> str:
    """A length of time for people: `12 ms`, `1.2 s`, `34 s`, `3 min`, `2 h 5 min`, `4 d 2 h`; “–” for none."""
    if seconds is None or seconds == "":
        return "–"
    value = seconds.total_seconds() if isinstance(seconds, timedelta) else float(seconds)
    if value < 0.9995:
        return f"{math.ceil(value * 1000)} ms"
    if value < 59.5:
        return _("%(number)s s") % {"number": f"{value:.1f}" if value < 9.95 else f"{value:.0f}"}
    minutes = round(value / 60)
    if minutes < 60:
        return _("%(number)s min") % {"number": minutes}
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        both = _("%(hours)s h %(minutes)s min") % {"hours": hours, "minutes": minutes}
        return both if minutes else _("%(number)s h") % {"number": hours}
    days, hours = divmod(hours, 24)
    both = _("%(days)s d %(hours)s h") % {"days": days, "hours": hours}
    return both if hours else _("%(number)s d") % {"number": days}


@register.filter
def count(number: int | None) -> str:
    """A count with separators: `12,345`; “–” for none."""
    return "–" if number is None else f"{number:,}"


@register.inclusion_tag("components/_field.html")
def field(field: BoundField, label: str = "", help: str = "") -> dict[str, Any]:
    """A row of a form: label, control, help and errors, tied together by ids for screen readers."""
    help_text = help or field.help_text
    described = [f"{field.auto_id}_helptext"] if help_text else []
    described += [f"{field.auto_id}_error"] if field.errors else []
    by = " ".join(described)
    return {
        "field": field,
        "label": label or field.label,
        "help": help_text,
        "checkbox": isinstance(field.field.widget, CheckboxInput),
        "control": field.as_widget(attrs={"aria-describedby": by} if by and not field.use_fieldset else None),
        "described_by": by,
    }


@register.inclusion_tag("components/_form_errors.html")
def form_errors(form: BaseForm) -> dict[str, Any]:
    """What is wrong with a form as a whole."""
    return {"errors": form.non_field_errors()}
