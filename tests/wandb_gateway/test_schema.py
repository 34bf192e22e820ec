"""The schema as a whole."""

from wandb_gateway.schema import SCHEMA


def test_every_mutation_is_bound_because_the_client_dies_of_a_null() -> None:
    mutations = SCHEMA.mutation_type
    assert mutations is not None
    assert [name for name, field in mutations.fields.items() if field.resolve is None] == []
