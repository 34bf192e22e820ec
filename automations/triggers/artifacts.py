"""Triggers on artifact versions, in projects and in registries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from automations import filters
from automations.models import EventType
from automations.triggers.base import Match, Trigger
from automations.triggers.runs import COMMON_VARIABLES
from registries.events import ADD_ARTIFACT_ALIAS, CREATE_ARTIFACT, LINK_ARTIFACT

ARTIFACT_VARIABLES = (
    *COMMON_VARIABLES,
    "artifact_collection_name",
    "artifact_version",
    "artifact_version_string",
    "artifact_version_index",
    "artifact_metadata.*",
)


class ArtifactTrigger(Trigger):
    """The event itself is what is asked for; the filter says of which versions."""

    fields = filters.ARTIFACT_FIELDS
    variables: ClassVar[tuple[str, ...]] = ARTIFACT_VARIABLES
    happening: str
    told: str

    def judge(self, condition: Any, facts: Mapping[str, Any], details: Mapping[str, Any]) -> Match:
        return Match(True, self.told.format_map(details))

    def condition_clause(self, condition: Any) -> str:
        return self.happening


class NewVersionTrigger(ArtifactTrigger):
    event_type = EventType.CREATE_ARTIFACT
    listens_to = CREATE_ARTIFACT
    description = "A new version of an artifact is logged."
    happening = "a new artifact version is logged"
    told = "{collection}:{version} was logged"


class LinkTrigger(ArtifactTrigger):
    event_type = EventType.LINK_ARTIFACT
    listens_to = LINK_ARTIFACT
    description = "A version is linked to a registry's collection."
    happening = "a version is linked to a registry"
    told = "{collection}:{version} was linked"


class AliasTrigger(ArtifactTrigger):
    event_type = EventType.ADD_ARTIFACT_ALIAS
    listens_to = ADD_ARTIFACT_ALIAS
    description = "An alias is added to a version, or moved to it."
    variables = (*ARTIFACT_VARIABLES, "alias")
    happening = "an alias is added"
    told = "alias {alias} was added to {collection}:{version}"

    def clause(self, condition: object, filter: object) -> str:
        """`alias ^production$ is added` where the alias is all that is asked for."""
        wanted = _only_alias(filter)
        return f"alias {wanted} is added" if wanted else super().clause(condition, filter)


def _only_alias(document: object) -> str:
    """The alias or pattern a filter asks for, if it asks for nothing else."""
    if not isinstance(document, dict) or len(document) != 1:
        return ""
    ((key, value),) = document.items()
    if key in {"$and", "$or"} and isinstance(value, list) and len(value) == 1:
        return _only_alias(value[0])
    if key != "alias":
        return ""
    if isinstance(value, dict) and len(value) == 1:
        value = value.get("$regex", value.get("$eq"))
    return value if isinstance(value, str) else ""
