"""One module for each subject of the schema; each names what it binds in `BINDABLES`."""

from wandb_gateway.resolvers import scalars, server

BINDABLES = (
    *scalars.BINDABLES,
    *server.BINDABLES,
)
