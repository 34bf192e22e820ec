"""Projects and entities, as far as a run's own answers show them."""

from __future__ import annotations

from ariadne import ObjectType
from graphql import GraphQLResolveInfo

from projects.models import Organization, Project, Team
from wandb_gateway import ids

project = ObjectType("Project")
entity = ObjectType("Entity")


@project.field("id")
@project.field("internalId")
def project_id(found: Project, _info: GraphQLResolveInfo) -> str:
    return ids.encode("Project", found.pk)


@project.field("entity")
def entity_of(found: Project, _info: GraphQLResolveInfo) -> Team:
    return found.team


@project.field("entityName")
def entity_name(found: Project, _info: GraphQLResolveInfo) -> str:
    return found.team.name


@entity.field("id")
def entity_id(found: Team | Organization, _info: GraphQLResolveInfo) -> str:
    return ids.of_entity(found)


BINDABLES = (project, entity)
