"""The audit log in words. Records hold names of deeds, kinds and fields, which are English; people read them here."""

from __future__ import annotations

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from projects.audit import Deed
from projects.models import AuditRecord

SENTENCES = {
    Deed.CREATED: gettext_lazy("created {kind} {name}"),
    Deed.CHANGED: gettext_lazy("changed {kind} {name}"),
    Deed.DELETED: gettext_lazy("deleted {kind} {name}"),
    Deed.ENABLED: gettext_lazy("enabled {kind} {name}"),
    Deed.DISABLED: gettext_lazy("disabled {kind} {name}"),
    Deed.MADE_LIVE: gettext_lazy("made live {kind} {name}"),
    Deed.REHEARSED: gettext_lazy("put into shadow mode {kind} {name}"),
    Deed.REARMED: gettext_lazy("re-armed {kind} {name}"),
    Deed.RESTORED: gettext_lazy("restored {kind} {name}"),
    Deed.RESUMED: gettext_lazy("resumed {kind} {name}"),
    Deed.SNOOZED: gettext_lazy("snoozed {kind} {name}"),
    Deed.WOKEN: gettext_lazy("ended the snooze of {kind} {name}"),
    Deed.PROBED: gettext_lazy("had tried at once {kind} {name}"),
    Deed.BREAKER_CLOSED: gettext_lazy("closed the breaker of {kind} {name}"),
    Deed.ROTATED: gettext_lazy("rotated {kind} {name}"),
    Deed.ENDED: gettext_lazy("ended the old value of {kind} {name}"),
    Deed.REVOKED: gettext_lazy("revoked {kind} {name}"),
    Deed.ADDED: gettext_lazy("added {kind} {name}"),
    Deed.REMOVED: gettext_lazy("removed {kind} {name}"),
    Deed.ACCEPTED: gettext_lazy("accepted {kind} {name}"),
    Deed.CLOSED: gettext_lazy("closed {kind} {name}"),
    Deed.ASKED: gettext_lazy("asked for {kind} {name}"),
    Deed.CANCELLED: gettext_lazy("cancelled {kind} {name}"),
}
# For the catalogue. Applications have such a list beside their kinds.
WORDS = (
    gettext_noop("member"),
    gettext_noop("organization member"),
    gettext_noop("team"),
    gettext_noop("organization"),
    gettext_noop("project"),
    gettext_noop("API key"),
    gettext_noop("service account"),
    gettext_noop("invitation"),
    gettext_noop("admin page"),
    gettext_noop("role"),
    gettext_noop("name"),
    gettext_noop("members edit automations"),
    gettext_noop("language"),
    gettext_noop("holder"),
    gettext_noop("invited by"),
    gettext_noop("change"),
)


def of_kind(name: str) -> str:
    """What things of a kind are called."""
    return _(name)


def sentence(record: AuditRecord) -> SafeString:
    """What somebody did, without who: “rotated secret **TOKEN**”."""
    values = {"kind": of_kind(record.kind), "name": format_html("<b>{}</b>", record.object_name)}
    return format_html(str(SENTENCES[Deed(record.deed)]), **values)
