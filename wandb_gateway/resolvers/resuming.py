"""What a script that resumes its run asks first: whether there is one, and how far it got."""

from __future__ import annotations

import json

from ariadne import ObjectType
from django.http import Http404
from graphql import GraphQLResolveInfo

from projects import access, metrics
from projects.models import Project, Run
from projects.models.history import Stream
from registries.models import Registry

project = ObjectType("Project")
run = ObjectType("Run")


@project.field("bucket")
def bucket(found: Project | Registry, info: GraphQLResolveInfo, *, name: str, **options: bool) -> Run | None:
    """The run with this id; one that is missing is an error unless the client says that it may be."""
    if isinstance(found, Registry):
        return None
    try:
        return access.run_for(info.context.user, found.team.name, found.name, name)
    except Http404:
        if options.get("missingOk"):
            return None
        raise


@run.field("historyTail")
def history_tail(found: Run, _info: GraphQLResolveInfo) -> str:
    return _tail(found, Stream.HISTORY)


@run.field("eventsTail")
def events_tail(found: Run, _info: GraphQLResolveInfo) -> str:
    return _tail(found, Stream.SYSTEM)


def _tail(found: Run, stream: Stream) -> str:
    """A list with the last line, from which the client counts on."""
    row = metrics.last_row(found, stream)
    return json.dumps([] if row is None else [json.dumps(row)])


BINDABLES = (project, run)
