"""Every GraphQL document the installed wandb package ships: in its generated modules, inline, and in its core."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import wandb

PACKAGE = Path(wandb.__file__).parent
OPERATION = re.compile(r"\s*(?:#graphql\s*)?(?:query|mutation)\b[^.]*\{")
FRAGMENT = re.compile(r"\s*(?:#graphql\s*)?fragment (\w+) on \w+")
NAME = re.compile(r"\b(?:query|mutation) (\w+)")
LONGEST = 20_000
# What some inline documents are completed with before they are sent, in the order of the gaps.
GAPS = {
    "Runs": ("LightweightRunFragment", ""),
    "Run": ("RunFragment", ""),
    "UpsertBucket": ("",),
    "DeleteRun": ("$deleteArtifacts: Boolean", "deleteArtifacts: $deleteArtifacts"),
    "RunFullHistory": ("history",),
    "UseArtifact": (
        (
            "$entityName: String!, $projectName: String!, $runName: String!, $artifactID: ID!, $usedAs: String,"
            " $artifactEntityName: String, $artifactProjectName: String"
        ),
        (
            "entityName: $entityName, projectName: $projectName, runName: $runName, artifactID: $artifactID,"
            " usedAs: $usedAs, artifactEntityName: $artifactEntityName, artifactProjectName: $artifactProjectName"
        ),
    ),
}


@cache
def shipped() -> dict[str, str]:
    """Where a document is from and what it is called → its text, with the fragments it needs."""
    fragments = _inline_fragments()
    found = {f"core {name}": text for name, text in _of_core()}
    for place, text in (*_generated(), *_inline()):
        name = NAME.search(text)
        assert name, f"{place} has an operation without a name"
        found[f"{place} {name[1]}"] = _with_fragments(text, fragments)
    return found


def _generated() -> Iterator[tuple[str, str]]:
    for path in sorted(PACKAGE.rglob("_generated/operations.py")):
        place = path.relative_to(PACKAGE).with_suffix("")
        module = importlib.import_module(".".join(("wandb", *place.parts)))
        for value in vars(module).values():
            if isinstance(value, str) and OPERATION.match(value):
                yield place.parent.parent.as_posix(), value


def _inline() -> Iterator[tuple[str, str]]:
    for place, text in _literals():
        if OPERATION.match(text):
            name = NAME.search(text)
            yield place, _completed(text, GAPS.get(name[1] if name else "", ()))


def _completed(text: str, gaps: tuple[str, ...]) -> str:
    if "{{" in text:
        text = text.replace("{{", "\x01").replace("}}", "\x02").replace("{}", "\x00")
        text = text.replace("\x01", "{").replace("\x02", "}")
    for gap in gaps:
        text = text.replace("\x00", gap, 1)
    return text.replace("\x00", "")


def _inline_fragments() -> dict[str, str]:
    found = {}
    for _, text in _literals():
        name = FRAGMENT.match(text)
        if name:
            found[name[1]] = text
    return found


@cache
def _literals() -> list[tuple[str, str]]:
    """Every text in the package's sources; what is filled in at run time is a NUL."""
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        if {"_generated", "vendor"} & set(path.parts):
            continue
        place = path.relative_to(PACKAGE).with_suffix("").as_posix()
        found += [(place, text) for text in _texts(ast.parse(path.read_text()))]
    return found


def _texts(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.JoinedStr):
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else "\x00" for part in node.values)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    else:
        for child in ast.iter_child_nodes(node):
            yield from _texts(child)


def _with_fragments(text: str, known: dict[str, str]) -> str:
    while missing := set(re.findall(r"\.\.\.\s*(\w+)", text)) - {"on"} - set(re.findall(r"\bfragment (\w+)", text)):
        text += "\n" + known[min(missing)]
    return text


def _of_core() -> Iterator[tuple[str, str]]:
    """Go keeps its texts one behind the other, without ends: an operation ends where its braces do."""
    core = (PACKAGE / "bin" / "wandb-core").read_bytes()
    for start in re.finditer(rb"\n(?:query|mutation) ([A-Z]\w+) ?(?=[({])", core):
        end: int | None = start.end()
        if core[start.end() : start.end() + 1] == b"(":
            end = _closing(core, start.end(), b"()")
        brace = core.find(b"{", end, end + 5) if end else -1
        end = _closing(core, brace, b"{}") if brace >= 0 else None
        while end and (fragment := re.compile(rb"\s*fragment \w+ on \w+ \{").match(core, end)):
            end = _closing(core, fragment.end() - 1, b"{}")
        if end:
            yield start[1].decode(), core[start.start() : end].decode()


def _closing(text: bytes, start: int, pair: bytes) -> int | None:
    depth = 0
    for index in range(start, min(start + LONGEST, len(text))):
        depth += (text[index] == pair[0]) - (text[index] == pair[1])
        if depth == 0:
            return index + 1
    return None
