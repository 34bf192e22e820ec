"""Which fields a condition may name, what they hold, and how a field is read from the facts of an event."""

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Any, Final

from automations.words import gettext as _
from automations.words import gettext_noop

MAX_FIELD_LENGTH = 500


class InvalidFilter(ValueError):
    """A condition that cannot be saved.

    `path` leads to the place (`$and[0].display_name.$regex`, "" for the whole document), `message` is a
    sentence.
    """

    def __init__(self, path: str, message: str) -> None:
        super().__init__(f"{path}: {message}" if path else message)
        self.path = path
        self.message = message


class Kind(Enum):
    TEXT = "text"
    NUMBER = "number"
    TEXTS = "list of text"
    ANY = "any"


class Missing(Enum):
    """What reading a field gives when the facts do not have it."""

    MISSING = "missing"


MISSING: Final = Missing.MISSING


@dataclass(frozen=True, slots=True)
class Field:
    """One field of the condition language; a name that ends in `.*` stands for every key below it.

    `label` is the field's word in sentences, `about` a line for editors and API documentation, `also` lists
    other spellings that are understood, `prefix` is a letter that numbers may carry (`v3`), and
    `unwraps_value` lets `config.lr.value` mean `config.lr` where there is no such key: clients of the W&B API
    send both.
    """

    name: str
    kind: Kind
    label: str
    about: str
    also: tuple[str, ...] = ()
    prefix: str = ""
    unwraps_value: bool = False

    @property
    def root(self) -> str:
        return self.name.removesuffix(".*")

    def number(self, value: Any) -> Any:
        """`v3` as 3 where the field's numbers carry a prefix; anything else as it is."""
        if self.prefix and isinstance(value, str):
            digits = value.removeprefix(self.prefix)
            if digits.isascii() and digits.isdigit() and len(digits) <= 18:
                return int(digits)
        return value


Fields = tuple[Field, ...]

RUN_FIELDS: Final[Fields] = (
    Field(
        "display_name",
        Kind.TEXT,
        gettext_noop("run name"),
        gettext_noop("The run's display name."),
        also=("displayName",),
    ),
    Field("name", Kind.TEXT, gettext_noop("run id"), gettext_noop("The run's id, as in its address.")),
    Field("state", Kind.TEXT, gettext_noop("state"), gettext_noop("The run's state.")),
    Field(
        "user",
        Kind.TEXT,
        gettext_noop("user"),
        gettext_noop("Login name of whoever started the run."),
        also=("username",),
    ),
    Field(
        "tags",
        Kind.TEXTS,
        gettext_noop("tags"),
        gettext_noop("The run's tags; a condition holds if one of them meets it."),
    ),
    Field("group", Kind.TEXT, gettext_noop("group"), gettext_noop("The run's group.")),
    Field("job_type", Kind.TEXT, gettext_noop("job type"), gettext_noop("The run's job type."), also=("jobType",)),
    Field(
        "config.*",
        Kind.ANY,
        "config",
        gettext_noop("A setting of the run; dots lead into nested ones."),
        unwraps_value=True,
    ),
    Field(
        "summary.*",
        Kind.ANY,
        "summary",
        gettext_noop("The last value of a metric; dots lead into nested ones."),
        also=("summary_metrics.*",),
    ),
)

ARTIFACT_FIELDS: Final[Fields] = (
    Field(
        "alias",
        Kind.TEXTS,
        gettext_noop("alias"),
        gettext_noop("The alias added, or any of the aliases the version has."),
    ),
    Field(
        "tag",
        Kind.TEXTS,
        gettext_noop("tag"),
        gettext_noop("The tag added or removed, or any of the tags the version has."),
    ),
    Field(
        "collection",
        Kind.TEXT,
        gettext_noop("collection name"),
        gettext_noop("Name of the collection the version is in."),
    ),
    Field("type", Kind.TEXT, gettext_noop("artifact type"), gettext_noop("The artifact's type.")),
    Field(
        "version",
        Kind.NUMBER,
        gettext_noop("version"),
        gettext_noop("The version's index in its collection: 3 or v3."),
        prefix="v",
    ),
    Field(
        "metadata.*", Kind.ANY, "metadata", gettext_noop("A key of the version's metadata; dots lead into nested ones.")
    ),
    Field("user", Kind.TEXT, gettext_noop("user"), gettext_noop("Login name of whoever logged the version.")),
)

