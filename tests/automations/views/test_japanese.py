"""UI6: pages about automations in Japanese, of records that are kept in English."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from automations.models import Execution
from projects import runs
from projects.audit import Deed
from projects.models import AuditRecord
from tests import factories

if TYPE_CHECKING:
    from automations.models import Webhook
    from projects.models import Project, User

pytestmark = pytest.mark.django_db

JAPANESE = {"accept-language": "ja"}
HIDDEN = re.compile(r"<(script|style|code|pre|textarea)\b.*?</\1>", re.DOTALL)


def text_of(answer: Any) -> str:
    """What the main part of a page says, without code."""
    page = answer.content.decode()
    main = page[page.index("<main") :] if "<main" in page else page
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", HIDDEN.sub(" ", main))).split())


@pytest.fixture
def japanese(browser: Callable[[User], Client], alice: User) -> Callable[..., str]:
    """What a page says to alice, who reads Japanese."""
    client = browser(alice)

    def read(address: str, **data: str) -> str:
        answer = client.get(address, data, headers=JAPANESE)
        assert answer.status_code == 200
        assert answer.headers["Content-Language"] == "ja"
        return text_of(answer)

    return read


@pytest.fixture
def failed(project: Project, webhook: Webhook) -> Execution:
    """Of an automation on a run that failed, which gave up."""
    rule = {"display_name": {"$regex": "^night-"}}
    factories.make_automation(project, name="見張り", webhook=webhook, filter=rule)
    run = factories.make_run(project, display_name="night-7")
    runs.finish(run, exit_code=1, by=run.user, at=timezone.now())
    execution = Execution.objects.get()
    execution.status, execution.reason_code = "failed", "gave_up"
    execution.result = "The receiver answered 503 Service Unavailable. That was attempt 5, the last one."
    execution.finished_at, execution.next_attempt_at = timezone.now(), None
    execution.save()
    return execution


def test_hi1_the_history_is_in_japanese(japanese: Callable[..., str], failed: Execution) -> None:
    said = japanese("/research/digits/history")

    assert "run の状態" in said
    assert "night-7 失敗" in said
    assert "受信側の応答: 503 Service Unavailable。 これは試行 5 で、最後の試行でした。" in said
    assert "The receiver" not in said
    assert "Executions" not in said


def test_hi2_the_story_of_an_execution_is_in_japanese(japanese: Callable[..., str], failed: Execution) -> None:
    said = japanese(failed.get_absolute_url())

    assert said.count("run が失敗したとき（条件: run 名が ^night- に一致）、webhook pager を呼び出す。") == 2
    assert "run が失敗した（終了コード 1）、run 名が ^night- に一致。" in said
    assert "受信側の応答: 503 Service Unavailable。 これは試行 5 で、最後の試行でした。" in said
    assert "再試行の上限" in said
    for english in ("When a run", "Because", "the run failed", "Attempt", "Redeliver"):
        assert english not in said


def test_what_is_kept_is_english_whoever_caused_it(
    browser: Callable[[User], Client], alice: User, project: Project, webhook: Webhook
) -> None:
    """One record for readers of all languages."""
    automation = factories.make_automation(project, webhook=webhook)
    with translation.override("ja"):
        run = factories.make_run(project)
        runs.finish(run, exit_code=1, by=alice, at=timezone.now())
    execution = Execution.objects.get()
    assert execution.matched_because == "the run failed with exit code 1"
    assert execution.rule["summary"] == "When a run fails, call webhook pager"

    edit = browser(alice).post(f"/automations/{automation.pk}/disable", headers=JAPANESE)
    assert edit.status_code == 302
    record = AuditRecord.objects.filter(deed=Deed.DISABLED).latest("pk")
    assert "プロジェクト" not in json.dumps([record.before, record.after], ensure_ascii=False)


def test_detail_versions_and_why_are_in_japanese(
    japanese: Callable[..., str], failed: Execution, project: Project
) -> None:
    automation = failed.automation
    assert automation is not None
    detail = japanese(automation.get_absolute_url())
    assert "run が失敗したとき（条件: run 名が ^night- に一致） 、 webhook pager を呼び出す 。" in detail
    assert "同じ run と状態では 24 時間に 1 回まで。" in detail
    assert "Last success" not in detail
    why = japanese(f"/automations/{automation.pk}/why", run=str(failed.event.run_id))
    assert "成立しています: run 名が ^night- に一致。" in why
    assert "Passed" not in why


def test_hi7_a_replay_that_is_streamed_goes_on_in_japanese(
    browser: Callable[[User], Client], alice: User, failed: Execution
) -> None:
    """It is made after the answer has begun."""
    headers = {**JAPANESE, "accept": "application/x-ndjson"}
    answer = browser(alice).get(f"/automations/{failed.automation_id}/replay", headers=headers)
    lines = [json.loads(line) for line in b"".join(answer.streaming_content).splitlines()]  # type: ignore[attr-defined]
    assert lines[-1]["verdict"] == "過去 30 日間では 1 回実行されていました: night-7。"
    assert translation.get_language() == "en"


def test_the_api_answers_in_english_whoever_asks(
    browser: Callable[[User], Client], alice: User, failed: Execution
) -> None:
    answer = browser(alice).get(f"/api/automations/{failed.automation_id}/", headers=JAPANESE).json()
    assert answer["summary"] == "When a run fails, where run name matches ^night-, call webhook pager"


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("http://169.254.169.254/latest", "エンドポイントは 169.254.169.254（リンクローカルアドレス）です。"),
        ("https://user:pass@example.com/", "認証情報"),
    ],
)
def test_why_an_address_is_refused(
    browser: Callable[[User], Client], alice: User, project: Project, address: str, said: str
) -> None:
    """WH9: beside the field, whether it is the endpoint of a webhook or where a Slack channel is reached."""
    alices, team = browser(alice), project.team.name
    webhook = {"name": "pager", "url": address, "signature_encoding": "base64"}
    answer = alices.post(reverse("team_settings_create_webhook", args=[team]), webhook, headers=JAPANESE)
    assert said in str(answer.context["form"].errors["url"])
    channel = {"workspace": "Acme", "channel": "ml-alerts", "webhook_url": address}
    answer = alices.post(reverse("team_settings_add_slack_channel", args=[team]), channel, headers=JAPANESE)
    assert said in str(answer.context["form"].errors["webhook_url"])
