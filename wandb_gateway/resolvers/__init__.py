"""One module for each subject of the schema; each names what it binds in `BINDABLES`."""

from wandb_gateway.resolvers import automations, integrations, scalars, server

BINDABLES = (
    *automations.BINDABLES,
    *integrations.BINDABLES,
    *scalars.BINDABLES,
    *server.BINDABLES,
)
