"""Posting to Slack, against a server that speaks like it (SL2, SL3, HI3)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core import serializers
from django.utils import timezone

from automations import executions, templating
from automations.models import Attempt, Automation, Execution, ReasonCode, SlackChannel, Status
from projects import runs
from projects.models import Project
from tests import factories
from tests.slack import CHANNEL, HOOK, TOKEN, FakeSlack

pytestmark = pytest.mark.django_db
PING = "<!channel> & <@U1>"


@pytest.fixture
def slack(settings: Any) -> Iterator[FakeSlack]:
    with FakeSlack() as server:
        settings.SLACK_API_URL = server.api_url
        settings.WEBHOOK_ALLOWED_NETWORKS = ["127.0.0.0/8"]
        settings.PUBLIC_URL = "https://automations.example.com"
        yield server


@pytest.fixture
def channel(project: Project, slack: FakeSlack) -> SlackChannel:
    return factories.make_slack_channel(project.team, credential=TOKEN)


@pytest.fixture
def hook(project: Project, slack: FakeSlack) -> SlackChannel:
    return factories.make_slack_channel(project.team, "deploys", credential=slack.hook_url)


def fail_a_run(channel: SlackChannel, *, run_name: str = "baseline", **fields: Any) -> Execution:
    """A run fails, an automation posts about it, and a worker takes that up."""
    project = factories.make_project(channel.team)
    factories.make_automation(project, slack_channel=channel, **fields)
    run = factories.make_run(project, run_id="k3v9x2ab", display_name=run_name)
    runs.finish(run, exit_code=1, by=run.user, at=timezone.now())
    execution = Execution.objects.latest("pk")
    executions.run(execution.pk)
    execution.refresh_from_db()
    return execution


def texts(message: dict[str, Any]) -> str:
    return json.dumps(message, ensure_ascii=False)


def test_sl2_a_failed_run_is_told_in_the_channel(slack: FakeSlack, channel: SlackChannel) -> None:
    execution = fail_a_run(
        channel, title="${run_name} needs you", message="See the log of ${run_id}, ${nothing}please.", severity="ERROR"
    )

    assert (execution.status, execution.result) == (Status.FINISHED, "Slack took the message for #ml-alerts.")
    (request,), (message,) = slack.requests, slack.messages
    assert request.path == "/api/chat.postMessage"
    assert request.headers["Authorization"] == f"Bearer {TOKEN}"
    assert request.headers["User-Agent"].startswith("automations-server/")
    assert message["channel"] == CHANNEL
    assert message["text"] == "ERROR: baseline needs you – Run baseline: the run failed with exit code 1."
    head, facts, text, buttons = message["blocks"]
    assert (
        head["text"]["text"] == ":rotating_light: *baseline needs you*\nRun baseline: the run failed with exit code 1."
    )
    assert [fact["text"] for fact in facts["fields"]] == [
        "*Run*\nbaseline",
        "*Project*\nresearch/digits",
        "*By*\nalice",
        "*State*\nfailed",
    ]
    assert text["text"]["text"] == "See the log of k3v9x2ab, please."
    assert [button["url"] for button in buttons["elements"]] == [
        "https://automations.example.com/research/digits/runs/k3v9x2ab",
        f"https://automations.example.com/executions/{execution.key}/",
    ]
    assert message["metadata"]["event_payload"] == {"id": execution.key.hex}


def test_ui6_a_message_is_in_the_language_of_the_channels_team(slack: FakeSlack, channel: SlackChannel) -> None:
    channel.team.language = "ja"
    channel.team.save()

    execution = fail_a_run(channel, name="見張り", message="${run_name} は ${run_status}")

    (message,) = slack.messages
    assert message["text"] == "INFO: 見張り – run baseline: run が失敗した（終了コード 1）。"
    _head, facts, text, buttons = message["blocks"]
    assert [fact["text"] for fact in facts["fields"]] == [
        "*run*\nbaseline",
        "*プロジェクト*\nresearch/digits",
        "*ユーザー*\nalice",
        "*状態*\n失敗",
    ]
    assert text["text"]["text"] == "baseline は failed"
    assert [button["text"]["text"] for button in buttons["elements"]] == ["run を開く", "実行を開く"]
    # The record is the same for everybody.
    assert execution.matched_because == "the run failed with exit code 1"
    assert execution.result == "Slack took the message for #ml-alerts."


def test_why_a_message_could_not_be_rendered_is_kept_in_english(
    slack: FakeSlack, channel: SlackChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever language the channel's team speaks: the history is read by others, too."""
    channel.team.language = "ja"
    channel.team.save()
    monkeypatch.setattr(templating, "MAX_RENDERED_CHARACTERS", 5)

    execution = fail_a_run(channel, message="${run_name}")

    said = "The values make the payload longer than 5 characters; use fewer or shorter variables."
    assert execution.result == f"The message could not be rendered: {said}"
    assert slack.messages == []


