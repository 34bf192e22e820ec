"""From a JSON document to a tree of clauses, refusing with a sentence whatever could never work."""

import difflib
from collections.abc import Callable

from automations.filters.clauses import All, AnyOf, Clause, Node, NoneOf
from automations.filters.fields import Fields, InvalidFilter, Kind, Reading, find
from automations.filters.operators import OPERATORS
from automations.filters.wanted import Patterns, check_text
from automations.filters.wording import show
from automations.words import gettext as _
from automations.words import gettext_noop

MAX_DEPTH = 20
MAX_OPERATORS = 500

JOINTS: dict[str, Callable[[tuple[Node, ...]], Node]] = {"$and": All, "$or": AnyOf, "$nor": NoneOf}
_NAMES = [*JOINTS, "$not", *OPERATORS]
_KINDS_IN_WORDS = {
    Kind.TEXT: gettext_noop("holds text"),
    Kind.NUMBER: gettext_noop("holds a number"),
    Kind.TEXTS: gettext_noop("holds a list of text"),
    Kind.ANY: gettext_noop("may hold anything"),
}


class Parser:
    """Reads one document; the operators and patterns met so far are its only state."""

    def __init__(self, fields: Fields) -> None:
        self.fields = fields
        self.operators = 0
        self.patterns = Patterns()

    def parse(self, document: object) -> Node:
        return self._conditions(document, "", depth=1)

    def _conditions(self, value: object, path: str, *, depth: int) -> Node:
        """An object whose keys are fields or logical operators, all of which must hold."""
        if not isinstance(value, dict):
            raise InvalidFilter(
                path, _('A condition is an object like {"field": value}, not %(value)s.') % {"value": show(value)}
            )
        if depth > MAX_DEPTH:
            raise InvalidFilter(
                path,
                _("Conditions may be nested %(most_depth)s deep at most; flatten them.") % {"most_depth": MAX_DEPTH},
            )
        nodes = []
        for key, wanted in value.items():
            if not isinstance(key, str):
                raise InvalidFilter(path, _("Keys are text; %(key)s is not.") % {"key": show(key)})
            place = f"{path}.{key}" if path else key
            nodes.append(
                self._logical(key, wanted, place, depth=depth)
                if key.startswith("$")
                else self._on_field(key, wanted, place, depth=depth)
            )
        return nodes[0] if len(nodes) == 1 else All(tuple(nodes))

    def _logical(self, name: str, value: object, path: str, *, depth: int) -> Node:
        self._count(path)
        if name == "$not":
            return NoneOf((self._conditions(value, path, depth=depth + 1),))
        if name not in JOINTS:
            if name in OPERATORS:
                raise InvalidFilter(
                    path,
                    _('%(name)s compares a field: write {"field": {"%(name2)s": …}}.') % {"name": name, "name2": name},
                )
            raise _unknown_operator(name, path)
        if not isinstance(value, list):
            raise InvalidFilter(
                path,
                _("%(name)s takes a list of conditions in brackets, not %(value)s.")
                % {"name": name, "value": show(value)},
            )
        if len(value) > MAX_OPERATORS:
            raise InvalidFilter(
                path,
                _("%(name)s takes at most %(most_operators)s conditions.")
                % {"name": name, "most_operators": MAX_OPERATORS},
            )
        children = [self._conditions(one, f"{path}[{index}]", depth=depth + 1) for index, one in enumerate(value)]
        return JOINTS[name](tuple(children))

    def _on_field(self, name: str, value: object, path: str, *, depth: int) -> Node:
        reading = find(self.fields, check_text(name, path), path=path)
        if not isinstance(value, dict):
            return self._clause(reading, "$eq", value, path)
        return self._comparisons(reading, value, path, depth=depth + 1)

    def _comparisons(self, reading: Reading, value: object, path: str, *, depth: int) -> Node:
        """An object of operators on one field, all of which must hold."""
        if depth > MAX_DEPTH:
            raise InvalidFilter(
                path,
                _("Conditions may be nested %(most_depth)s deep at most; flatten them.") % {"most_depth": MAX_DEPTH},
            )
        if not isinstance(value, dict) or not value:
            raise InvalidFilter(
                path, _('This takes operators such as {"$eq": value}, not %(value)s.') % {"value": show(value)}
            )
        nodes: list[Node] = []
        for name, wanted in value.items():
            place = f"{path}.{name}"
            if name == "$not":
                self._count(place)
                nodes.append(NoneOf((self._comparisons(reading, wanted, place, depth=depth + 1),)))
            else:
                nodes.append(self._clause(reading, name, wanted, place))
        return nodes[0] if len(nodes) == 1 else All(tuple(nodes))

    def _clause(self, reading: Reading, name: str, value: object, path: str) -> Clause:
        self._count(path)
        if name not in OPERATORS:
            raise _unknown_operator(name, path)
        operator = OPERATORS[name]
        kind = reading.field.kind
        if kind not in operator.kinds:
            usable = " ".join(one.name for one in OPERATORS.values() if kind in one.kinds)
            raise InvalidFilter(
                path,
                _("%(name)s does not fit %(name2)s, which %(value)s; use one of %(usable)s.")
                % {"name": name, "name2": reading.name, "value": _(_KINDS_IN_WORDS[kind]), "usable": usable},
            )
        if name == "$regex":
            self.patterns.announce(value, path)
        wanted = operator.check(value, reading.field, path)
        if name == "$regex":
            self.patterns.add(wanted, path)
        return Clause(path, reading, operator, wanted, operator.build(wanted))

    def _count(self, path: str) -> None:
        self.operators += 1
        if self.operators > MAX_OPERATORS:
            raise InvalidFilter(
                path,
                _("A condition may have at most %(most_operators)s operators.") % {"most_operators": MAX_OPERATORS},
            )


def _unknown_operator(name: object, path: str) -> InvalidFilter:
    if name == "$options":
        return InvalidFilter(path, _("There is no $options; write (?i) in front of the pattern to ignore case."))
    near = difflib.get_close_matches(name[:40], _NAMES, n=1) if isinstance(name, str) else []
    told = {"name": show(name, 40), "known": " ".join(_NAMES), "near": near[0] if near else ""}
    if not near:
        return InvalidFilter(path, _("There is no operator %(name)s. The operators are %(known)s.") % told)
    return InvalidFilter(
        path, _("There is no operator %(name)s. Did you mean %(near)s? The operators are %(known)s.") % told
    )
