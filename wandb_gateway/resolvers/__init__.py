"""One module for each subject of the schema; each names what it binds in `BINDABLES`."""

from wandb_gateway.resolvers import (
    consolelogs,
    entities,
    history,
    people,
    projects,
    runfiles,
    runlists,
    runs,
    scalars,
    server,
    teams,
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
    *runlists.BINDABLES,
    *history.BINDABLES,
    *consolelogs.BINDABLES,
    *runfiles.BINDABLES,
    *upserts.BINDABLES,
)
