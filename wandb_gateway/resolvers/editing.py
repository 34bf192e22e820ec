"""What `save()`, `delete()`, `link()` and `unlink()` of a version, and of a collection, ask for."""

from __future__ import annotations

from ariadne import MutationType
from django.db import transaction
from django.http import Http404
from django.utils import timezone
from graphql import GraphQLResolveInfo

from projects.api.runs import project_to_log_to
from projects.models import Project, User
from registries import access, collections, labels, lineage, linking, versions
from registries.models import Artifact, Collection, CollectionTag, Membership, Registry
from wandb_gateway import homes, ids
from wandb_gateway.inputs import Input, Payload, mends
from wandb_gateway.resolvers.uploads import aliases_in, tags_in
from wandb_gateway.whereabouts import (
    LATEST,
    artifact_numbered,
    collection_named,
    collection_to_label,
    given,
    place_in,
    places_of,
    source_of,
    source_to_change,
)
from wandb_gateway.wrapping import document

mutation = MutationType()


@mutation.field("updateArtifact")
@mends
def update_artifact(_root: None, info: GraphQLResolveInfo, input: Input) -> Payload:
    by: User = info.context.user
    ttl = input.get("ttlDurationSeconds")
    versions.update(
        source_to_change(by, input["artifactID"]),
        by=by,
        at=timezone.now(),
        description=input.get("description"),
        metadata=document(input.get("metadata"), "metadata"),
        # Below zero, the client means “for ever” or “as everywhere”, which is the same here.
        ttl_seconds=None if ttl is None else max(ttl, 0),
        tags_to_add=tags_in(input.get("tagsToAdd")),
        tags_to_remove=tags_in(input.get("tagsToDelete")),
    )
    return {"artifact": artifact_numbered(by, input["artifactID"])}


@mutation.field("deleteArtifact")
@mends
def delete_artifact(_root: None, info: GraphQLResolveInfo, input: Input) -> Payload:
    by: User = info.context.user
    source = source_to_change(by, input["artifactID"])
    versions.delete(source.artifact, with_aliases=bool(input.get("deleteAliases")), by=by, at=timezone.now())
    return {"artifact": source.artifact}


def _places_to_label(info: GraphQLResolveInfo, input: Input) -> list[tuple[Membership, str]]:
    """The aliases of an input with the place each is for; the automatic one is nobody's to give or take.

    In one order, so that two who change the same aliases at once do not wait for each other.
    """
    found = [
        (
            place_in(
                info.context.user,
                input["artifactID"],
                entity=one["entityName"],
                project=one["projectName"],
                collection=one["artifactCollectionName"],
            ),
            one["alias"],
        )
        for one in input["aliases"]
        if one["alias"] != LATEST
    ]
    return sorted(found, key=lambda pair: pair[0].collection_id)


@mutation.field("addAliases")
@mends
def add_aliases(_root: None, info: GraphQLResolveInfo, input: Input) -> Payload:
    with transaction.atomic():
        for place, name in _places_to_label(info, input):
            labels.add_alias(place, name, by=info.context.user, at=timezone.now())
    return {"success": True}


@mutation.field("deleteAliases")
@mends
def delete_aliases(_root: None, info: GraphQLResolveInfo, input: Input) -> Payload:
    with transaction.atomic():
        for place, name in _places_to_label(info, input):
            labels.remove_alias(place, name, by=info.context.user)
    return {"success": True}


@mutation.field("linkArtifact")
@mends
def link_artifact(_root: None, info: GraphQLResolveInfo, input: Input) -> Payload:
    by: User = info.context.user
    source = _source_of_link(by, input)
    aliases = aliases_in(input.get("aliases"))
    now = timezone.now()
    if input.get("artifactPortfolioID"):
        portfolio = collection_to_label(by, input["artifactPortfolioID"])
        linked, _ = linking.link(source, to=portfolio, by=by, at=now, aliases=aliases)
    else:
        name = given(input.get("artifactPortfolioName"), "The name of the collection")
        with transaction.atomic():
            target = _target_of_link(by, input)
            linked, _ = linking.link_by_name(source, to=target, name=name, by=by, at=now, aliases=aliases)
    return {"versionIndex": linked.version_index, "artifactMembership": linked}


