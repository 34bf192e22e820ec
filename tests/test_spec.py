"""Every rule of the specification that is listed here has a test that names it."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent
# Scopes; events and conditions.
RULES = [*(f"SC{number}" for number in range(1, 6)), *(f"EV{number}" for number in range(1, 14)), "HI6", "HI7"]


@cache
def named() -> frozenset[str]:
    """The ids of rules in names and docstrings of tests: `test_ev11_…`, or “EV11” in the docstring."""
    found: set[str] = set()
    for path in TESTS.rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                found |= ids_in(node.name, ast.get_docstring(node) or "")
    return frozenset(found)


def ids_in(name: str, docstring: str) -> set[str]:
    in_name = {part.upper() for part in name.split("_") if re.fullmatch("[a-z]{2}[0-9]+", part)}
    return in_name | set(re.findall(r"\b[A-Z]{2}[0-9]+\b", docstring))


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_of_the_specification_has_a_test_that_names_it(rule: str) -> None:
    assert rule in named()


def test_an_id_is_known_in_a_name_and_in_a_docstring_and_not_by_a_part_of_it() -> None:
    found = ids_in("test_ev1_an_alias", "SC4, EV10: refused.")
    assert found == {"EV1", "SC4", "EV10"}
