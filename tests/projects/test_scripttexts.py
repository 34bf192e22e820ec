"""Scripts say only what templates hand them, and templates hand them nothing that no script says."""

import html
import json
import re
from pathlib import Path

from django.template import Context, Template
from django.utils import translation

from projects.scripttexts import TEXTS

ROOT = Path(__file__).parents[2]
SAID = re.compile(r"\bsay(Count)?\(\s*(.*?)[,)]")
NAMES = re.compile(r'["`]([a-z_]+)(?:\$\{.*?\})?["`]')


def said() -> set[str]:
    found = set()
    for path in (ROOT / "static" / "js").glob("*.js"):
        if path.name != "texts.js":
            for counted, first in SAID.findall(path.read_text()):
                names = set(NAMES.findall(first))
                found |= names | ({f"{name}_one" for name in names} if counted else set())
    return found


def test_each_text_has_one_name() -> None:
    names = [name for texts in TEXTS.values() for name in texts]
    assert len(names) == len(set(names))


def test_scripts_say_what_there_is() -> None:
    known = {name for texts in TEXTS.values() for name in texts}
    assert {name for name in said() if not name.endswith("_")} <= known


def test_texts_of_many_things_have_one_for_a_single_thing() -> None:
    for texts in TEXTS.values():
        for name, text in texts.items():
            if "{count}" in str(text) and not name.endswith("_one"):
                assert f"{name}_one" in texts


def test_texts_are_handed_over_in_the_language_of_the_page() -> None:
    template = Template('{% load interface %}<template {% script_texts "plots" %}></template>')
    with translation.override("ja"):
        markup = template.render(Context())
    found = re.search(r'data-texts="(.*?)"', markup)
    assert found is not None
    assert (
        json.loads(html.unescape(found[1]))["gaps"] == "{count} 個の値が NaN または無限大のため、線が途切れています。"
    )
