"""The schema, bound to its resolvers: built once, when the first request comes."""

from __future__ import annotations

from pathlib import Path

from ariadne import load_schema_from_path, make_executable_schema

from wandb_gateway.resolvers import BINDABLES

SDL = Path(__file__).with_name("schema.graphql")
SCHEMA = make_executable_schema(load_schema_from_path(SDL), *BINDABLES)
