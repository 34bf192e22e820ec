"""What the client has and this server does not: told as that, rather than as a field that is missing."""

from __future__ import annotations

from graphql import DocumentNode, FieldNode, Visitor, visit

# A field of the client's queries → what it belongs to.
ABSENT: dict[str, str] = {
    field: subject
    for subject, fields in {
        "Sweeps": (
            "upsertSweep",
            "createAgent",
            "agentHeartbeat",
            "enqueueSweepRun",
            "agent",
            "agents",
            "earlyStopJobRunning",
        ),
        "Launch queues and agents": (
            "ackRunQueueItem",
            "createDefaultResourceConfig",
            "createLaunchAgent",
            "createRunQueue",
            "defaultResourceConfig",
            "deleteFromRunQueue",
            "deleteRunQueues",
            "failRunQueueItem",
            "launchAgent",
            "popFromRunQueue",
            "pushToRunQueue",
            "pushToRunQueueByName",
            "runQueue",
            "runQueues",
            "updateLaunchAgent",
            "updateRunQueueItemWarning",
            "upsertRunQueue",
        ),
        "Reports": ("allViews",),
        "Custom charts": ("createCustomChart",),
    }.items()
    for field in fields
}


class _Search(Visitor):
    found: str | None = None

    def enter_field(self, node: FieldNode, *_: object) -> None:
        self.found = self.found or ABSENT.get(node.name.value)


def sentence(document: DocumentNode) -> str | None:
    """Why a document that does not fit the schema cannot be run, if it asks for something this server lacks."""
    search = _Search()
    visit(document, search)
    return f"{search.found} are not offered by this server; docs/wandb-sdk.md says what is." if search.found else None
