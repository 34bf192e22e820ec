"""The channels of a workspace, to search as one types.

Slack has no search for channels: all pages of its list are read, and kept for a while where every web worker finds
them. Reading is bounded in time. What was read until then is kept with the place where it stopped, so that the next
search goes on from there, and a workspace of any size is read in the end.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from django.core.cache import caches
from django.utils.translation import gettext as _

from automations import unsealing
from automations.models import SlackWorkspace
from automations.slack import questions
from automations.slack.questions import Found, SlackRefused

KEPT_SECONDS = 300
# What one search may take when the list has to be read, waiting for Slack's limits included.
LONGEST_READ = 12.0
MOST_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Listing:
    """What was read of the list. `complete` is whether that is all; otherwise `problem` says why not."""

    channels: Sequence[Found]
    complete: bool
    problem: str = ""

    def search(self, words: str) -> list[Found]:
        """Channels whose name holds what was typed, the closest first, or the one with this id."""
        wanted = words.strip().removeprefix("#").casefold()
        found = [one for one in self.channels if wanted in one.name.casefold() or wanted == one.id.casefold()]
        return sorted(found, key=lambda one: (_distance(one.name.casefold(), wanted), one.name.casefold()))

    def channel(self, pk: str) -> Found | None:
        """The channel with this id, if it was read."""
        return next((one for one in self.channels if one.id == pk), None)


def read(workspace: SlackWorkspace, *, anew: bool = False) -> Listing:
    """The workspace's channels, as far as they can be read now: from memory, and what is missing there from Slack.

    Raises:
        SealedForever: its token cannot be opened.
    """
    cache, key = caches["shared"], _key(workspace)
    channels, cursor = ([], "") if anew else cache.get(key) or ([], "")
    if channels and not cursor:
        return Listing(channels, complete=True)
    token = unsealing.unseal_workspace(workspace).access_token
    deadline = time.monotonic() + LONGEST_READ
    problem = ""
    while True:
        try:
            more, cursor = questions.page_of_channels(
                token, cursor=cursor, timeout=max(deadline - time.monotonic(), 1.0)
            )
        except SlackRefused as refused:
            if refused.problem == "invalid_cursor" and cursor:
                channels, cursor = [], ""  # it was read too long ago to go on
                continue
            if _wait_as_asked(refused, deadline):
                continue
            problem = str(refused)
            break
        channels = [*channels, *more]
        if not cursor:
            break
        if time.monotonic() >= deadline:
            problem = _("Slack's list is long, and was not read to its end.")
            break
    if channels:
        cache.set(key, (channels, cursor), KEPT_SECONDS)
    return Listing(channels, complete=not cursor and not problem, problem=problem)


def forget(workspace: SlackWorkspace) -> None:
    """Read the list anew next time: another token may see other channels."""
    caches["shared"].delete(_key(workspace))


def _key(workspace: SlackWorkspace) -> str:
    return f"slack-channels:{workspace.pk}"


def _wait_as_asked(refused: SlackRefused, deadline: float) -> bool:
    """Wait as long as Slack asks to, if that leaves time for another question."""
    if refused.retry_after is None:
        return False
    seconds = max(refused.retry_after, 1.0)
    if time.monotonic() + seconds >= deadline:
        return False
    time.sleep(seconds)
    return True


def _distance(name: str, wanted: str) -> int:
    return 0 if name == wanted else 1 if name.startswith(wanted) else 2
