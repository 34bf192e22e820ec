"""What keeps an automation from working although it was sound when it was saved: the server's limits may have become
narrower since, or somebody wrote into the database by hand. It is said wherever the automation is shown."""

from __future__ import annotations

from django.utils.translation import gettext as _

from automations import templating
from automations.models import Automation
from automations.triggers import InvalidCondition, trigger_for


def problem_of(automation: Automation) -> str:
    """`cannot be evaluated: …` or `cannot be sent: …`, "" if nothing is wrong."""
    try:
        trigger_for(automation.event_type).compile(automation.condition, automation.filter)
    except InvalidCondition as error:
        return _("cannot be evaluated: %(message)s") % {"message": error.message}
    try:
        templating.parse(automation.payload or "{}")
    except templating.InvalidTemplate as error:
        return _("cannot be sent: %(error)s") % {"error": error}
    return ""
