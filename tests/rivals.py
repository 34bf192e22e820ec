"""Two callers at the same moment, each of whom looks whether a name is free before the other has written it."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import connection
from django.db.models import Model


def race(make: Callable[[], object], *, over: type[Model]) -> list[object]:
    """What became of two calls that make the same row of a model: what each returned, or the exception it raised.

    Needs `@pytest.mark.django_db(transaction=True)`.
    """
    both_looked = threading.Barrier(2, timeout=20)
    # How Django asks `.exists()`.
    question = f' AS "a" FROM "{over._meta.db_table}"'

    def call(_: int) -> object:
        looked = False

        def meet(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
            nonlocal looked
            answer = execute(sql, params, many, context)
            if not looked and question in sql:
                looked = True
                both_looked.wait()
            return answer

        try:
            with connection.execute_wrapper(meet):
                return make()
        except Exception as error:  # noqa: BLE001  whatever it is, the test judges it
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(call, range(2)))


def raised_by_loser(make: Callable[[], object], *, over: type[Model]) -> Exception:
    """The exception of the one who came second, after checking that the other got the row."""
    outcomes = race(make, over=over)
    losers = [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    assert len(losers) == 1, outcomes
    return losers[0]
