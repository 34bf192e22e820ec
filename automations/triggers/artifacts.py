"""Triggers on artifact versions and collections, in projects and in registries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils.translation import gettext, gettext_noop

from automations import filters
from automations.models import EventType
from automations.triggers.base import Clause, Match, Trigger
from automations.triggers.runs import COMMON_VARIABLES
from registries.events import (
    ADD_ARTIFACT_ALIAS,
    ADD_ARTIFACT_TAG,
    ADD_COLLECTION_TAG,
    CREATE_ARTIFACT,
    LINK_ARTIFACT,
    REMOVE_ARTIFACT_TAG,
    REMOVE_COLLECTION_TAG,
    UNLINK_ARTIFACT,
)

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
        return Match(True, gettext(self.told) % details)

    def condition_clause(self, condition: Any) -> str:
        return gettext(self.happening)


class NewVersionTrigger(ArtifactTrigger):
    event_type = EventType.CREATE_ARTIFACT
    listens_to = CREATE_ARTIFACT
    description = gettext_noop("A new version of an artifact is logged.")
    happening = gettext_noop("a new artifact version is logged")
    told = gettext_noop("%(collection)s:%(version)s was logged")


class LinkTrigger(ArtifactTrigger):
    event_type = EventType.LINK_ARTIFACT
    listens_to = LINK_ARTIFACT
    description = gettext_noop("A version is linked to a registry's collection.")
    happening = gettext_noop("a version is linked to a registry")
    told = gettext_noop("%(collection)s:%(version)s was linked")


class UnlinkTrigger(ArtifactTrigger):
    event_type = EventType.UNLINK_ARTIFACT
    listens_to = UNLINK_ARTIFACT
    description = gettext_noop("A version is taken out of a registry's collection.")
    happening = gettext_noop("a version is unlinked from a registry")
    told = gettext_noop("%(collection)s:%(version)s was unlinked")


class LabelTrigger(ArtifactTrigger):
    """A label that comes or goes; `label_field` names it. `named` is what happens to one that is asked for."""

    label_field: str
    named: str

    def clause(self, condition: object, filter: object) -> Clause:
        """`alias ^production$ is added` where the label is all that is asked for."""
        wanted = _only(self.label_field, filter)
        return Clause(gettext(self.named) % {"label": wanted}) if wanted else super().clause(condition, filter)


class AliasTrigger(LabelTrigger):
    event_type = EventType.ADD_ARTIFACT_ALIAS
    listens_to = ADD_ARTIFACT_ALIAS
    description = gettext_noop("An alias is added to a version, or moved to it.")
    variables = (*ARTIFACT_VARIABLES, "alias")
    label_field = "alias"
    named = gettext_noop("alias %(label)s is added")
    happening = gettext_noop("an alias is added")
    told = gettext_noop("alias %(alias)s was added to %(collection)s:%(version)s")


class TagTrigger(LabelTrigger):
    event_type = EventType.ADD_ARTIFACT_TAG
    listens_to = ADD_ARTIFACT_TAG
    description = gettext_noop("A tag is added to a version.")
    variables = (*ARTIFACT_VARIABLES, "tag")
    label_field = "tag"
    named = gettext_noop("tag %(label)s is added to a version")
    happening = gettext_noop("a tag is added to a version")
    told = gettext_noop("tag %(tag)s was added to %(collection)s:%(version)s")


class UntagTrigger(TagTrigger):
    event_type = EventType.REMOVE_ARTIFACT_TAG
    listens_to = REMOVE_ARTIFACT_TAG
    description = gettext_noop("A tag is removed from a version.")
    named = gettext_noop("tag %(label)s is removed from a version")
    happening = gettext_noop("a tag is removed from a version")
    told = gettext_noop("tag %(tag)s was removed from %(collection)s:%(version)s")


class CollectionTagTrigger(LabelTrigger):
    event_type = EventType.ADD_COLLECTION_TAG
    listens_to = ADD_COLLECTION_TAG
    description = gettext_noop("A tag is added to a collection as a whole.")
    fields = filters.COLLECTION_FIELDS
    variables = (*COMMON_VARIABLES, "artifact_collection_name", "tag")
    label_field = "tag"
    named = gettext_noop("tag %(label)s is added to a collection")
    happening = gettext_noop("a tag is added to a collection")
    told = gettext_noop("tag %(tag)s was added to collection %(collection)s")


class CollectionUntagTrigger(CollectionTagTrigger):
    event_type = EventType.REMOVE_COLLECTION_TAG
    listens_to = REMOVE_COLLECTION_TAG
    description = gettext_noop("A tag is removed from a collection as a whole.")
    named = gettext_noop("tag %(label)s is removed from a collection")
    happening = gettext_noop("a tag is removed from a collection")
    told = gettext_noop("tag %(tag)s was removed from collection %(collection)s")


def _only(field: str, document: object) -> str:
    """The label or pattern a filter asks for, if it asks for nothing else."""
    if not isinstance(document, dict) or len(document) != 1:
        return ""
    ((key, value),) = document.items()
    if key in {"$and", "$or"} and isinstance(value, list) and len(value) == 1:
        return _only(field, value[0])
    if key != field:
        return ""
    if isinstance(value, dict) and len(value) == 1:
        value = value.get("$regex", value.get("$eq"))
    return value if isinstance(value, str) else ""
