"""One module for each subject of the schema; each names what it binds in `BINDABLES`."""

from wandb_gateway.resolvers import (
    artifacts,
    collections,
    editing,
    entities,
    manifests,
    people,
    projects,
    runfiles,
    runs,
    scalars,
    server,
    teams,
    uploads,
    upserts,
    viewer,
)

BINDABLES = (
    *scalars.BINDABLES,
    *server.BINDABLES,
    *viewer.BINDABLES,
    *people.BINDABLES,
    *entities.BINDABLES,
    *teams.BINDABLES,
    *projects.BINDABLES,
    *runs.BINDABLES,
    *runfiles.BINDABLES,
    *upserts.BINDABLES,
    *collections.BINDABLES,
    *artifacts.BINDABLES,
    *manifests.BINDABLES,
    *uploads.BINDABLES,
    *editing.BINDABLES,
)
