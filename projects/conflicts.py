"""Two people who edit the same thing: the second is told what the first has saved, and decides.

A form carries a mark of what was saved when it was opened. What is saved when it comes back is read under a lock, in
the transaction that writes: so nobody writes over what they have not seen.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from django import forms
from django.core.exceptions import ObjectDoesNotExist
from django.db.models import Model
from django.http import Http404
from django.utils.translation import gettext as _

if TYPE_CHECKING:
    from django.db.models import QuerySet

Row = TypeVar("Row", bound=Model)

# The field of a form that carries the mark.
SEEN = "seen"


@dataclass(frozen=True, slots=True)
class Difference:
    """A field in which what is saved now and what somebody would save part, in words."""

    label: str
    theirs: str
    mine: str


@dataclass(frozen=True, slots=True)
class Conflict:
    """What somebody else saved meanwhile. With `seen`, saving once more is meant."""

    seen: str
    differences: list[Difference]


@dataclass(frozen=True, slots=True)
class Guard:
    """Looks at what a form is about: `rows` are held while `saved` reads the values under the names of the fields."""

    rows: QuerySet[Any]
    saved: Callable[[], Mapping[str, Any]]

    def mark(self) -> str:
        """What is saved now, as a form carries it."""
        return mark_of(self._read())

    def look(self, seen: str, form: forms.Form) -> Conflict | None:
        """Whether something else is saved than was `seen`, and than the form would save. To be called in the
        transaction that saves."""
        if not seen:
            return None  # it did not come from a form of ours
        list(self.rows.order_by("pk").select_for_update(of=("self",)).only("pk"))
        saved = self._read()
        now = mark_of(saved)
        if now == seen:
            return None
        found = list(differences(saved, form))
        return Conflict(now, found) if found else None

    def _read(self) -> Mapping[str, Any]:
        """What is saved now; somebody else may have deleted it while the form was open, or a moment ago."""
        try:
            return self.saved()
        except ObjectDoesNotExist as error:
            raise Http404(_("It is not there any more. Reload the page.")) from error


def hold(rows: QuerySet[Row], pk: int) -> Row | None:
    """The row as it is now, with what `rows` joins to it, kept from being changed until the transaction ends; or None.

    It is held first and read after: joined to what it refers to, a row that was waited for would come with what it
    referred to before.
    """
    list(rows.model._base_manager.select_for_update().filter(pk=pk).values_list("pk"))  # noqa: SLF001
    return rows.filter(pk=pk).first()


def mark_of(saved: Mapping[str, Any]) -> str:
    """Changes with any of the values; says none of them."""
    text = json.dumps(saved, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def differences(saved: Mapping[str, Any], form: forms.Form) -> Iterator[Difference]:
    """Where what is saved and a form that was filled in part, in the order of the form."""
    for name, bound in form.fields.items():
        if name not in saved:
            continue
        theirs, mine = in_words(bound, saved[name]), in_words(bound, form[name].value())
        if theirs != mine:
            yield Difference(str(bound.label or form[name].label), theirs, mine)


def in_words(field: forms.Field, value: Any) -> str:
    """A value of the field as a reader of the form would say it."""
    if isinstance(field, forms.BooleanField):
        return _("yes") if field.to_python(value) else _("no")
    if isinstance(field, forms.ModelChoiceField):
        rows = field.queryset
        found = rows.filter(pk=value).first() if rows is not None and value not in (None, "") else None
        return str(found) if found is not None else "–"
    if isinstance(field, forms.MultipleChoiceField | forms.TypedMultipleChoiceField):
        chosen = {str(one) for one in value or ()}
        return ", ".join(label for key, label in _flat(field) if key in chosen) or "–"
    if isinstance(field, forms.ChoiceField):
        return next((label for key, label in _flat(field) if key == str(value)), str(value))
    if isinstance(field, forms.TimeField) and value:
        value = field.to_python(value)
    prepared = field.prepare_value(value)
    return "–" if prepared in (None, "", {}) else str(prepared)


def _flat(field: forms.ChoiceField | forms.MultipleChoiceField) -> Iterator[tuple[str, str]]:
    choices: Iterable[Any] = field.choices  # type: ignore[assignment]  # a callable is made a list by the field
    for key, label in choices:
        if isinstance(label, list | tuple):
            yield from ((str(inner), str(text)) for inner, text in label)
        else:
            yield str(key), str(label)
