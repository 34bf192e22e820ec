from registries.models.artifact import Alias, Artifact, Membership, Tag
from registries.models.collection import Collection, CollectionKind, CollectionTag
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
