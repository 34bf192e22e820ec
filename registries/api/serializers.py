"""The shapes of collections, versions and registries in the API."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers

from projects.api.endpoints import Document, Text
from projects.models import Role
from projects.names import NAME_LENGTH, validate_path_name
from registries.models import Collection, Membership, Registry, Visibility

COLLECTION = {
    "name": "model",
    "type": "model",
    "path": "research/digits/model",
    "tags": ["reviewed"],
    "description": "",
    "created_at": "2026-05-04T09:30:00Z",
}
VERSION = {
    "version": "v3",
    "version_index": 3,
    "collection": "research/digits/model",
    "type": "model",
    "aliases": ["latest", "production"],
    "tags": ["checked"],
    "metadata": {"accuracy": 0.97},
    "description": "",
    "digest": "",
    "run": "k3v9x2ab",
    "user": "bob",
    "source": None,
    "created_at": "2026-05-04T09:30:00Z",
}
REGISTRY = {
    "organization": "acme",
    "name": "models",
    "description": "What may go to production",
    "visibility": "organization",
    "accepts_all_types": False,
    "accepted_types": ["model"],
    "created_at": "2026-05-04T09:30:00Z",
}


@extend_schema_serializer(examples=[OpenApiExample("Registry", value=REGISTRY)])
class RegistrySerializer(serializers.ModelSerializer[Registry]):
    organization = serializers.CharField(source="organization.name")
    accepted_types = serializers.SerializerMethodField(help_text="If it does not accept all.")

    class Meta:
        model = Registry
        fields = list(REGISTRY)

    def get_accepted_types(self, registry: Registry) -> list[str]:
        return sorted(accepted.name for accepted in registry.accepted_types.all())


class RegistryOptions(serializers.Serializer):
    """What may be said of a registry, when it is made and later."""

    description = Text(required=False, allow_blank=True, max_length=10_000)
    visibility = serializers.ChoiceField(
        choices=Visibility.choices,
        required=False,
        help_text="Whether the whole organization sees it, or its members alone.",
    )
    accepts_all_types = serializers.BooleanField(required=False)
    accepted_types = serializers.ListField(
        child=Text(max_length=128),
        required=False,
        max_length=100,
        help_text="Added to those it accepts already: collections of them may exist.",
        source="accept",
    )


@extend_schema_serializer(
    examples=[OpenApiExample("Registry", value={"name": "models", "description": "What may go to production"})]
)
class NewRegistrySerializer(RegistryOptions):
    name = Text(max_length=128)


@extend_schema_serializer(
    examples=[OpenApiExample("Changes", value={"accepts_all_types": False, "accepted_types": ["dataset"]})]
)
class RegistryChangesSerializer(RegistryOptions):
    name = Text(max_length=128, required=False, help_text="Addresses with the old name lead nowhere afterwards.")


@extend_schema_serializer(examples=[OpenApiExample("A member", value={"username": "bob", "role": "member"})])
class RegistryMemberSerializer(serializers.Serializer):
    username = Text(max_length=128, source="name")
    role = serializers.ChoiceField(choices=Role.choices, default=Role.MEMBER)


@extend_schema_serializer(examples=[OpenApiExample("A team", value={"team": "research", "role": "view-only"})])
class RegistryTeamSerializer(serializers.Serializer):
    team = Text(max_length=128, source="name")
    role = serializers.ChoiceField(choices=Role.choices, default=Role.MEMBER)


@extend_schema_serializer(examples=[OpenApiExample("A role", value={"role": "admin"})])
class RegistryRoleSerializer(serializers.Serializer):
    role = serializers.ChoiceField(choices=Role.choices)


@extend_schema_serializer(examples=[OpenApiExample("Collection", value=COLLECTION)])
class CollectionSerializer(serializers.ModelSerializer[Collection]):
    path = serializers.CharField(source="__str__", help_text="With its project or registry, as other requests name it.")
    tags = serializers.SerializerMethodField(help_text="Of the collection as a whole.")

    class Meta:
        model = Collection
        fields = list(COLLECTION)

    def get_tags(self, collection: Collection) -> list[str]:
        return sorted(tag.name for tag in collection.tags.all())


@extend_schema_serializer(examples=[OpenApiExample("Collection", value={"name": "classifier", "type": "model"})])
class NewCollectionSerializer(serializers.Serializer):
    name = Text(max_length=128)
    type = Text(max_length=128, help_text="Only versions of this type can be linked here.")
    description = Text(required=False, allow_blank=True, max_length=10_000)


@extend_schema_serializer(examples=[OpenApiExample("Version", value=VERSION)])
class VersionSerializer(serializers.Serializer):
    """A version in a collection: with the number and the aliases it has there.

    The context holds `latest_index`, the collection's highest version number, and `visible_projects`, the keys
    of source projects the reader may see: a registry links to projects that are hidden from some readers.
    """

    version = serializers.CharField()
    version_index = serializers.IntegerField()
    collection = serializers.CharField(help_text="Path of the collection it is in.")
    type = serializers.CharField(source="collection.type")
    aliases = serializers.SerializerMethodField(help_text="`latest` among them, if it is the latest.")
    tags = serializers.SerializerMethodField()
    metadata = Document(source="artifact.metadata")
    description = serializers.CharField(source="artifact.description")
    digest = serializers.CharField(source="artifact.digest")
    run = serializers.SerializerMethodField(help_text="Id of the run that logged it, if there is one.")
    user = serializers.SerializerMethodField()
    source = serializers.SerializerMethodField(  # type: ignore[assignment]  # the class attribute goes
        help_text="For a link, the collection it was logged to, if you may see that; else null."
    )
    created_at = serializers.DateTimeField()

    def get_aliases(self, membership: Membership) -> list[str]:
        latest = ["latest"] if membership.version_index == self.context["latest_index"] else []
        return latest + membership.alias_names

    def get_tags(self, membership: Membership) -> list[str]:
        return sorted(tag.name for tag in membership.artifact.tags.all())

    def get_run(self, membership: Membership) -> str | None:
        run = membership.artifact.run
        return run.run_id if run and self._shows_source(membership) else None

    def get_user(self, membership: Membership) -> str | None:
        user = membership.artifact.user
        return user.username if user else None

    def get_source(self, membership: Membership) -> str | None:
        if not membership.is_link or not self._shows_source(membership):
            return None
        return str(membership.artifact.collection)

    def _shows_source(self, membership: Membership) -> bool:
        visible: Any = self.context["visible_projects"]
        return membership.artifact.collection.project_id in visible


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A model",
            value={
                "collection": "model",
                "type": "model",
                "metadata": {"accuracy": 0.97},
                "aliases": ["candidate"],
                "run": "k3v9x2ab",
            },
        )
    ]
)
class NewVersionSerializer(serializers.Serializer):
    collection = Text(
        max_length=NAME_LENGTH,
        validators=[validate_path_name],
        help_text="Made if the project has none of this name.",
    )
    type = Text(max_length=128)
    metadata = Document(required=False)
    aliases = serializers.ListField(child=Text(), required=False, max_length=100)
    tags = serializers.ListField(child=Text(), required=False, max_length=100)
    description = Text(required=False, allow_blank=True, max_length=10_000)
    digest = Text(required=False, allow_blank=True, max_length=128)
    run = Text(required=False, allow_null=True, help_text="Id of the run of this project that made it.")


@extend_schema_serializer(
    examples=[OpenApiExample("A link", value={"version": "research/digits/model:v3", "aliases": ["production"]})]
)
class NewLinkSerializer(serializers.Serializer):
    version = Text(max_length=520, help_text="team/project/collection:v3; an alias or `latest` does as well.")
    aliases = serializers.ListField(child=Text(), required=False, max_length=100)


@extend_schema_serializer(examples=[OpenApiExample("An alias", value={"alias": "production"})])
class NewAliasSerializer(serializers.Serializer):
    alias = Text(help_text="1 to 128 characters without spaces, “/” and “:”.")


@extend_schema_serializer(examples=[OpenApiExample("A protected alias", value={"alias": "production"})])
class ProtectedAliasSerializer(serializers.Serializer):
    alias = serializers.CharField(source="name")


@extend_schema_serializer(examples=[OpenApiExample("A tag", value={"tag": "checked"})])
class NewTagSerializer(serializers.Serializer):
    tag = Text(help_text="1 to 128 letters, digits, “-”, “_” and inner spaces.")
