from registries.models.artifact import Alias, Artifact, ArtifactState, Membership, Tag
from registries.models.collection import Collection, CollectionKind, CollectionTag
from registries.models.file import ArtifactFile, ArtifactManifest, ArtifactUse
from registries.models.registry import (
    AcceptedType,
    ProtectedAlias,
    Registry,
    RegistryMember,
    RegistryTeam,
    Visibility,
)

__all__ = [
    "AcceptedType",
    "Alias",
    "Artifact",
    "ArtifactFile",
    "ArtifactManifest",
    "ArtifactState",
    "ArtifactUse",
    "Collection",
    "CollectionKind",
    "CollectionTag",
    "Membership",
    "ProtectedAlias",
    "Registry",
    "RegistryMember",
    "RegistryTeam",
    "Tag",
    "Visibility",
]
