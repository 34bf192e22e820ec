"""Values in JSON documents by their keys, where the database looks for them."""

from __future__ import annotations

import json
from typing import Any

from django.db.models.fields.json import KeyTransform
from django.db.models.lookups import IsNull


class Key(KeyTransform):
    """What stands under a key. A key of digits is a name like any other: `accuracy.0` is that of the class 0.

    Django takes digits for a place in a list, and PostgreSQL refuses a place that is no integer of 4 bytes.
    """

    def as_postgresql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        lhs, params, keys = self.preprocess_lhs(compiler, connection)
        return f"({lhs} {self.postgres_nested_operator} %s)", (*params, keys)

    def as_sqlite(self, compiler: Any, connection: Any, **extra_context: Any) -> tuple[str, tuple[Any, ...]]:
        lhs, params, keys = self.preprocess_lhs(compiler, connection)
        path = "$" + "".join(f".{json.dumps(key)}" for key in keys)
        # As Django does: null, true and false, which SQLite has no values for, by their names.
        kinds = ",".join(f"'{kind}'" for kind in sorted(connection.ops.jsonfield_datatype_values))
        sql = (
            f"(CASE WHEN JSON_TYPE({lhs}, %s) IN ({kinds}) THEN JSON_TYPE({lhs}, %s) ELSE JSON_EXTRACT({lhs}, %s) END)"
        )
        return sql, (*params, path) * 3


# Django's asks for the key once more, by a path of its own making.
Key.register_lookup(IsNull)