def _source_of_link(by: User, input: Input) -> Membership:
    """The version to link, from wherever who asks sees it."""
    artifact: Artifact | None
    if input.get("artifactID"):
        artifact = artifact_numbered(by, input["artifactID"])
    else:
        artifact = lineage.named_by_client(given(input.get("clientID"), "The id of the artifact"), by)
    if artifact is None:
        raise Http404("There is no such version. Wait until it is logged, then link it.")
    return source_of(artifact, by) or places_of(artifact, by)[0]


def _target_of_link(by: User, input: Input) -> Registry | Project:
    """Where to; a project is made if there is none of this name yet, a registry is not.

    Raises:
        Http404, PermissionDenied: who asks may not link there.
    """
    entity = given(input.get("entityName"), "The entity to link in")
    project = given(input.get("projectName"), "The project to link to")
    found = homes.or_none(lambda: homes.named(by, entity, project))
    if isinstance(found, Registry):
        access.require(by, access.Permission.LINK, found)
        return found
    if found is None and homes.registry_name(project) is not None:
        raise Http404(f"There is no registry “{homes.registry_name(project)}” in {entity}. Create it first.")
    return project_to_log_to(by, entity, project)


@mutation.field("unlinkArtifact")
@mends
def unlink_artifact(_root: None, info: GraphQLResolveInfo, input: Input) -> Payload:
    by: User = info.context.user
    collection = collection_to_label(by, input["artifactPortfolioID"])
    number = ids.number(input["artifactID"], "Artifact")
    found = access.memberships_of(collection).filter(artifact=number).first()
    if found is None:
        raise Http404(f"This version is not linked to {collection}.")
    linking.unlink(found, by=by, at=timezone.now())
    return {"success": True}


@mutation.field("updateArtifactSequence")
@mutation.field("updateArtifactPortfolio")
@mends
def update_collection(_root: None, info: GraphQLResolveInfo, input: Input) -> Payload:
    found = collection_to_label(info.context.user, _id_in(input))
    changed = collections.update(found, name=input.get("name"), description=input.get("description"))
    return {"artifactCollection": changed}


@mutation.field("moveArtifactSequence")
@mends
def move_collection(_root: None, info: GraphQLResolveInfo, input: Input) -> Payload:
    found = collection_to_label(info.context.user, _id_in(input))
    return {"artifactCollection": collections.move(found, to_type=input["destinationArtifactTypeName"])}


@mutation.field("deleteArtifactSequence")
@mutation.field("deleteArtifactPortfolio")
@mends
def delete_collection(_root: None, info: GraphQLResolveInfo, input: Input) -> Payload:
    by: User = info.context.user
    found = collection_to_label(by, _id_in(input))
    collections.delete(found, by=by, at=timezone.now())
    return {"artifactCollection": found}


def _id_in(input: Input) -> str:
    return str(input.get("artifactSequenceID") or input.get("artifactPortfolioID"))


def _collection_to_tag(info: GraphQLResolveInfo, input: Input) -> Collection:
    by: User = info.context.user
    home = homes.named(by, input["entityName"], input["projectName"])
    found = collection_named(home, input["artifactCollectionName"])
    access.require_labels(by, found)
    return found


@mutation.field("createArtifactCollectionTagAssignments")
@mends
def tag_collection(_root: None, info: GraphQLResolveInfo, input: Input) -> Payload:
    found = _collection_to_tag(info, input)
    names = tags_in(input["tags"])
    labels.tag_collection(found, names, by=info.context.user, at=timezone.now())
    return {"tags": CollectionTag.objects.filter(collection=found, name__in=names)}


@mutation.field("deleteArtifactCollectionTagAssignments")
@mends
def untag_collection(_root: None, info: GraphQLResolveInfo, input: Input) -> Payload:
    found = _collection_to_tag(info, input)
    labels.untag_collection(found, tags_in(input["tags"]), by=info.context.user, at=timezone.now())
    return {"success": True}


BINDABLES = (mutation,)
