"""System checks over settings that need the product's own rules to be judged."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from automations.addresses import Policy


@register()
def allowed_networks_can_be_read(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """WEBHOOK_ALLOWED_NETWORKS must parse: a typing error must be seen at the start, not at a delivery."""
    try:
        Policy.parse(settings.WEBHOOK_ALLOWED_NETWORKS)
    except ValueError as problem:
        return [Error(f"WEBHOOK_ALLOWED_NETWORKS cannot be used: {problem}", id="automations_site.E001")]
    return []