def test_without_a_title_the_automations_name_stands_there(slack: FakeSlack, channel: SlackChannel) -> None:
    fail_a_run(channel, name="Tell the team")

    (message,) = slack.messages
    assert len(message["blocks"]) == 3
    assert message["blocks"][0]["text"]["text"].startswith(":information_source: *Tell the team*\n")


def test_sl2_nobody_pings_a_channel_by_the_name_of_a_run(slack: FakeSlack, channel: SlackChannel) -> None:
    fail_a_run(channel, run_name=PING, title="${run_name}", message="${run_name} and <!here>")

    (message,) = slack.messages
    assert "<" not in texts(message)
    assert "&lt;!channel&gt; &amp; &lt;@U1&gt;" in texts(message)
    marked = [block["text"] for block in message["blocks"] if "text" in block] + message["blocks"][1]["fields"]
    assert all(one["verbatim"] for one in marked)


def test_what_is_too_long_for_slack_is_cut_and_not_refused(slack: FakeSlack, channel: SlackChannel) -> None:
    execution = fail_a_run(channel, run_name="&" * 255, title="${run_name}" * 9, message="<${run_name}>" * 50)

    assert execution.status == Status.FINISHED
    (message,) = slack.messages
    assert all(len(block["text"]["text"]) <= 3_000 for block in message["blocks"] if "text" in block)
    assert all(len(fact["text"]) <= 2_000 for fact in message["blocks"][1]["fields"])
    assert "&am…" not in texts(message)


def test_an_incoming_webhook_is_posted_to(slack: FakeSlack, hook: SlackChannel) -> None:
    execution = fail_a_run(hook, title="${run_name}")

    assert execution.status == Status.FINISHED
    assert slack.requests[0].path == HOOK
    assert "Authorization" not in slack.requests[0].headers
    attempt = execution.attempts.get()
    assert attempt.url == f"http://127.0.0.1:{slack.port}/••••••"
    assert (attempt.status_code, attempt.response_body) == (200, "ok")


@pytest.mark.parametrize(
    ("broken", "sentence"),
    [
        ("tokens", "Slack does not know the bot token. Paste a new one."),
        ("channels", "There is no such channel in the workspace, or the bot cannot see it."),
        ("archived", "The channel is archived. Choose another one."),
    ],
)
def test_sl3_what_an_admin_has_to_put_right_fails_for_good_and_is_noted(
    slack: FakeSlack, channel: SlackChannel, broken: str, sentence: str
) -> None:
    getattr(slack, broken).clear() if broken != "archived" else slack.archived.add(CHANNEL)
    execution = fail_a_run(channel)

    assert (execution.status, execution.reason_code) == (Status.FAILED, ReasonCode.INTEGRATION_BROKEN)
    assert execution.result.startswith(sentence)
    channel.refresh_from_db()
    assert channel.last_error == execution.result
    assert channel.failing_since is not None


def test_an_integration_that_works_again_says_so(slack: FakeSlack, channel: SlackChannel) -> None:
    SlackChannel.objects.update(last_error="The channel is archived.", failing_since=timezone.now())
    fail_a_run(channel)

    channel.refresh_from_db()
    assert channel.failing_since is None
    assert channel.last_success_at is not None


def test_sl3_a_removed_incoming_webhook_fails_for_good(slack: FakeSlack, hook: SlackChannel) -> None:
    slack.hooks.clear()
    execution = fail_a_run(hook)

    assert execution.status == Status.FAILED
    assert execution.result.startswith("The incoming webhook was removed or disabled.")


