"""How a page draws a text in Slack's markup."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django import template
from django.utils.html import format_html, format_html_join

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.utils.safestring import SafeString

    from automations.slack.drawing import Span

register = template.Library()

SHAPES = {"bold": "<b>{}</b>", "italic": "<i>{}</i>", "strike": "<s>{}</s>", "code": "<code>{}</code>", "": "{}"}


@register.simple_tag
def slack_text(spans: Iterable[Span]) -> SafeString:
    """The spans, one after the other, in their styles."""
    return format_html_join("", "{}", ((format_html(SHAPES[span.style], span.text),) for span in spans))
