"""Going back to an old version of an automation: an edit like any other, which makes a new version."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from automations import disclosure, editing, versions
from automations.access import Scope, require_edit
from automations.models import Automation, AutomationVersion, SlackChannel, Webhook
from projects.audit import Deed
from projects.models import Team, User

TARGETS: dict[str, tuple[type[Webhook | SlackChannel], str]] = {
    "webhook": (Webhook, gettext_noop("webhook")),
    "slack_channel": (SlackChannel, gettext_noop("Slack channel")),
}


def restore(version: AutomationVersion, *, by: User) -> Automation:
    """Make the automation what it was in this version. Whether it is enabled stays as it is.

    Raises:
        ValidationError: by field; also if the webhook, Slack channel or scope of then is gone.
        Http404, PermissionDenied: the user may not edit it; or it was deleted meanwhile.
    """
    automation = version.automation
    # Who may not edit it is not told what has become of its webhook.
    require_edit(by, automation.scope)
    # What a rule has learned to say since then stays as it is.
    fields = {name: version.rule[name] for name in versions.FIELDS if name in version.rule}
    targets = {field: _target(version, field, by=by) for field in TARGETS}
    return editing.change(automation, by=by, scope=_scope(version, by=by), deed=Deed.RESTORED, **fields, **targets)


def _target(version: AutomationVersion, field: str, *, by: User) -> Webhook | SlackChannel | None:
    key = version.rule[f"{field}_id"]
    if key is None:
        return None
    model, word = TARGETS[field]
    found: Webhook | SlackChannel | None = model.objects.select_related("team").filter(pk=key).first()
    if found is None:
        known = Team.objects.visible_to(by).filter(pk=version.rule[f"{field}_team"]).exists()
        named = f"{_(word)} {version.rule[field]}" if known else _(word)
        reason = _("Version %(number)s cannot be restored: its %(named)s was deleted. Edit the automation instead.") % {
            "number": version.number,
            "named": named,
        }
        raise ValidationError({field: reason})
    return found


def _scope(version: AutomationVersion, *, by: User) -> Scope:
    scope: dict[str, Any] = version.rule["scope"]
    found: Scope | None = disclosure.SCOPES[scope["kind"]].objects.visible_to(by).filter(pk=scope["id"]).first()
    if found is None:
        raise ValidationError(
            {
                "scope": _(
                    "Version %(number)s cannot be restored: it covered something that is gone, or that you may not see."
                )
                % {"number": version.number}
            }
        )
    return found
