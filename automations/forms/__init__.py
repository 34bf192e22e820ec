"""The forms by which people write automations: three steps, and the answers they are filled from."""

from automations.forms.action import ActionForm, NameForm
from automations.forms.event import EventForm, answers_of

__all__ = ["ActionForm", "EventForm", "NameForm", "answers_of"]
