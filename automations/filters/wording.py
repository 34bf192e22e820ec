"""How values read in sentences about conditions."""

import json
from typing import Any

from automations.words import gettext as _


def show(value: Any, limit: int = 80) -> str:
    """A value for people: text in quotes, long things cut short, never an error."""
    if isinstance(value, dict):
        return _("an object") if value else _("an empty object")
    if isinstance(value, list | tuple | set | frozenset):
        shown = ", ".join(show(one) for one in list(value)[:10])
        text = f"[{shown}{', …' if len(value) > 10 else ''}]"
    elif isinstance(value, str | bool | None):
        text = json.dumps(value[: limit + 1] if isinstance(value, str) else value, ensure_ascii=False)
    else:
        text = number_text(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def number_text(value: Any) -> str:
    """Digits of a number, also of one that Python refuses to spell out (many thousand digits)."""
    try:
        return str(value)
    except ValueError:
        return _("a number of many digits")


def bare(value: Any) -> str:
    """Like show, but a single word needs no quotes."""
    if isinstance(value, list):
        return ", ".join(bare(one) for one in value) or _("no values")
    if isinstance(value, str) and value.isprintable() and not any(c in " ,()\"'" for c in value) and value:
        return value if len(value) <= 200 else value[:199] + "…"
    return show(value, 200)
