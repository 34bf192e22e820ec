"""Our schema against every operation the client can send (the SDK is the judge, not a description of it)."""

import pytest
from graphql import GraphQLSyntaxError, parse, validate

from tests.wandb_gateway.operations import shipped
from wandb_gateway import documents
from wandb_gateway.absent import ABSENT
from wandb_gateway.schema import SCHEMA

# What is not offered here, and why.
NOT_OFFERED = {
    "Sweeps": (
        "apis GetAgentRuns",
        "apis GetSweepAgent",
        "apis GetSweepAgents",
        "apis/public/sweeps CreateAgent",
        "apis/public/sweeps EnqueueSweepRun",
        "apis/public/sweeps Heartbeat",
        "apis/public/sweeps SweepWithRuns",
        "apis/public/sweeps UpsertSweep",
        "core EnqueueSweepRun",
        "core UpsertSweepState",
    ),
    "Launch queues and agents": (
        "apis/public/jobs DeleteFromRunQueue",
        "apis/public/jobs DeleteRunQueue",
        "apis/public/jobs GetDefaultResourceConfig",
        "apis/public/jobs GetRunQueueItem",
        "apis/public/jobs GetRunQueueItems",
        "apis/public/jobs GetRunQueueMetadata",
        "apis/public/jobs fetchRunQueuesFromProject",
        "core CreateDefaultResourceConfig",
        "core CreateRunQueue",
        "core UpsertRunQueue",
        "sdk/launch/api LaunchAgent",
        "sdk/launch/api ProjectRunQueues",
        "sdk/launch/api ackRunQueueItem",
        "sdk/launch/api createLaunchAgent",
        "sdk/launch/api failRunQueueItem",
        "sdk/launch/api popFromRunQueue",
        "sdk/launch/api pushToRunQueue",
        "sdk/launch/api pushToRunQueueByName",
        "sdk/launch/api updateLaunchAgent",
        "sdk/launch/api updateRunQueueItemWarning",
    ),
    "Reports": ("apis/public/reports ProjectViews",),
    "Custom charts": ("core CreateCustomChart",),
    "the client's own check of proxies: it counts on being refused": ("sdk/verify/verify Project",),
}
OFFERED_NOWHERE = set(ABSENT.values())
OUTSIDE = {name for names in NOT_OFFERED.values() for name in names}


def complaints_about(text: str) -> list[str]:
    try:
        return [complaint.message for complaint in validate(SCHEMA, parse(text))]
    except GraphQLSyntaxError as error:  # it is completed at run time, with what depends on the server
        return [error.message]


def test_every_place_that_ships_operations_is_read() -> None:
    names = set(shipped())
    assert len(names) > 150
    assert {
        "core UpsertBucket",
        "core CreateArtifact",
        "apis/public/runs Runs",
        "automations CreateAutomation",
    } <= names
    assert names >= OUTSIDE


@pytest.mark.parametrize("name", sorted(set(shipped()) - OUTSIDE))
def test_an_operation_of_the_client_fits_the_schema(name: str) -> None:
    text = shipped()[name]
    assert complaints_about(text) == []
    assert documents.read(text, SCHEMA)


@pytest.mark.parametrize("name", sorted(OUTSIDE))
def test_what_is_not_offered_is_refused_and_the_list_holds_nothing_else(name: str) -> None:
    assert complaints_about(shipped()[name])


@pytest.mark.parametrize("name", sorted(OUTSIDE))
def test_what_is_not_offered_is_told_in_a_sentence(name: str) -> None:
    (subject,) = (subject for subject, names in NOT_OFFERED.items() if name in names)
    with pytest.raises(documents.InvalidDocument) as refusal:
        documents.read(shipped()[name], SCHEMA)
    is_whole = "cannot be read" not in refusal.value.message  # else it is completed at run time
    assert subject not in OFFERED_NOWHERE or not is_whole or f"{subject} are not offered" in refusal.value.message


def test_every_mutation_is_bound_because_the_client_dies_of_a_null() -> None:
    mutations = SCHEMA.mutation_type
    assert mutations is not None
    assert [name for name, field in mutations.fields.items() if field.resolve is None] == []
