"""UI6: what the history keeps in English is told in the reader's language."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils import translation

from automations import retelling
from automations.recordings import RECORDED

HERE = Path(retelling.__file__).parent
# Where sentences are written that stay in rows.
WRITERS = [
    *("executions.py", "breaker.py", "digests.py", "loops.py", "limits.py", "outcomes.py", "notices.py", "pending.py"),
    *("http.py", "sockets.py", "unsealing.py", "addresses.py"),
    *("actions/nothing.py", "actions/slack.py", "actions/webhook.py", "slack/calls.py"),
]
# Said to whoever does something, or to the operator, and kept nowhere.
NOT_KEPT = re.compile(
    r"^(There is no webhook|WEBHOOK_ALLOWED_NETWORKS: |.*HTTP/1|at most |.*is neither a network|.*is not a network)"
)
# Parts of sentences, each of whose wholes is a message.
PARTS = re.compile(
    r"^(A probe succeeded. values held|It had fired values times within values|values, values. Addresses like this"
    r"|Check the |Nothing takes a POST there)"
)
JAPANESE = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")


def sentences_of(path: Path) -> Iterator[str]:
    """Text that reads as a whole sentence, with something in the place of values."""
    tree = ast.parse(path.read_text())
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    parts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    marked = {
        id(argument)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"_", "gettext"}
        for argument in node.args
    }
    for node in ast.walk(tree):
        if id(node) in docstrings | parts | marked:
            continue
        text = ""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
        elif isinstance(node, ast.JoinedStr):
            text = "".join(str(part.value) if isinstance(part, ast.Constant) else "values" for part in node.values)
        if " " in text and text.endswith(".") and re.match(r"[A-Zv]", text):
            yield text


def test_what_records_are_made_of_is_known_as_messages() -> None:
    """A sentence written anew here is added to `automations.recordings`."""
    found = [(path, text) for path in WRITERS for text in sentences_of(HERE / path) if not NOT_KEPT.match(text)]
    assert len(found) > 50
    with translation.override("ja"):
        unknown = [
            (path, text) for path, text in found if not PARTS.match(text) and not JAPANESE.search(retelling.told(text))
        ]
    assert unknown == []


@pytest.mark.parametrize("message", RECORDED)
def test_each_kind_of_record_is_told_in_japanese_with_its_values(message: str) -> None:
    names = re.findall(r"%\((\w+)\)s", message)
    values = {name: f"{name}-7" for name in names}
    with translation.override("ja"):
        told = retelling.told(message % values)
    assert JAPANESE.search(told)
    assert all(value in told for value in values.values())


def test_records_within_records_are_told_too() -> None:
    kept = (
        "Webhook pager is paused: The receiver answered 404 Not Found. Check the endpoint URL of the webhook. That was"
        " attempt 5, the last one."
    )
    with translation.override("ja"):
        told = retelling.told(kept)
    assert told == (
        "webhook pager は一時停止中です: 受信側の応答: 404 Not Found。webhook のエンドポイント URL を確認してください。"
        " これは試行 5 で、最後の試行でした。"
    )


def test_in_the_language_of_the_records_and_of_unknown_sentences_nothing_is_changed() -> None:
    assert retelling.told("host did not answer in time.") == "host did not answer in time."
    with translation.override("ja"):
        assert retelling.told("Something that a plug-in said.") == "Something that a plug-in said."
        assert retelling.told("") == ""
