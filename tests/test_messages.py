"""UI6: every text of the pages is in both languages. Catalogues say what the source says, and nothing is left out."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.template.base import Lexer, TokenType

from automations_site import collecting
from automations_site.catalogues import APPLICATIONS, ROOT, catalogue_of, compiled
from automations_site.collecting import texts

PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%%|\{\w+\}")
# Templates whose texts are not marked yet, by the beginning of their name.
TO_COME: tuple[str, ...] = ()
# English on purpose: pages for developers, and a sentence that has a template of its own in each language.
ENGLISH = ("design/", "drf_spectacular/", "automations/wizard/_phrase_")
# Proper nouns, units and words of code, which are the same in both languages.
NAMES = {
    "latest",
    "Automations",
    "Slack",
    "Python",
    "JSON",
    "YAML",
    "HTTP",
    "URL",
    "API",
    "ID",
    "CSV",
    "POST",
    "curl",
    "s",
    "ms",
    "h",
    "d",
}

ATTRIBUTES = (
    r"""\b(?:aria-label|aria-description|title|placeholder|alt|label|data-label|data-confirm|hx-confirm)="([^"]*)\""""
)
QUOTED = re.compile(r"""(?<!_\()(?:"([^"]*)"|'([^']*)')""")
SENTENCE = re.compile(r"^(A |[A-Z][a-z]+(?![\w./:_-]))")
SILENT = re.compile(r"(<(script|style|code|pre|kbd|svg)\b[^>]*>).*?</\2>|<!--.*?-->", re.DOTALL)


@pytest.mark.parametrize("application", APPLICATIONS)
def test_the_catalogue_says_what_the_source_says(application: str) -> None:
    """Otherwise: `manage.py messages`."""
    assert catalogue_of(application).read_text() == collecting.up_to_date(application, collecting.translations())


def test_everything_is_translated() -> None:
    missing = [
        f"{name}: {collecting.key(message)[1]}"
        for name in APPLICATIONS
        for message in collecting.read(catalogue_of(name))
        if message.fuzzy or not texts(message.string) or not all(texts(message.string))
    ]
    assert missing == []


def test_a_translation_has_the_placeholders_of_its_message() -> None:
    odd = [
        collecting.key(entry)[1]
        for name in APPLICATIONS
        for entry in collecting.read(catalogue_of(name))
        for text in texts(entry.string)
        if text and sorted(PLACEHOLDER.findall(text)) != sorted(PLACEHOLDER.findall(texts(entry.id)[-1]))
    ]
    assert odd == []


def test_a_translation_for_yes_and_no_has_as_many_parts() -> None:
    """`yesno` splits what it is given at commas; those of sentences have a space behind them."""
    pairs = [
        (collecting.key(entry)[1], texts(entry.string)[0])
        for name in APPLICATIONS
        for entry in collecting.read(catalogue_of(name))
        if re.search(r"\w[.?]?,\w", collecting.key(entry)[1])
    ]
    assert pairs
    assert [text for text, translated in pairs if translated.count(",") != text.count(",")] == []


def test_compiled_messages_are_written_once_for_each_state_of_the_catalogues(tmp_path: Path) -> None:
    first = compiled(into=tmp_path)
    written = (first / "ja" / "LC_MESSAGES" / "django.mo").stat().st_mtime_ns
    assert compiled(into=tmp_path) == first
    assert (first / "ja" / "LC_MESSAGES" / "django.mo").stat().st_mtime_ns == written
    assert [path.name for path in first.rglob("*") if path.is_file()] == ["django.mo"]


def bare_texts(source: str) -> Iterator[str]:
    """English that a template says without asking for a translation."""
    plain, translated = [], False
    for token in Lexer(source).tokenize():
        if token.token_type == TokenType.COMMENT:
            continue
        if token.token_type == TokenType.TEXT:
            plain.append("" if translated else token.contents)
            continue
        # what stands for a value separates words, and is none
        plain.append("\x00")
        word = token.contents.split()[0]
        if token.token_type == TokenType.BLOCK and word in {"blocktranslate", "endblocktranslate"}:
            translated = word == "blocktranslate"
        elif word not in {"translate", "url", "static", "load", "extends", "block", "endblock"}:
            yield from (
                text
                for match in QUOTED.finditer(token.contents)
                for text in match.groups()
                if SENTENCE.match(text or "")
            )
    markup = SILENT.sub(r"\1", "".join(plain))
    shown = [*re.findall(ATTRIBUTES, markup), *re.split(r"<[^>]*>", markup)]
    for text in shown:
        words = re.findall(r"[A-Za-z][A-Za-z'’]+", re.sub(r"&\w+;", " ", text))
        if [word for word in words if word not in NAMES]:
            yield " ".join(text.replace("\x00", "…").split())


TEMPLATES = sorted(path.relative_to(ROOT / "templates").as_posix() for path in (ROOT / "templates").rglob("*.html"))


@pytest.mark.parametrize("name", [name for name in TEMPLATES if not name.startswith(TO_COME + ENGLISH)])
def test_a_template_says_nothing_without_asking_for_a_translation(name: str) -> None:
    assert list(bare_texts((ROOT / "templates" / name).read_text())) == []


@pytest.mark.parametrize(
    "source",
    [
        "<p>Nothing here.</p>",
        '<button aria-label="Close"></button>',
        "<p>{% if x %}Yes{% endif %}</p>",
        '{% include "x.html" with label="Name of it" %}',
        '{% icon "lock" "Protected" %}',
        "<p>{% translate 'Known' %}, unknown</p>",
    ],
)
def test_bare_english_is_found(source: str) -> None:
    assert list(bare_texts(source)) != []


@pytest.mark.parametrize(
    "source",
    [
        "<p>{% translate 'Nothing here.' %}</p>",
        "{% blocktranslate trimmed with name=x %}Nothing in <b>{{ name }}</b>.{% endblocktranslate %}",
        '<p class="Big">{{ x|default:"–" }} · {% url "home" %} <code>print</code></p>',
        '{% include "x.html" with label=_("Name of it") %}',
        "{# A comment. #}<b>Slack</b>",
    ],
)
def test_what_is_marked_is_not(source: str) -> None:
    assert list(bare_texts(source)) == []


def test_nothing_is_waited_for_that_is_not_there() -> None:
    assert [prefix for prefix in TO_COME if not any(name.startswith(prefix) for name in TEMPLATES)] == []
