"""What pages say about how things fare, and about notices of that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django import template
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from automations.models import Health, Notice, NoticeKind
from projects.templatetags.interface import status_badge

if TYPE_CHECKING:
    from django.utils.safestring import SafeString

register = template.Library()

# The status whose icon and colour say the same.
LOOKS = {
    Health.NEVER_USED: "disabled",
    Health.HEALTHY: "finished",
    Health.FAILING: "failed",
    Health.BREAKER_OPEN: "pending",
    Health.PAUSED: "skipped",
}
LOOKS_OF_NOTICES = {
    NoticeKind.FAILING: ("failed", gettext_noop("Failing")),
    NoticeKind.BROKEN: ("failed", gettext_noop("Needs an admin")),
    NoticeKind.BREAKER_OPEN: ("pending", gettext_noop("Breaker open")),
    NoticeKind.PAUSED: ("skipped", gettext_noop("Paused")),
}


@register.simple_tag
def health_badge(health: Health) -> SafeString:
    """How something fares, as icon and word."""
    return status_badge(LOOKS[health], str(health.label))


@register.simple_tag
def notice_badge(notice: Notice) -> SafeString:
    """What a notice tells, as icon and word; once that is over, that it is."""
    if not notice.is_open:
        return status_badge("finished", _("Over"))
    status, word = LOOKS_OF_NOTICES[NoticeKind(notice.kind)]
    return status_badge(status, _(word))


@register.filter
def subject_address(notice: Notice) -> str:
    """The page on which what it is about can be put right."""
    if notice.automation is not None:
        return notice.automation.get_absolute_url()
    assert notice.team is not None  # integrations belong to one
    section = "webhooks" if notice.webhook_id is not None else "slack"
    return f"{reverse('team_settings', args=[notice.team.name])}#{section}"
