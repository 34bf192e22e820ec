"""What a pattern of an automation's form matches now: names of the scope, judged by the language that judges events."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from automations import covering, filters
from automations.forms.conditions import PARTS
from automations.forms.filterfields import FILTER_FIELDS, listed
from automations.models import EventType
from automations.triggers import trigger_for
from projects.models import RunAlert
from registries.models import Alias, CollectionTag, Tag

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.utils.functional import _StrPromise

    from automations.access import Scope
    from projects.models import User
    from registries.models import Collection

# Names that are shown, and names that are looked at: the newest of them. Texts are longer, so fewer.
SHOWN = 8
LOOKED_AT = 5_000
TEXTS_LOOKED_AT = 500
ALERT_FIELDS = ("alert_title", "alert_text")
COLLECTION_TAGS = frozenset({EventType.ADD_COLLECTION_TAG, EventType.REMOVE_COLLECTION_TAG})


@dataclass(frozen=True, slots=True)
class Hits:
    """The first names that match, and how many of how many do; or what is wrong with the pattern."""

    sentence: str = ""
    names: tuple[str, ...] = ()
    more: int = 0
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Names:
    """Names of one kind, newest first, and how a sentence counts them. `column` holds what is compared, where that is
    not the name itself; `most` are looked at."""

    rows: Callable[[Scope, EventType, User], QuerySet[Any]]
    name: str
    counted: Callable[[int], str]
    none_yet: _StrPromise
    column: str = ""
    most: int = LOOKED_AT

    def pairs(self, scope: Scope, event_type: EventType, reader: User) -> list[tuple[str, str]]:
        """How each is called, and what is compared; one more than is looked at."""
        columns = [self.name, self.column] if self.column else [self.name]
        rows = self.rows(scope, event_type, reader).values_list(*columns)[: self.most + 1]
        return [(row[0], row[-1]) for row in rows]


def hits_in(answers: Mapping[str, list[str]], event_type: EventType, scope: Scope, *, reader: User) -> dict[str, Hits]:
    """By the name of the field, what each pattern that the form asks of this event matches. One query for each."""
    asked = _asked(answers, event_type)
    return {
        name: _hits(NAMES[name], {key: condition}, scope, event_type, reader)
        for name, (key, condition) in asked.items()
    }


def _asked(answers: Mapping[str, list[str]], event_type: EventType) -> dict[str, tuple[str, Any]]:
    """The fields that ask for something: the key they compare by, and the condition they stand for."""
    typed = {name: values[-1].strip() for name, values in answers.items() if values and values[-1].strip()}
    asked: dict[str, tuple[str, Any]] = {}
    for field in FILTER_FIELDS[event_type]:
        text = typed.get(field.name)
        if text and field.name in NAMES:
            asked[field.name] = (field.key, field.write(listed(text) if field.operator == "$in" else text))
    for part, name in PARTS.get(event_type, {}).items():
        if name in ALERT_FIELDS and name in typed:
            asked[name] = (part, {"$regex": typed[name]})
    return asked


def _hits(names: Names, document: Mapping[str, Any], scope: Scope, event_type: EventType, reader: User) -> Hits:
    (key,) = document
    fields = filters.ALERT_FIELDS if names.rows is _alerts else trigger_for(event_type).fields
    try:
        asked = filters.compile(document, fields=fields)
    except filters.InvalidFilter as error:
        return Hits(problem=error.message)
    found = names.pairs(scope, event_type, reader)
    looked_at = found[: names.most]
    if not looked_at:
        return Hits(str(names.none_yet))
    matching = [name for name, value in looked_at if asked.matches({key: value})]
    counts = {"matching": f"{len(matching):,}", "total": f"{len(looked_at):,}"}
    sentence = names.counted(len(looked_at)) % counts
    if len(found) > names.most:
        sentence = _("%(sentence)s Only the newest are looked at.") % {"sentence": sentence}
    return Hits(sentence, tuple(matching[:SHOWN]), max(0, len(matching) - SHOWN))


def _runs(scope: Scope, event_type: EventType, reader: User) -> QuerySet[Any]:
    return covering.runs_in(scope, reader=reader)


def _collections(scope: Scope, event_type: EventType, reader: User) -> QuerySet[Collection]:
    return covering.collections_in(scope, event_type, reader=reader).order_by("-pk")


def _aliases(scope: Scope, event_type: EventType, reader: User) -> QuerySet[Any]:
    """Each name once, wherever it is."""
    collections = _collections(scope, event_type, reader).order_by()
    return Alias.objects.filter(collection__in=collections).order_by("name").distinct()


def _tags(scope: Scope, event_type: EventType, reader: User) -> QuerySet[Any]:
    """Each name once: of collections as a whole, or of versions in them."""
    collections = _collections(scope, event_type, reader).order_by()
    if event_type in COLLECTION_TAGS:
        return CollectionTag.objects.filter(collection__in=collections).order_by("name").distinct()
    return Tag.objects.filter(artifact__memberships__collection__in=collections).order_by("name").distinct()


def _alerts(scope: Scope, event_type: EventType, reader: User) -> QuerySet[Any]:
    runs = covering.runs_in(scope, reader=reader).order_by()
    return RunAlert.objects.filter(run__in=runs).order_by("-raised_at", "-pk")


def _count_runs(total: int) -> str:
    return ngettext("Matches %(matching)s of %(total)s run.", "Matches %(matching)s of %(total)s runs.", total)


def _count_collections(total: int) -> str:
    return ngettext(
        "Matches %(matching)s of %(total)s collection.", "Matches %(matching)s of %(total)s collections.", total
    )


def _count_aliases(total: int) -> str:
    return ngettext("Matches %(matching)s of %(total)s alias.", "Matches %(matching)s of %(total)s aliases.", total)


def _count_tags(total: int) -> str:
    return ngettext("Matches %(matching)s of %(total)s tag.", "Matches %(matching)s of %(total)s tags.", total)


def _count_alerts(total: int) -> str:
    return ngettext("Matches %(matching)s of %(total)s alert.", "Matches %(matching)s of %(total)s alerts.", total)


NO_COLLECTIONS = gettext_lazy("There are no collections here yet.")
NO_ALERTS = gettext_lazy("No alert was raised here yet.")
ALIASES = Names(_aliases, "name", _count_aliases, gettext_lazy("There are no aliases here yet."))
# The fields of the form that are searched by: whose names they mean.
NAMES = {
    "run_name": Names(_runs, "display_name", _count_runs, gettext_lazy("There are no runs here yet.")),
    "collection_name": Names(_collections, "name", _count_collections, NO_COLLECTIONS),
    "artifact_type": Names(_collections, "name", _count_collections, NO_COLLECTIONS, column="type"),
    "alias_pattern": ALIASES,
    "aliases": ALIASES,
    "tag_pattern": Names(_tags, "name", _count_tags, gettext_lazy("There are no tags here yet.")),
    "alert_title": Names(_alerts, "title", _count_alerts, NO_ALERTS),
    "alert_text": Names(_alerts, "title", _count_alerts, NO_ALERTS, column="text", most=TEXTS_LOOKED_AT),
}
