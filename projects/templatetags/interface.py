"""The small pieces pages are made of: icons, badges, times, counts, form rows."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import Any

from django import template
from django.forms import BaseForm, BoundField, CheckboxInput, CheckboxSelectMultiple, RadioSelect
from django.templatetags.static import static
from django.utils import formats, timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()

# Status → (icon, word). Colour alone never says it.
STATUSES = {
    "pending": ("clock", "Pending"),
    "running": ("play", "Running"),
    "finished": ("check", "Finished"),
    "failed": ("cross", "Failed"),
    "crashed": ("zap", "Crashed"),
    "killed": ("stop", "Killed"),
    "skipped": ("skip", "Skipped"),
    "shadow": ("eye", "Shadow"),
    "enabled": ("check", "Enabled"),
    "disabled": ("pause", "Disabled"),
}
TONES = {"killed": "skipped", "enabled": "finished", "disabled": "skipped"}
UNITS = (("d", 86_400), ("h", 3_600), ("min", 60))
WEEK = timedelta(days=7)


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """An icon of the sprite; `label` only where no text stands beside it."""
    href = f"{static('img/icons.svg')}#{name}"
    if label:
        return format_html('<svg class="icon" role="img" aria-label="{}"><use href="{}"></use></svg>', label, href)
    return format_html('<svg class="icon" aria-hidden="true"><use href="{}"></use></svg>', href)


@register.simple_tag
def status_badge(value: object, label: str = "") -> SafeString:
    """A status as icon and word, in its colour."""
    key = str(value).lower()
    name, word = STATUSES.get(key, ("info", str(value).capitalize()))
    return format_html(
        '<span class="badge {}">{}<span>{}</span></span>', TONES.get(key, key), icon(name), label or word
    )


@register.simple_tag
def ago(moment: datetime | None, none: str = "–") -> SafeString:
    """A time, relative up to seven days and then a date; the exact one with its zone on hover."""
    if moment is None:
        return format_html('<span class="none">{}</span>', none)
    local = timezone.localtime(moment)
    exact = f"{local:%Y-%m-%d %H:%M:%S} {local.tzname()}"
    return format_html('<time datetime="{}" title="{}">{}</time>', moment.isoformat(), exact, _relative(moment, local))


def _relative(moment: datetime, local: datetime) -> str:
    passed = timezone.now() - moment
    if passed < timedelta(0):
        return f"in {duration(-passed)}" if -passed < WEEK else formats.date_format(local, "j M Y")
    if passed < timedelta(seconds=10):
        return "just now"
    if passed < timedelta(minutes=1):
        return f"{int(passed.total_seconds())} s ago"
    if passed < WEEK:
        seconds = passed.total_seconds()
        unit, size = next((unit, size) for unit, size in UNITS if seconds >= size)
        return f"{int(seconds // size)} {unit} ago"
    return formats.date_format(local, "j M Y")


@register.filter
def duration(seconds: float | timedelta | None) -> str:
    """`12 ms`, `1.2 s`, `3 min`, `2 h 5 min`, `4 d`."""
    if seconds is None or seconds == "":
        return "–"
    value = seconds.total_seconds() if isinstance(seconds, timedelta) else float(seconds)
    if value < 1:
        return f"{math.ceil(value * 1000)} ms"
    if value < 60:
        return f"{value:.1f} s" if value < 10 else f"{value:.0f} s"
    if value < 3600:
        return f"{value / 60:.0f} min"
    if value < 86_400:
        hours, minutes = divmod(int(value // 60), 60)
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{value / 86_400:.0f} d"


@register.filter
def count(number: int | None) -> str:
    """A count with separators: 12,345."""
    return "–" if number is None else f"{number:,}"


@register.inclusion_tag("components/_field.html")
def field(field: BoundField, label: str = "", help: str = "") -> dict[str, Any]:
    """A form row: label, control, help and errors, tied together for screen readers."""
    return field_context(field, label=label, help=help)


def field_context(field: BoundField, *, label: str = "", help: str = "") -> dict[str, Any]:
    """What `components/_field.html` needs to know."""
    widget = field.field.widget
    described = [f"{field.auto_id}_help"] if (help or field.help_text) else []
    described += [f"{field.auto_id}_error"] if field.errors else []
    attributes: dict[str, Any] = {"aria-describedby": " ".join(described)} if described else {}
    if field.errors:
        attributes["aria-invalid"] = "true"
    grouped = isinstance(widget, RadioSelect | CheckboxSelectMultiple)
    return {
        "field": field,
        "label": label or field.label,
        "help": help or field.help_text,
        "hidden": widget.is_hidden,
        "checkbox": isinstance(widget, CheckboxInput),
        "grouped": grouped,
        "control": field.as_widget(attrs=attributes),
        "described": " ".join(described),
    }


@register.inclusion_tag("components/_form_errors.html")
def form_errors(form: BaseForm) -> dict[str, Any]:
    """What is wrong with a form as a whole."""
    return {"errors": form.non_field_errors()}