@pytest.mark.parametrize("name", ["channel", "hook"])
def test_sl3_a_limit_is_waited_for(request: pytest.FixtureRequest, slack: FakeSlack, name: str) -> None:
    slack.limit(seconds=90)
    before = timezone.now()
    execution = fail_a_run(request.getfixturevalue(name))

    assert (execution.status, execution.result) == (Status.PENDING, "Slack takes no more messages for the moment.")
    assert execution.next_attempt_at is not None
    assert execution.next_attempt_at - before >= timedelta(seconds=90)
    executions.run(execution.pk, now=execution.next_attempt_at)
    execution.refresh_from_db()
    assert execution.status == Status.FINISHED
    assert len(slack.requests) == 2


@pytest.mark.parametrize(
    "behaviour",
    [
        {"status": 503, "body": b"upstream"},
        {"body": b'{"ok": false, "error": "internal_error"}'},
        {"close": True},
    ],
)
def test_a_fault_of_slacks_is_tried_again(slack: FakeSlack, channel: SlackChannel, behaviour: Any) -> None:
    slack.behave(times=1, **behaviour)

    assert fail_a_run(channel).status == Status.PENDING


@pytest.mark.parametrize(
    ("behaviour", "result"),
    [
        ({"body": b'{"ok": false, "error": "msg_too_long"}'}, "Slack refused the message: msg_too_long."),
        ({"body": b"<html>"}, "Slack's answer cannot be read."),
        ({"body": b"[]"}, "Slack's answer cannot be read."),
        ({"status": 302, "headers": {"Location": "http://127.0.0.1:1/"}, "body": b""}, "Slack answered 302 Found."),
        ({"status": 403, "body": b"{}"}, "Slack answered 403 Forbidden."),
    ],
)
def test_other_refusals_are_final_and_no_fault_of_the_integration(
    slack: FakeSlack, channel: SlackChannel, behaviour: Any, result: str
) -> None:
    slack.behave(times=1, **behaviour)
    execution = fail_a_run(channel)

    assert (execution.status, execution.result) == (Status.FAILED, result)
    assert SlackChannel.objects.get().failing_since is None
    assert len(slack.requests) == 1


def test_wh9_the_guard_stands_before_slack_as_well(slack: FakeSlack, hook: SlackChannel, settings: Any) -> None:
    settings.WEBHOOK_ALLOWED_NETWORKS = []
    execution = fail_a_run(hook)

    assert (execution.status, execution.reason_code) == (Status.FAILED, ReasonCode.REFUSED_ADDRESS)
    assert slack.requests == []


def test_proxies_of_the_environment_are_not_asked(
    slack: FakeSlack, channel: SlackChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")

    assert fail_a_run(channel).status == Status.FINISHED


@pytest.mark.parametrize("name", ["channel", "hook"])
@pytest.mark.parametrize("echoed", [True, False])
def test_se1_the_credential_is_in_no_row(
    request: pytest.FixtureRequest, slack: FakeSlack, name: str, echoed: bool
) -> None:
    """Also where Slack's answer repeats it."""
    if echoed:
        credential = TOKEN if name == "channel" else slack.hook_url
        answer = json.dumps({"ok": False, "error": f"{credential} is wrong"}).encode()
        slack.behave(times=1, status=400, body=answer, headers={"X-Credential": credential})
    fail_a_run(request.getfixturevalue(name), message="${ACCESS_TOKEN}")

    kept = "".join(
        serializers.serialize("json", model.objects.all()) for model in (Execution, Attempt, SlackChannel, Automation)
    )
    assert TOKEN not in kept
    assert "wonderfulsecret" not in kept


def test_a_channel_that_was_deleted_meanwhile_is_said_to_be(channel: SlackChannel, slack: FakeSlack) -> None:
    project = factories.make_project(channel.team)
    automation = factories.make_automation(project, slack_channel=channel)
    run = factories.make_run(project)
    runs.finish(run, exit_code=1, by=run.user, at=timezone.now())
    automation.delete()
    channel.delete()
    executions.run(Execution.objects.get().pk)

    execution = Execution.objects.get()
    assert (execution.status, execution.result) == (
        Status.FAILED,
        "The Slack channel was deleted before this could be sent.",
    )
