"""Automations as code: written as YAML with names instead of ids, compared with what is there, and applied.

`exporting` writes them; `declared` reads them; `planning` says what applying would change, and `applying` does it.
`docs/as-code.md` is the page for people.
"""

from automations.ascode.applying import apply
from automations.ascode.declared import InvalidDeclaration
from automations.ascode.exporting import export, scopes_asked
from automations.ascode.planning import Plan, plan
from automations.ascode.wording import text_of
from automations.ascode.yamltext import UnreadableText

__all__ = ["InvalidDeclaration", "Plan", "UnreadableText", "apply", "export", "plan", "scopes_asked", "text_of"]
