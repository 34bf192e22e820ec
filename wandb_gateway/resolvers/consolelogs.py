"""What a run printed, line by line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ariadne import ObjectType
from graphql import GraphQLResolveInfo

from projects import console
from projects.console import ConsoleLine
from projects.models import Run
from wandb_gateway.connections import MOST_ROWS, connection

run = ObjectType("Run")
line = ObjectType("LogLine")


class Printed(Sequence[ConsoleLine]):
    """The console of a run as a list, of which only the lines asked for are read."""

    def __init__(self, run: Run) -> None:
        self.run = run

    def __len__(self) -> int:
        return self.run.console_lines

    def __getitem__(self, wanted: Any) -> Any:
        return console.lines(self.run, start=wanted.start, end=wanted.stop)


@run.field("logLines")
def log_lines(found: Run, _info: GraphQLResolveInfo, **asked: Any) -> dict[str, Any]:
    """The last lines, or a page from the start; at most `MOST_ROWS` of them at once."""
    if asked.get("last") is not None:
        return connection(console.tail(found, count=min(max(asked["last"], 0), MOST_ROWS)), first=MOST_ROWS)
    return connection(Printed(found), first=asked.get("first"), after=asked.get("after"))


line.set_alias("timestamp", "printed_at")
line.set_alias("line", "text")

BINDABLES = (run, line)