# A collection as a whole, whose tags change: it has no version.
COLLECTION_FIELDS: Final[Fields] = (
    Field("tag", Kind.TEXTS, gettext_noop("tag"), gettext_noop("The tag added or removed.")),
    Field("collection", Kind.TEXT, gettext_noop("collection name"), gettext_noop("The collection's name.")),
    Field("type", Kind.TEXT, gettext_noop("artifact type"), gettext_noop("The type of artifacts it holds.")),
    Field("user", Kind.TEXT, gettext_noop("user"), gettext_noop("Login name of whoever changed the tag.")),
)

ALERT_FIELDS: Final[Fields] = (
    Field("title", Kind.TEXT, gettext_noop("title"), gettext_noop("The alert's title.")),
    Field("text", Kind.TEXT, gettext_noop("text"), gettext_noop("The alert's text.")),
    Field("level", Kind.TEXT, gettext_noop("level"), gettext_noop("INFO, WARN or ERROR.")),
)


@dataclass(frozen=True, slots=True)
class Reading:
    """A field as one condition names it: its word for sentences and how to read it."""

    field: Field
    name: str
    label: str
    read: Callable[[Mapping[str, Any]], Any]


def find(fields: Fields, name: str, *, path: str) -> Reading:
    """The field that `name` means. Raises InvalidFilter for a name that none of `fields` has."""
    if len(name) > MAX_FIELD_LENGTH:
        raise InvalidFilter(path, _("A field name may have at most %(most)s characters.") % {"most": MAX_FIELD_LENGTH})
    for field in fields:
        for spelling in (field.name, *field.also):
            stem = spelling.removesuffix("*")
            if stem == spelling and name == spelling:
                return Reading(field, name, field.label, partial(_read_plain, field))
            if stem != spelling and name.startswith(stem) and len(name) > len(stem):
                key = name.removeprefix(stem)
                return Reading(field, name, f"{field.label}.{key}", partial(_read_nested, field, key))
    raise InvalidFilter(path, _unknown(fields, name))


def lookup(container: Any, key: str) -> Any:
    """The value at a dotted key in nested mappings, or MISSING.

    Keys may hold dots and slashes themselves (`train/loss.mean`), so the longest literal key is tried first.
    """
    if not isinstance(container, Mapping):
        return MISSING
    if key in container:
        return container[key]
    cut = key.rfind(".")
    while cut >= 0:
        if key[:cut] in container:
            found = lookup(container[key[:cut]], key[cut + 1 :])
            if found is not MISSING:
                return found
        cut = key.rfind(".", 0, cut)
    return MISSING


def _read_plain(field: Field, facts: Mapping[str, Any]) -> Any:
    found = facts.get(field.name)
    if found is None:
        return MISSING
    return field.number(found) if field.prefix else found


def _read_nested(field: Field, key: str, facts: Mapping[str, Any]) -> Any:
    container = facts.get(field.root)
    found = lookup(container, key)
    if found is MISSING and field.unwraps_value and key.endswith(".value"):
        found = lookup(container, key.removesuffix(".value"))
    return found


def _unknown(fields: Fields, name: str) -> str:
    if not fields:
        return _('There is no field "%(name)s": of this event nothing can be filtered.') % {"name": name[:80]}
    known = [field.name for field in fields]
    near = difflib.get_close_matches(name.partition(".")[0], [field.root for field in fields], n=1)
    told = {"name": name[:80], "known": ", ".join(known)}
    if not near:
        return _('There is no field "%(name)s". The known fields are %(known)s.') % told
    told["near"] = next(field.name for field in fields if field.root == near[0])
    return _('There is no field "%(name)s". Did you mean %(near)s? The known fields are %(known)s.') % told
