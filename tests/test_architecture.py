"""The shape that keeps the code readable: sizes, names, who uses which package, pages without inline code.

import-linter proves the layers (`make check`); here is what it cannot say.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("automations_site", "wandb_gateway", "automations", "registries", "secrets_vault", "projects")

LONGEST_FILE = 400
LONGEST_FUNCTION = 50
LONGEST_TEMPLATE = 150

NAMES_THAT_SAY_NOTHING = {
    "utils",
    "helpers",
    "services",
    "selectors",
    "constants",
    "exceptions",
    "mixins",
    "common",
    "core",
}
CLASSES_THAT_SAY_NOTHING = re.compile(r"(Manager|Handler|Processor|Helper|Data|Info)$")

# package: the files that may import it
KEPT_TO = {
    "requests": ("automations/http.py",),
    "urllib3": ("automations/http.py",),
    "slack_sdk": ("automations/slack/calls.py",),
    "django_q": (
        "automations/queueing.py",
        "automations/schedules.py",
        "automations/tasks.py",
        "automations/health.py",
        "automations/admin.py",
        "automations/management/commands/",
    ),
    "fernet_fields": ("secrets_vault/models.py", "secrets_vault/models/"),
    "environ": ("automations_site/environment.py",),
}


def sources(*, with_tests: bool = False) -> list[Path]:
    folders = (*PACKAGES, *(("tests",) if with_tests else ()))
    found = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    return sorted(path for path in found if "migrations" not in path.parts)


def templates() -> list[Path]:
    return sorted((ROOT / "templates").rglob("*.html"))


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def lines(path: Path) -> int:
    return len(path.read_text().splitlines())


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def imported(path: Path) -> set[str]:
    """The first part of every imported name, wherever in the file the import stands."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found


def test_the_sources_are_found() -> None:
    assert len(sources()) > 50
    assert len(templates()) > 10


def test_no_file_is_too_long_to_read_at_once() -> None:
    assert [(name(path), lines(path)) for path in sources(with_tests=True) if lines(path) > LONGEST_FILE] == []


def test_no_function_is_too_long_to_see_at_once() -> None:
    long = [
        (name(path), function.name)
        for path in sources(with_tests=True)
        for function in functions(path)
        if (function.end_lineno or 0) - function.lineno + 1 > LONGEST_FUNCTION
    ]
    assert long == []


def test_most_functions_are_short() -> None:
    sizes = sorted((f.end_lineno or 0) - f.lineno + 1 for path in sources() for f in functions(path))
    assert sizes[len(sizes) * 9 // 10] <= 25


def test_no_template_is_too_long() -> None:
    assert [(name(path), lines(path)) for path in templates() if lines(path) > LONGEST_TEMPLATE] == []


def test_modules_say_what_they_are_about() -> None:
    assert [name(path) for path in sources() if path.stem in NAMES_THAT_SAY_NOTHING] == []


def extends_django_manager(node: ast.ClassDef) -> bool:
    """Whether the class is a model manager, which is Django's own word."""
    return any(re.search(r"Manager\b", ast.unparse(base)) for base in node.bases)


def test_classes_are_named_in_the_words_of_the_field() -> None:
    vague = [
        (name(path), node.name)
        for path in sources()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef)
        and CLASSES_THAT_SAY_NOTHING.search(node.name)
        and not extends_django_manager(node)
    ]
    assert vague == []


@pytest.mark.parametrize("package", KEPT_TO)
def test_a_package_with_a_keeper_is_imported_nowhere_else(package: str) -> None:
    strays = [
        name(path) for path in sources() if package in imported(path) and not name(path).startswith(KEPT_TO[package])
    ]
    assert strays == []


def test_applications_import_only_below_themselves() -> None:
    allowed = {
        "projects": set(),
        "registries": {"projects"},
        "secrets_vault": {"projects"},
        "automations": {"projects", "registries", "secrets_vault", "automations_site"},
        "wandb_gateway": {"projects", "registries", "secrets_vault", "automations", "automations_site"},
        "automations_site": {"projects", "registries", "secrets_vault", "automations", "wandb_gateway"},
    }
    upward = [
        (name(path), other)
        for path in sources()
        for other in imported(path) & set(PACKAGES)
        if other != (own := path.relative_to(ROOT).parts[0]) and other not in allowed[own]
    ]
    assert upward == []


# What a strict content security policy refuses to run, so that it would fail in the browser without a word.
INLINE = {
    "a script without src": re.compile(
        r"<script(?![^>]*\bsrc=)(?![^>]*\btype=\"application/json\")[^>]*>", re.IGNORECASE
    ),
    "a style element": re.compile(r"<style\b", re.IGNORECASE),
    "a style attribute": re.compile(r"<[^>%]*\sstyle=", re.IGNORECASE),
    "an on… attribute": re.compile(r"<[^>]*\s(?:on[a-z]+|hx-on[:a-z-]*)=", re.IGNORECASE),
    "a javascript: address": re.compile(r"=[\"']?javascript:", re.IGNORECASE),
    "something fetched from another host": re.compile(
        r"<(?:script|link|img)\b[^>]*\b(?:src|href)=[\"']?(?:https?:)?//", re.IGNORECASE
    ),
    "the safe filter": re.compile(r"\|\s*safe\b"),
}


@pytest.mark.parametrize("what", INLINE)
def test_no_template_holds_inline_code(what: str) -> None:
    assert [name(path) for path in templates() if INLINE[what].search(path.read_text())] == []


@pytest.mark.parametrize(
    ("what", "html"),
    [
        ("a script without src", "<script defer>go()</script>"),
        ("a style element", "<style>p {}</style>"),
        ("a style attribute", '<p class="a" style="color: red">'),
        ("an on… attribute", '<button onclick="go()">'),
        ("a javascript: address", '<a href="javascript:go()">'),
        ("something fetched from another host", '<script src="//cdn.example.com/a.js"></script>'),
        ("the safe filter", "{{ run.name|safe }}"),
    ],
)
def test_the_search_for_inline_code_finds_it(what: str, html: str) -> None:
    assert INLINE[what].search(html)
