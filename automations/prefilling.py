"""The payload of an execution as text for somebody to edit: filled in as it was, with secrets by their names."""

from __future__ import annotations

import json

from automations import preview, templating
from automations.documents import default_document
from automations.models import Execution
from automations.redaction import MASK
from automations.variables import values_of

# What looks like a variable in a value is none, and must not become one because somebody edits what is around it.
VARIABLE, HARMLESS = "${", "$ {"


def payload_to_edit(execution: Execution) -> str:
    """The payload, indented; "" where none can be made.

    It is rendered once more when it is sent: so a run that is called `${ACCESS_TOKEN}` is written `$ {ACCESS_TOKEN}`,
    lest its name become the secret.
    """
    try:
        body = _body(execution)
    except (templating.InvalidTemplate, templating.RenderedTooLarge):
        return ""
    return json.dumps(json.loads(body), indent=2, ensure_ascii=False)


def _body(execution: Execution) -> str:
    if execution.payload and MASK not in execution.payload:
        return execution.payload.replace(VARIABLE, HARMLESS)
    text = str(execution.rule.get("payload", ""))
    if not text.strip():
        return (
            default_document(execution.event, execution.rule, execution=execution).decode().replace(VARIABLE, HARMLESS)
        )
    values = values_of(execution.event, execution.rule)
    names = {name: f"${{{name}}}" for name in preview.secret_names(execution.webhook)}
    harmless = {name: value.replace(VARIABLE, HARMLESS) for name, value in values.items()}
    return templating.parse(text).render(harmless | names).decode()
