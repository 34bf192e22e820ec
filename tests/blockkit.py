"""What Slack takes of a message in Block Kit, by https://docs.slack.dev/reference/block-kit/blocks."""

from __future__ import annotations

from typing import Any

MOST_BLOCKS = 50
LONGEST_MESSAGE = 40_000
LONGEST_SECTION = 3_000
LONGEST_FIELD = 2_000
MOST_FIELDS = 10
LONGEST_HEADER = 150
MOST_ACTIONS = 25
MOST_CONTEXT = 10
LONGEST_LABEL = 75
LONGEST_URL = 3_000


def problem(message: dict[str, Any]) -> str:
    """Slack's word for what is wrong with the message, or nothing."""
    text, blocks = message.get("text", ""), message.get("blocks") or []
    if not text and not blocks:
        return "no_text"
    if len(text) > LONGEST_MESSAGE:
        return "msg_too_long"
    if len(blocks) > MOST_BLOCKS or not all(_fits(block) for block in blocks):
        return "invalid_blocks"
    return ""


def _fits(block: dict[str, Any]) -> bool:
    match block.get("type"):
        case "section":
            return _section(block)
        case "header":
            return block["text"]["type"] == "plain_text" and _text(block["text"], LONGEST_HEADER)
        case "actions":
            elements = block.get("elements", [])
            return 1 <= len(elements) <= MOST_ACTIONS and all(_button(element) for element in elements)
        case "context":
            elements = block.get("elements", [])
            return 1 <= len(elements) <= MOST_CONTEXT and all(_text(element, LONGEST_SECTION) for element in elements)
        case "divider":
            return True
    return False


def _section(block: dict[str, Any]) -> bool:
    fields = block.get("fields")
    if "text" not in block and not fields:
        return False
    fit = "text" not in block or _text(block["text"], LONGEST_SECTION)
    few = fields is None or 1 <= len(fields) <= MOST_FIELDS
    return fit and few and all(_text(field, LONGEST_FIELD) for field in fields or [])


def _button(element: dict[str, Any]) -> bool:
    label = element.get("text", {})
    fits = label.get("type") == "plain_text" and _text(label, LONGEST_LABEL)
    return element.get("type") == "button" and fits and len(element.get("url", "")) <= LONGEST_URL


def _text(text: dict[str, Any], longest: int) -> bool:
    return text.get("type") in {"plain_text", "mrkdwn"} and 1 <= len(text.get("text", "")) <= longest
