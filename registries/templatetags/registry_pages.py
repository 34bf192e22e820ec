"""What templates of a registry's pages need beyond their context."""

from __future__ import annotations

from typing import Any

from django import template
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from registries.models import Registry

register = template.Library()

# The tabs of a registry; those of automations are known by the names of their addresses only.
TABS = (
    ("collections", _("Collections"), "registries:registry"),
    ("automations", _("Automations"), "automations:registry_automations"),
    ("history", _("History"), "automations:registry_history"),
)


@register.simple_tag
def registry_tabs(registry: Registry, active: str = "") -> list[dict[str, Any]]:
    """The registry's tabs, as `components/_tabs.html` wants them; `active` is collections, automations or history."""
    place = {"organization": registry.organization.name, "registry": registry.name}
    return [{"label": label, "url": reverse(page, kwargs=place), "current": key == active} for key, label, page in TABS]
