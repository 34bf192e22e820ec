"""Collects the messages of the source and brings the catalogues in step with them; only Babel is needed for it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

from automations_site.catalogues import APPLICATIONS, LANGUAGE, ROOT, catalogue_of

# What becomes a message: Django's functions by their own names, and `_`.
KEYWORDS: dict[str, tuple[int | tuple[int, str], ...] | None] = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
    "npgettext_lazy": ((1, "c"), 2, 3),
}
# Everything shared belongs to the lowest application. Pages that developers alone see stay English.
SOURCES = {
    "projects": ("projects", "automations_site", "templates"),
    "secrets_vault": ("secrets_vault",),
    "registries": ("registries", "templates/registries"),
    "automations": ("automations", "templates/automations"),
}
ENGLISH = ("templates/design/", "templates/drf_spectacular/")
# Dates and names would make each run a change.
UNSTEADY_HEADERS = (
    "Project-Id-Version",
    "Report-Msgid",
    "POT-Creation",
    "PO-Revision",
    "Last-Translator",
    "Generated-By",
)

Key = tuple[str | None, str]


def key(message: Message) -> Key:
    return message.context, message.id if isinstance(message.id, str) else message.id[0]


def files_of(application: str) -> list[Path]:
    """Python files and templates whose messages are in the application's catalogue."""
    others = [place for name, places in SOURCES.items() if name != application for place in places if "/" in place]
    left_out = tuple(f"{place}/" for place in others) + ENGLISH
    found = [path for place in SOURCES[application] for path in (ROOT / place).rglob("*") if path.is_file()]
    return sorted(
        path
        for path in found
        if path.suffix in {".py", ".html", ".txt"}
        and "migrations" not in path.parts
        and not path.relative_to(ROOT).as_posix().startswith(left_out)
    )


def messages_of(path: Path) -> Iterator[Message]:
    """The messages of one file, each with the file as its place."""
    source = path.read_text()
    place = path.relative_to(ROOT).as_posix()
    if path.suffix != ".py":
        # What Django makes of a template is Python but for its indentation.
        source = "\n".join(line.strip() for line in templatize(source, origin=place).splitlines())
    elif "gettext" not in source:
        return
    found = extract("python", io.BytesIO(source.encode()), keywords=KEYWORDS, comment_tags=("Translators:",))
    for _line, texts, comments, context in found:
        formats = ["python-format"] if "%(" in str(texts) else []
        yield Message(texts, locations=[(place, 0)], auto_comments=comments, context=context, flags=formats)


def collected(application: str) -> Catalog:
    """A catalogue of all messages of the application that none before it has, without translations."""
    elsewhere = {
        key(message)
        for name in APPLICATIONS[: APPLICATIONS.index(application)]
        for path in files_of(name)
        for message in messages_of(path)
    }
    catalogue = Catalog(locale=LANGUAGE, fuzzy=False)
    for path in files_of(application):
        for message in messages_of(path):
            if key(message) not in elsewhere:
                catalogue[message.id] = message
    return catalogue


def read(path: Path) -> list[Message]:
    """The messages of a catalogue; of none, none."""
    if not path.exists():
        return []
    with path.open("rb") as file:
        return [message for message in read_po(file, locale=LANGUAGE) if message.id]


def texts(value: str | tuple[str, ...] | list[str] | None) -> tuple[str, ...]:
    """A message's texts, or those of its translation: several where it counts."""
    return (value,) if isinstance(value, str) else tuple(value or ())


def translations() -> dict[Key, tuple[str, ...]]:
    """All translations there are, of whichever application."""
    found = [message for application in APPLICATIONS for message in read(catalogue_of(application))]
    return {key(message): texts(message.string) for message in found if any(texts(message.string))}


def up_to_date(application: str, known: dict[Key, tuple[str, ...]]) -> str:
    """The application's catalogue as it should be: what the source says, in alphabetical order, with the known
    translations. A message that changed has none, because nobody knows whether it still fits."""
    catalogue = collected(application)
    for message in catalogue:
        if message.id and (translated := known.get(key(message))):
            message.string = translated if message.pluralizable else translated[0]
    written = io.BytesIO()
    write_po(written, catalogue, width=0, sort_output=True, include_lineno=False)
    lines = written.getvalue().decode().splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith(tuple(f'"{name}' for name in UNSTEADY_HEADERS))]
    start = next(number for number, line in enumerate(kept) if not line.startswith("#"))
    return "".join(kept[start:])
