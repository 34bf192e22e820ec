"""The loop guard: what a receiver writes back belongs to the chain that called it, and no chain goes round for ever."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
import time_machine
from django.core import signing
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from automations import causes, executions, loops, webhooks
from automations.causes import HEADER, LONGEST_CHAIN, LONGEST_TOKEN, Cause, Chain
from automations.models import Automation, Cooldown, Event, EventType, Execution, ReasonCode, Status, Webhook
from automations.unsealing import MASK
from projects.models import Project, Run, User
from registries.models import Membership
from tests import factories
from tests.receiver import Receiver

pytestmark = pytest.mark.django_db

Api = Callable[[User | None], APIClient]


@pytest.fixture
def receiver(settings: Settings) -> Iterator[Receiver]:
    settings.WEBHOOK_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def ci(project: Project, receiver: Receiver) -> Webhook:
    return factories.make_webhook(project.team, receiver.url, name="ci")


def on_alias(project: Project, alias: str, webhook: Webhook | None = None) -> Automation:
    """An automation named after the alias it waits for."""
    return factories.make_automation(
        project, EventType.ADD_ARTIFACT_ALIAS, name=alias, filter={"alias": alias}, webhook=webhook
    )


def add_alias(client: APIClient, version: Membership, alias: str, *, token: str = "") -> None:
    address = f"/api/projects/{version.collection.project}/collections/{version.collection.name}"
    headers = {"HTTP_X_AUTOMATION_CAUSE": token} if token else {}
    answer = client.post(f"{address}/versions/v{version.version_index}/aliases/", {"alias": alias}, **headers)
    assert answer.status_code < 300, answer.content


def token_received(receiver: Receiver, *, count: int) -> str:
    return receiver.wait_for(count)[-1].headers[HEADER]


def carried_out() -> Execution:
    """The newest execution, after a worker had it."""
    execution = Execution.objects.latest("pk")
    executions.run(execution.pk)
    execution.refresh_from_db()
    return execution


def test_a_calls_ci_and_ci_sets_off_b_which_calls_ci_and_ci_sets_off_a_no_more(
    project: Project, bob: User, api: Api, ci: Webhook, receiver: Receiver
) -> None:
    version, client = factories.make_version(project), api(bob)
    on_alias(project, "candidate", ci)
    on_alias(project, "tested", ci)

    add_alias(client, version, "candidate")
    first = carried_out()
    add_alias(client, version, "tested", token=token_received(receiver, count=1))
    second = carried_out()
    add_alias(client, factories.make_version(project), "candidate")  # by hand: it begins a chain of its own
    third = carried_out()
    add_alias(client, version, "candidate", token=receiver.requests[1].headers[HEADER])
    last = carried_out()

    assert [one.status for one in (first, second, third)] == [Status.FINISHED] * 3
    assert (last.status, last.reason_code) == (Status.SKIPPED, ReasonCode.LOOP)
    assert last.result == (
        "Not carried out, to end a loop: in the chain of executions that led to this event, this automation has already"
        " run for the same version."
    )
    assert last.finished_at is not None
    assert last.attempt_count == 0
    assert [cause.execution for cause in causes.chain_of(last.event)] == [first.key, second.key]
    assert len(receiver.requests) == 3


def test_a_chain_of_three_is_the_longest(
    project: Project, bob: User, api: Api, ci: Webhook, receiver: Receiver
) -> None:
    """Each time about another version, as when CI logs a new one."""
    factories.make_automation(project, EventType.CREATE_ARTIFACT, webhook=ci)
    token = ""
    for number in range(1, LONGEST_CHAIN + 1):
        log_version(api(bob), project, token=token)
        assert carried_out().status == Status.FINISHED
        token = token_received(receiver, count=number)
        assert len(token) < LONGEST_TOKEN
    log_version(api(bob), project, token=token)
    stopped = carried_out()
    assert (stopped.status, stopped.reason_code) == (Status.SKIPPED, ReasonCode.LOOP)
    assert "is 3 long" in stopped.result
    assert len(receiver.requests) == LONGEST_CHAIN


def log_version(client: APIClient, project: Project, *, token: str) -> None:
    headers = {"HTTP_X_AUTOMATION_CAUSE": token} if token else {}
    body = {"collection": "model", "type": "model"}
    answer = client.post(f"/api/projects/{project}/artifacts/", body, **headers)
    assert answer.status_code == 201, answer.content


def test_a_skipped_loop_is_never_due(project: Project, api: Api, bob: User) -> None:
    automation = factories.make_automation(project)
    run = factories.make_run(project)
    finish(api(bob), run, token=token_of(Cause(uuid.uuid4(), automation.pk, f"run:{run.pk}")))
    assert Execution.objects.get().reason_code == ReasonCode.LOOP
    assert not Execution.objects.due(timezone.now()).exists()


def finish(client: APIClient, run: Run, *, token: str) -> None:
    body = {"exit_code": 1}
    address = f"/api/projects/{run.project}/runs/{run.run_id}/finish/"
    answer = client.post(address, body, HTTP_X_AUTOMATION_CAUSE=token)
    assert answer.status_code == 200, answer.content


def token_of(*chain: Cause) -> str:
    return signing.dumps(causes.stored(chain), salt=causes.SALT)


def test_ev11_a_loop_is_noted_once_a_day_for_each_run_and_arms_nothing(project: Project, bob: User, api: Api) -> None:
    watching = factories.make_automation(project, EventType.RUN_METRIC, name="loss")
    run = factories.make_run(project)
    token = token_of(Cause(uuid.uuid4(), watching.pk, f"run:{run.pk}"))
    address = f"/api/projects/{run.project}/runs/{run.run_id}/metrics/"
    for _ in range(3):
        api(bob).post(address, [{"loss": 5.0}], HTTP_X_AUTOMATION_CAUSE=token)
    assert Execution.objects.get().reason_code == ReasonCode.LOOP
    assert Event.objects.filter(kind="METRICS_LOGGED").count() == 1
    assert Cooldown.objects.get().state == loops.QUIET_KEY

    api(bob).post(address, [{"loss": 5.0}])
    assert Execution.objects.filter(status=Status.PENDING).count() == 1


def test_another_automation_of_the_chain_about_the_same_subject_goes_on() -> None:
    chain = (Cause(uuid.uuid4(), 1, "run:7"), Cause(uuid.uuid4(), 2, "run:7"))
    assert "already run for the same run" in loops.objection(chain, 1, subject="run:7")
    assert loops.objection(chain, 1, subject="run:8") == ""
    assert loops.objection(chain, 3, subject="run:7") == ""


@pytest.mark.parametrize(
    "spoil",
    [
        lambda _: "",
        lambda _: "no token at all",
        lambda token: token[:-1],
        lambda token: "A" + token,
        lambda token: token * 20,
        lambda token: "ü" + token,
        lambda _: signing.dumps([["x"]], salt="another"),
        lambda token: token.replace(":", "\n"),
    ],
)
def test_a_token_that_is_none_of_ours_is_passed_over(
    project: Project, api: Api, bob: User, spoil: Callable[[str], str]
) -> None:
    automation = factories.make_automation(project)
    run = factories.make_run(project)
    finish(api(bob), run, token=spoil(token_of(Cause(uuid.uuid4(), automation.pk, f"run:{run.pk}"))))
    execution = Execution.objects.get()
    assert (execution.status, execution.event.chain) == (Status.PENDING, [])


def test_a_token_is_worth_something_for_a_week() -> None:
    cause = Cause(uuid.uuid4(), 1, "run:1")
    token = token_of(cause)
    with time_machine.travel(timezone.now() + timedelta(days=6, hours=23), tick=False):
        assert causes.read(token) == (cause,)
    with time_machine.travel(timezone.now() + timedelta(days=7, minutes=1), tick=False):
        assert causes.read(token) == ()


def test_the_longest_token_is_within_the_bound() -> None:
    cause = Cause(uuid.uuid4(), 2**63 - 1, f"collection:{2**63 - 1}")
    assert len(token_of(*[cause] * LONGEST_CHAIN)) < LONGEST_TOKEN


def test_one_request_is_not_taken_for_the_cause_of_the_next(project: Project, api: Api, bob: User) -> None:
    client = api(bob)
    finish(client, factories.make_run(project), token=token_of(Cause(uuid.uuid4(), 1, "run:0")))
    assert causes.current() == ()
    client.post(f"/api/projects/{project}/runs/", {})
    assert [bool(chain) for chain in Event.objects.order_by("pk").values_list("chain", flat=True)] == [
        False,
        True,
        False,
    ]


def test_the_wandb_client_joins_a_chain_by_the_same_header(project: Project, bob: User, client: Client) -> None:
    """Through file_stream, which says that a script ended, and through GraphQL."""
    chain = (Cause(uuid.uuid4(), 1, "run:0"),)
    run = factories.make_run(project)
    signed_in = {
        "HTTP_AUTHORIZATION": f"Bearer {factories.make_api_key(bob)}",
        "HTTP_X_AUTOMATION_CAUSE": token_of(*chain),
    }
    address = f"/files/{project}/{run.run_id}/file_stream"
    body = {"complete": True, "exitcode": 1}
    assert client.post(address, body, content_type="application/json", **signed_in).status_code == 200
    upsert = """mutation { upsertBucket(input: {entityName: "research", modelName: "digits", name: "fresh"})
        { bucket { id } } }"""
    answer = client.post("/graphql", {"query": upsert}, content_type="application/json", **signed_in)
    assert answer.status_code == 200, answer.content
    chains = Event.objects.filter(kind="RUN_STATE").order_by("pk").values_list("chain", flat=True)
    assert list(chains)[1:] == [causes.stored(chain)] * 2


def test_the_token_is_sent_but_not_shown(
    project: Project, api: Api, bob: User, ci: Webhook, receiver: Receiver
) -> None:
    factories.make_automation(project, webhook=ci)
    finish(api(bob), factories.make_run(project), token="")
    execution = carried_out()
    assert causes.read(token_received(receiver, count=1)) == (
        Cause(execution.key, execution.automation_id, f"run:{execution.event.run_id}"),
    )
    assert execution.attempts.get().request_headers[HEADER] == MASK


def test_the_token_cannot_be_set_by_a_webhooks_extra_headers(project: Project, alice: User) -> None:
    headers = {"x-automation-CAUSE": "mine"}
    with pytest.raises(ValidationError, match="is set by the server itself"):
        webhooks.create(project.team, by=alice, name="ci", url="https://hooks.example.com", headers=headers)


# --- what readers are shown -----------------------------------------------------------------------------------


def led_by(project: Project, *earlier: Execution) -> Execution:
    chain: Chain = tuple(Cause(one.key, one.automation_id, "run:1") for one in earlier)
    event = factories.make_event(factories.make_run(project), chain=causes.stored(chain))
    return factories.make_execution(
        factories.make_automation(project, name="last"), event, status=Status.SKIPPED, reason_code=ReasonCode.LOOP
    )


def earlier_in(project: Project, name: str) -> Execution:
    return factories.make_execution(
        factories.make_automation(project, name=name), factories.make_event(factories.make_run(project))
    )


def test_az1_the_page_and_the_api_show_the_chain_as_far_as_the_reader_may_see_it(
    project: Project, bob: User, api: Api, client: Client
) -> None:
    hidden = factories.make_project(factories.make_team("hidden", admin=factories.make_user("charlie")), "secret")
    first, second = earlier_in(project, "first link"), earlier_in(hidden, "hidden link")
    last = led_by(project, first, second)

    assert api(bob).get(f"/api/executions/{last.key}/").json()["led_here"] == [str(first.key)]
    client.force_login(bob)
    page = client.get(reverse("automations:execution", kwargs={"key": last.key})).content.decode()
    assert "What led here" in page
    assert first.get_absolute_url() in page
    assert "first link" in page
    assert "hidden link" not in page
    assert str(second.key) not in page


def test_the_page_reads_the_chain_at_once(project: Project, bob: User, client: Client) -> None:
    client.force_login(bob)

    def queries(execution: Execution) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(execution.get_absolute_url()).status_code == 200
        return len(captured)

    earlier = [earlier_in(project, f"link {number}") for number in range(3)]
    one, three = led_by(project, earlier[0]), None
    Automation.objects.filter(name="last").update(name="was last")
    three = led_by(project, *earlier)
    queries(one)
    assert queries(one) == queries(three)


def test_without_a_chain_the_page_says_nothing_of_it(project: Project, bob: User, client: Client) -> None:
    client.force_login(bob)
    assert "What led here" not in client.get(led_by(project).get_absolute_url()).content.decode()
