"""Names by a pattern of SQL's LIKE, as the client writes them: `%` for any text, `_` for one character."""

from __future__ import annotations

from collections.abc import Callable

import re2

LONGEST_PATTERN = 1000


def like(pattern: str) -> Callable[[str], bool]:
    """Whether a name fits the pattern, in any case. RE2 runs it, because the databases can be made to stall on one."""
    options = re2.Options()
    options.case_sensitive = False
    options.dot_nl = True
    wild = {"%": ".*", "_": "."}
    text = "".join(wild.get(letter) or re2.escape(letter) for letter in pattern[:LONGEST_PATTERN])
    compiled = re2.compile(text, options=options)
    return lambda name: compiled.fullmatch(name) is not None
