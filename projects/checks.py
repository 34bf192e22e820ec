from typing import Any

from django.core.checks import CheckMessage, Error, register

from projects.events import announced


@register()
def announcements_are_heard(**kwargs: Any) -> list[CheckMessage]:
    """Without a listener every event would be lost in silence, so the server does not start."""
    if announced.receivers:
        return []
    return [
        Error(
            "Nobody is connected to projects.events.announced: events would be lost.",
            hint="Add 'automations' to INSTALLED_APPS.",
            id="projects.E001",
        )
    ]
