import time

import pytest

from wandb_gateway.likeness import like


@pytest.mark.parametrize(
    ("pattern", "name", "fits"),
    [
        ("%.json", "a/b.json", True),
        ("%.json", "a.jsonl", False),
        ("media/%", "media/images/x.png", True),
        ("media/%", "other/media/x", False),
        ("_.txt", "a.txt", True),
        ("_.txt", "ab.txt", False),
        ("A.TXT", "a.txt", True),
        ("a.c", "abc", False),
        ("[ab]", "a", False),
        ("%é%", "caf\u00e9.txt", True),
        ("a%", "a\nb", True),
        ("", "a", False),
    ],
)
def test_a_pattern_is_one_of_sql(pattern: str, name: str, fits: bool) -> None:
    assert like(pattern)(name) is fits


def test_no_pattern_takes_long() -> None:
    began = time.monotonic()
    assert not like("%a" * 400)("a" * 399)
    assert time.monotonic() - began < 1
