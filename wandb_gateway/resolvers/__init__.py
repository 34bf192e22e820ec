"""One module for each subject of the schema; each names what it binds in `BINDABLES`."""

from wandb_gateway.resolvers import automations, integrations, places, runs, scalars, server, upserts, viewer

BINDABLES = (
    *automations.BINDABLES,
    *integrations.BINDABLES,
    *scalars.BINDABLES,
    *server.BINDABLES,
    *viewer.BINDABLES,
    *places.BINDABLES,
    *runs.BINDABLES,
    *upserts.BINDABLES,
)
