"""The audit log in words, for templates."""

from __future__ import annotations

from django import template

from projects import auditwords

register = template.Library()
register.filter("what_was_done", auditwords.sentence)
register.filter("kind_in_words", auditwords.of_kind)
