"""Automations as text: the same automations give the same bytes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError

from automations import disclosure, versions
from automations.access import WITH_SCOPES
from automations.ascode import naming, yamltext
from automations.ascode.declared import KEYS, fields_to_write
from automations.ascode.naming import Named
from automations.models import Automation
from automations.models.version import SWITCHES

if TYPE_CHECKING:
    from projects.models import User


def export(*, by: User, scopes: Sequence[Named] = ()) -> str:
    """What the user may see of the automations of these scopes, or of all, as YAML: scopes by kind and name, and
    automations by name. The target of a hidden team is left out, which `plan` takes for “as it is”.

    Raises:
        ValidationError: there is no such scope that the user may see.
    """
    visible = Automation.objects.visible_to(by).select_related(*WITH_SCOPES)
    if scopes:
        known = naming.scopes_named(scopes, user=by)
        missing = [naming.unknown(*scope) for scope in scopes if scope not in known]
        if missing:
            raise ValidationError({"scope": missing})
        visible = visible.filter(naming.in_scopes(known.values()))
    found = sorted(visible, key=lambda automation: automation.name)
    hidden = disclosure.hidden_targets(by, found)
    named: dict[Named, list[dict[str, Any]]] = {scope: [] for scope in scopes}
    for automation in found:
        document = document_of(automation, target_hidden=automation.pk in hidden)
        fields = {key: ordered(document[key]) for key in KEYS}
        named.setdefault(naming.name_of(automation), []).append(fields_to_write(fields))
    kinds = list(naming.SCOPES)
    in_order = sorted(named, key=lambda scope: (kinds.index(scope[0]), scope[1]))
    return yamltext.write({kind: name, "automations": named[kind, name]} for kind, name in in_order)


def scopes_asked(words: Iterable[str]) -> list[Named]:
    """`project:research/digits` as kind and name.

    Raises:
        ValidationError: one is not written that way.
    """
    scopes = []
    for asked in words:
        kind, _, name = asked.partition(":")
        if kind not in naming.SCOPES or not name or "\x00" in name:
            kinds = ", ".join(naming.SCOPES)
            raise ValidationError({"scope": f"“{asked[:200]}” is no scope. Write KIND:NAME, with a KIND of {kinds}."})
        scopes.append((kind, name))
    return scopes


def document_of(automation: Automation, *, target_hidden: bool) -> dict[str, Any]:
    """The rule with what is switched, as a reader may know it."""
    document = versions.document_of(automation) | {name: getattr(automation, name) for name in SWITCHES}
    return document | {"webhook": None, "slack_channel": None} if target_hidden else document


def ordered(value: Any) -> Any:
    """The value with keys in alphabetical order: databases keep no other."""
    if isinstance(value, dict):
        return {key: ordered(value[key]) for key in sorted(value)}
    return [ordered(item) for item in value] if isinstance(value, list) else value
