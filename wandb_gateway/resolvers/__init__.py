"""One module for each subject of the schema; each names what it binds in `BINDABLES`."""

from wandb_gateway.resolvers import lifecycle, places, resuming, runfiles, runs, scalars, server, upserts, viewer

BINDABLES = (
    *scalars.BINDABLES,
    *server.BINDABLES,
    *viewer.BINDABLES,
    *places.BINDABLES,
    *runs.BINDABLES,
    *runfiles.BINDABLES,
    *upserts.BINDABLES,
    *lifecycle.BINDABLES,
    *resuming.BINDABLES,
)
