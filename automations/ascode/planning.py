"""What applying a text would do: compared with what is there, and checked like any edit, without changing anything."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError

from automations import backtest, differences, disclosure, editing, sentences, versions
from automations.access import WITH_SCOPES, Scope, require_edit
from automations.ascode import declared, naming
from automations.ascode.declared import DEFAULTS, Declaration, Declared
from automations.ascode.exporting import document_of
from automations.ascode.forecast import Forecast, Forecaster
from automations.ascode.naming import Named
from automations.editing import Draft
from automations.models import Automation
from automations.models.automation import TARGETS

if TYPE_CHECKING:
    from projects.models import User

# What changes when an automation fires; its name and its message do not.
DECIDING = ("event_type", "condition", "filter", "enabled")


class Deed(StrEnum):
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


@dataclass(slots=True)
class PlannedChange:
    """One automation that applying would create, update or delete."""

    deed: Deed
    scope_name: Named
    scope: Scope
    name: str
    automation: Automation | None = None
    draft: Draft | None = None
    summary_before: str = ""
    summary_after: str = ""
    differences: list[differences.Change] = field(default_factory=list)
    fired_before: Forecast | None = None
    fired_after: Forecast | None = None


@dataclass(slots=True)
class Plan:
    """All that applying a text would change; `unchanged` counts the automations that are as the text has them."""

    changes: list[PlannedChange] = field(default_factory=list)
    unchanged: int = 0

    def count(self, deed: Deed) -> int:
        return sum(change.deed is deed for change in self.changes)


@dataclass(slots=True)
class _World:
    """What there is of what a text names, as the user sees it."""

    scopes: dict[Named, Scope]
    targets: dict[Named, object]
    automations: dict[tuple[Named, str], Automation]
    hidden: set[int]


def plan(text: str, *, by: User, prune: bool = False, at: datetime | None = None) -> Plan:
    """What applying the text would do. With `prune`, automations of the scopes it names that are not in it are deleted.
    With a time, each change also says how often it would have fired in the 30 days before that.

    Raises:
        UnreadableText: it is no YAML.
        ValidationError: by path; everything that is wrong with it.
        Http404, PermissionDenied: the user may not change automations of a scope that would change.
    """
    declaration = declared.read(text)
    world = _look_up(declaration, by=by)
    made = Plan()
    for one in declaration.automations:
        current, draft = world.automations.get((one.scope, one.name)), _draft(one, world)
        if current and not versions.changes(current, editing.stored(draft)):
            made.unchanged += 1
        elif _fits(draft, one, declaration, world, by=by):
            made.changes.append(_change(one, draft, world))
    declaration.raise_problems()
    if prune:
        made.changes += _deletions(declaration, world, by=by)
    if at is not None:
        _look_ahead(made, Forecaster(by, at))
    return made


def _look_up(declaration: Declaration, *, by: User) -> _World:
    scopes = naming.scopes_named(declaration.scopes, user=by)
    for scope, path in declaration.scopes.items():
        if scope not in scopes:
            declaration.refuse(path, naming.unknown(*scope))
    targets = naming.targets_named(
        [
            (field, one.fields[field])
            for one in declaration.automations
            for field in naming.TARGETS
            if one.fields.get(field)
        ],
        user=by,
    )
    for one in declaration.automations:
        for field_name in naming.TARGETS:
            name = one.fields.get(field_name)
            if name and (field_name, name) not in targets:
                declaration.refuse((*one.path, field_name), naming.unknown(field_name, name))
    declaration.raise_problems()
    rows = Automation.objects.visible_to(by).filter(naming.in_scopes(scopes.values())).select_related(*WITH_SCOPES)
    automations = {(naming.name_of(automation), automation.name): automation for automation in rows}
    return _World(scopes, dict(targets), automations, disclosure.hidden_targets(by, automations.values()))


def _fits(draft: Draft, one: Declared, declaration: Declaration, world: _World, *, by: User) -> bool:
    """Whether the draft passes the checks of an edit; if not, what is wrong is noted."""
    current = world.automations.get((one.scope, one.name))
    try:
        editing.check(draft, scope=world.scopes[one.scope], by=by, automation=current)
    except ValidationError as error:
        for name, messages in error.message_dict.items():
            declaration.refuse((*one.path, *name.split(".")), " ".join(messages))
        return False
    return True


def _change(one: Declared, draft: Draft, world: _World) -> PlannedChange:
    """What has to be done to make an automation what is declared."""
    current, scope = world.automations.get((one.scope, one.name)), world.scopes[one.scope]
    after = editing.unsaved(draft, scope=scope)
    change = PlannedChange(Deed.CREATE, one.scope, scope, one.name, draft=draft)
    if current is None:
        change.summary_after = sentences.summary(after)
        return change
    hidden = current.pk in world.hidden
    kept_hidden = hidden and after.target == current.target
    change.deed, change.automation = Deed.UPDATE, current
    change.summary_before = sentences.summary(current, target_hidden=hidden)
    change.summary_after = sentences.summary(after, target_hidden=kept_hidden)
    documents = document_of(current, target_hidden=hidden), document_of(after, target_hidden=kept_hidden)
    change.differences = differences.between(*documents)
    return change


def _draft(one: Declared, world: _World) -> Draft:
    """What is declared as a draft. A target that is hidden from the user cannot be named, and so stays."""
    current = world.automations.get((one.scope, one.name))
    fields = DEFAULTS | one.fields
    for field_name in TARGETS.values():
        name = fields[field_name]
        fields[field_name] = world.targets[field_name, name] if name else None
        keeps = current is not None and current.pk in world.hidden and fields["action_kind"] == current.action_kind
        if keeps and not name:
            fields[field_name] = getattr(current, field_name)
    return Draft(**fields)


def _deletions(declaration: Declaration, world: _World, *, by: User) -> Iterator[PlannedChange]:
    declared_names = {(one.scope, one.name) for one in declaration.automations}
    for (scope_name, name), automation in sorted(world.automations.items()):
        if (scope_name, name) in declared_names:
            continue
        scope = world.scopes[scope_name]
        require_edit(by, scope)
        yield PlannedChange(
            Deed.DELETE,
            scope_name,
            scope,
            name,
            automation=automation,
            summary_before=sentences.summary(automation, target_hidden=automation.pk in world.hidden),
        )


def _look_ahead(made: Plan, forecaster: Forecaster) -> None:
    """Forecast all that would change, in one turn; if there is no room for it, the changes say so instead."""
    try:
        with backtest.turn():
            _forecast(made, forecaster)
    except backtest.ReplaysAreRunning as error:
        unknown = Forecast(None, (str(error),))
        for change in made.changes:
            change.fired_before = unknown if change.automation else None
            change.fired_after = unknown if change.draft else None


def _forecast(made: Plan, forecaster: Forecaster) -> None:
    for change in made.changes:
        before = change.automation
        after = editing.unsaved(change.draft, scope=change.scope) if change.draft else None
        if before is not None:
            change.fired_before = forecaster.firings(before)
        if before is not None and after is not None and _decides_alike(before, after):
            change.fired_after = change.fired_before
        elif after is not None:
            change.fired_after = forecaster.firings(after)


def _decides_alike(before: Automation, after: Automation) -> bool:
    return all(getattr(before, name) == getattr(after, name) for name in DECIDING)
