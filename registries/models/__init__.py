from registries.models.artifact import Alias, Artifact, Membership, Tag
from registries.models.collection import Collection, CollectionTag
from registries.models.registry import Registry, RegistryMember

__all__ = [
    "Alias",
    "Artifact",
    "Collection",
    "CollectionTag",
    "Membership",
    "Registry",
    "RegistryMember",
    "Tag",
]
