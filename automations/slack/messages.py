"""A Slack message in Block Kit (SL2): what happened, the facts, what the author of the automation says, and links.

Whatever comes from outside is escaped, so that nobody can ping a channel by the name of a run.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from automations import subjects, templating
from automations.documents import absolute
from automations.models import Event, Execution, Severity
from automations.records import in_english
from automations.variables import told_of

# What Slack takes of each part, in characters.
LONGEST_TITLE = 200
LONGEST_TEXT = 2_900
LONGEST_FACT = 1_000
MOST_FACTS = 10
SIGNS = {
    Severity.INFO.value: ":information_source:",
    Severity.WARN.value: ":warning:",
    Severity.ERROR.value: ":rotating_light:",
}
# What is told of an event beside where it happened and who did it: a variable and its word.
FACTS = {
    "metric_current_status": gettext_noop("Metric"),
    "alias": gettext_noop("Alias"),
    "tag": gettext_noop("Tag"),
    "alert_level": gettext_noop("Level"),
    "silent_for": gettext_noop("Silent for"),
}


@dataclass(frozen=True, slots=True)
class Message:
    """What is posted, in plain text: nothing is escaped yet. `text` may be empty; `links` are labels and addresses."""

    severity: str
    title: str
    happened: str
    facts: Mapping[str, str]
    text: str
    links: Mapping[str, str]

    def fallback(self) -> str:
        """What notifications and old clients show."""
        return fitted(f"{self.severity}: {self.title} – {self.happened}", LONGEST_TEXT)

    def blocks(self) -> list[dict[str, Any]]:
        """The message as Slack lays it out."""
        head = f"{SIGNS[self.severity]} *{fitted(self.title, LONGEST_TITLE)}*\n{fitted(self.happened, LONGEST_FACT)}"
        blocks: list[dict[str, Any]] = [{"type": "section", "text": _marked(head)}]
        facts = [_marked(f"*{fitted(name, 40)}*\n{fitted(value, LONGEST_FACT)}") for name, value in self.facts.items()]
        blocks.append({"type": "section", "fields": facts[:MOST_FACTS]})
        if self.text:
            blocks.append({"type": "section", "text": _marked(fitted(self.text, LONGEST_TEXT))})
        buttons = [_button(label, address) for label, address in self.links.items()]
        if buttons:
            blocks.append({"type": "actions", "elements": buttons})
        return blocks


def message_of(event: Event, rule: Mapping[str, Any], *, because: str, execution: Execution | None = None) -> Message:
    """What an automation says about an event; `because` is why its condition held.

    Raises:
        InvalidTemplate, RenderedTooLarge: title and text cannot be rendered.
    """
    values = told_of(event, rule)
    title, text = rendered([rule.get("title", ""), rule.get("message", "")], values)
    kind, name = subjects.kind_of(event), subjects.name_of(event)
    facts = {
        kind: name,
        _("Registry") if event.registry_id and not event.run_id else _("Project"): (
            f"{values['entity_name']}/{values['project_name']}"
        ),
        _("By"): values["event_author"],
        _("State"): subjects.state_of(event),
        **{_(word): values.get(variable, "") for variable, word in FACTS.items()},
    }
    links = {_opening(event): subjects.address_of(event)}
    links[_("Open execution")] = execution.get_absolute_url() if execution else ""
    return Message(
        severity=rule.get("severity") or Severity.INFO.value,
        title=title.strip() or str(rule["name"]),
        happened=_("%(kind)s %(name)s: %(reason)s.") % {"kind": kind, "name": name, "reason": because},
        facts={word: value for word, value in facts.items() if value},
        text=text.strip() or values.get("alert_text", ""),
        links={label: absolute(path) for label, path in links.items() if path},
    )


def _opening(event: Event) -> str:
    if "version" in event.details:
        return _("Open version")
    return _("Open collection") if "collection" in event.details else _("Open run")


def check(title: str, message: str) -> None:
    """Refuse what is no template.

    Raises:
        InvalidTemplate: with a sentence.
    """
    templating.parse(json.dumps([title, message]))


@in_english
def rendered(texts: list[str], values: Mapping[str, str]) -> list[str]:
    """Texts with their variables filled in.

    Raises:
        InvalidTemplate, RenderedTooLarge: with a sentence that the history keeps.
    """
    filled: list[str] = json.loads(templating.parse(json.dumps(texts)).render(values))
    return filled


def escaped(text: str) -> str:
    """Text that Slack shows as it is: its three control characters make links and pings otherwise."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def fitted(text: str, limit: int) -> str:
    """The text escaped, and cut to what Slack takes."""
    sizes = accumulate(len(escaped(letter)) for letter in text)
    length = next((index for index, size in enumerate(sizes) if size > limit), None)
    return escaped(text) if length is None else f"{escaped(text[:length])}…"


def _marked(text: str) -> dict[str, Any]:
    # Verbatim: Slack looks for no names in it that it would turn into pings.
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def _button(label: str, address: str) -> dict[str, Any]:
    return {"type": "button", "text": {"type": "plain_text", "text": label}, "url": address[:3_000]}
