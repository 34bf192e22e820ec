"""Searching the channels of a workspace: all pages of Slack's list, read once in a while, within bounds (SL1)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import caches

from automations.models import SlackWorkspace
from automations.slack import listing
from projects.models import Team
from tests import factories
from tests.slack import CHANNEL, TOKEN, FakeSlack, channel

pytestmark = pytest.mark.django_db


@pytest.fixture
def workspace(team: Team, slack: FakeSlack) -> Iterator[SlackWorkspace]:
    caches["shared"].clear()
    yield factories.make_slack_workspace(team)
    caches["shared"].clear()


def many(count: int) -> list[dict[str, Any]]:
    return [channel(f"channel-{number:05}", f"C{number:010}") for number in range(count)]


def test_every_page_is_read_and_asked_for_once(workspace: SlackWorkspace, slack: FakeSlack) -> None:
    slack.listed = many(10_000)
    found = listing.read(workspace)

    assert (len(found.channels), found.complete, found.problem) == (10_000, True, "")
    asked = slack.asked("conversations.list")
    assert [(one["limit"], one["exclude_archived"], one["types"]) for one in asked] == [
        ("1000", "1", "public_channel,private_channel")
    ] * 10
    assert [one.name for one in listing.read(workspace).search("channel-09999")] == ["channel-09999"]
    assert len(slack.asked("conversations.list")) == 10


def test_a_search_finds_all_of_ten_thousand(workspace: SlackWorkspace, slack: FakeSlack) -> None:
    slack.listed = many(10_000)

    assert len(listing.read(workspace).search("channel-0")) == 10_000


def test_smaller_pages_than_asked_for_are_fine(workspace: SlackWorkspace, slack: FakeSlack) -> None:
    slack.listed, slack.largest_page = many(25), 10

    assert len(listing.read(workspace).channels) == 25


def test_archived_channels_are_left_out_and_the_others_described(workspace: SlackWorkspace, slack: FakeSlack) -> None:
    slack.listed = [
        channel("open", "C1", member=False),
        channel("closed", "G2", private=True),
        channel("over", "C3", archived=True),
    ]
    found = listing.read(workspace).channels

    assert [(one.name, one.private, one.member) for one in found] == [("open", False, False), ("closed", True, True)]


def test_the_closest_name_comes_first(workspace: SlackWorkspace, slack: FakeSlack) -> None:
    names = ("my-alerts", "alerts-ml", "Alerts", "alerts", "本番", "other")
    slack.listed = [channel(name, f"C{number}") for number, name in enumerate(names)]
    found = listing.read(workspace)

    assert [one.name for one in found.search(" #alerts")] == ["Alerts", "alerts", "alerts-ml", "my-alerts"]
    assert [one.name for one in found.search("本")] == ["本番"]
    assert [one.name for one in found.search("c5")] == ["other"]
    assert len(found.search("")) == len(names)
    assert found.search("nothing") == []


def test_sl3_a_short_limit_is_waited_for(workspace: SlackWorkspace, slack: FakeSlack) -> None:
    slack.limit(seconds=1)
    begun = time.monotonic()
    found = listing.read(workspace)

    assert (found.complete, time.monotonic() - begun >= 1) == (True, True)


def test_sl3_a_long_limit_ends_the_search_and_the_next_one_goes_on(
    workspace: SlackWorkspace, slack: FakeSlack, monkeypatch: pytest.MonkeyPatch
) -> None:
    slack.listed, slack.largest_page = many(30), 10
    slack.behave(times=1, status=429, headers={"Retry-After": "600"}, body=b"{}")
    first = listing.read(workspace)
    assert (len(first.channels), first.complete) == (0, False)
    assert first.problem == "Slack takes no more questions for 600 seconds."

    monkeypatch.setattr(listing, "LONGEST_READ", 0.0)
    assert [len(listing.read(workspace).channels) for _ in range(3)] == [10, 20, 30]
    assert listing.read(workspace).complete
    assert len(slack.asked("conversations.list")) == 4


def test_a_cursor_that_slack_has_forgotten_begins_anew(workspace: SlackWorkspace, slack: FakeSlack) -> None:
    slack.listed = many(3)
    caches["shared"].set(f"slack-channels:{workspace.pk}", ([], "b2xk"), 60)
    slack.behave(times=1, body=b'{"ok": false, "error": "invalid_cursor"}')

    assert len(listing.read(workspace).channels) == 3


def test_a_token_without_the_scopes_says_which_it_lacks(workspace: SlackWorkspace, slack: FakeSlack) -> None:
    slack.tokens[TOKEN] = "chat:write"
    found = listing.read(workspace)

    assert found.channels == []
    assert "lacks the scopes channels:read and groups:read" in found.problem


def test_the_list_is_read_anew_when_asked_to_or_forgotten(workspace: SlackWorkspace, slack: FakeSlack) -> None:
    assert listing.read(workspace).channel(CHANNEL) is not None
    slack.listed = [channel("other", "C2")]
    assert listing.read(workspace).channel("C2") is None
    assert listing.read(workspace, anew=True).channel("C2") is not None
    slack.listed = []
    listing.forget(workspace)
    assert listing.read(workspace).channels == []
