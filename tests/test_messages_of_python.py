"""UI6: what Python says on pages asks for its translation: toasts, dialogs, the fields of forms."""

import ast
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from django import forms
from django.utils.functional import Promise

from automations_site.catalogues import APPLICATIONS, ROOT

# Of calls: which of their arguments people read.
READ = {"Dialog": {"title", "action", "text"}, "Field": {"label", "help_text", "empty_label"}}
TOASTS = {"success", "info", "warning", "error"}
# The catalogue of components is for developers, figures and uploads are for programs; models are read in the Django
# admin, which is English.
ENGLISH = {"projects/design.py", "automations/exposition.py", "projects/runfiles.py", "registries/uploads.py"}
ENGLISH_PARTS = {"api", "migrations", "management", "models", "admin.py", "admin_forms.py", "models.py"}
FORMS = {
    "projects.forms",
    "registries.forms",
    "secrets_vault.forms",
    "automations.team_settings.forms",
    "automations.team_settings.limits",
}


def is_sentence(node: ast.expr) -> bool:
    """Whether it is English as it stands, rather than a translation, a value or a code."""
    texts = [node] if isinstance(node, ast.Constant) else node.values if isinstance(node, ast.JoinedStr) else []
    said = "".join(text.value for text in texts if isinstance(text, ast.Constant) and isinstance(text.value, str))
    return any(letter.isalpha() for letter in said)


def read_by_people(call: ast.Call) -> Iterator[ast.expr]:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if name in TOASTS and ast.unparse(call.func).startswith("messages."):
        yield from call.args[1:]
    if name == "Http404":  # the page says it
        yield from call.args
    for suffix, arguments in READ.items():
        if name.endswith(suffix):
            yield from (keyword.value for keyword in call.keywords if keyword.arg in arguments)


def sources() -> list[Path]:
    found = [path for application in APPLICATIONS for path in (ROOT / application).rglob("*.py")]
    names = {path.relative_to(ROOT).as_posix(): path for path in found}
    return [path for name, path in names.items() if name not in ENGLISH and not ENGLISH_PARTS & set(name.split("/"))]


def unmarked(source: str) -> list[str]:
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    return [ast.unparse(text) for call in calls for text in read_by_people(call) if is_sentence(text)]


def test_what_people_read_is_marked() -> None:
    found = {path.relative_to(ROOT).as_posix(): unmarked(path.read_text()) for path in sources()}
    assert {name: texts for name, texts in found.items() if texts} == {}


def test_english_is_found() -> None:
    assert unmarked('messages.success(request, f"{name} is gone.")') != []
    assert unmarked('Http404(f"There is no {name}.")') != []
    assert unmarked('Dialog(title="Delete it?", url=url)') != []
    assert unmarked('name = forms.CharField(help_text="Letters.")') != []
    assert unmarked('messages.success(request, _("%(name)s is gone.") % {"name": name})') == []


def all_forms(base: type[forms.BaseForm] = forms.BaseForm) -> Iterator[type[forms.BaseForm]]:
    for form in base.__subclasses__():
        yield form
        yield from all_forms(form)


def test_each_field_of_a_form_has_a_label_that_is_translated() -> None:
    """Without one, Django makes it of the field's name, which is English."""
    for module in FORMS:
        import_module(module)
    bare = [
        f"{form.__qualname__}.{name}"
        for form in all_forms()
        if form.__module__ in FORMS
        for name, field in form.base_fields.items()  # type: ignore[attr-defined]
        if not isinstance(field.widget, forms.HiddenInput) and not isinstance(field.label, Promise)
    ]
    assert bare == []
