"""What is an outage, and what is a fault of ours."""

from __future__ import annotations

import errno
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from django.db import DatabaseError, InterfaceError, OperationalError, connection

from projects import outages


def cause(error: BaseException, by: BaseException) -> BaseException:
    """As the database backends raise it: their own exception in Django's."""
    error.__cause__ = by
    return error


def sqlite_that_is_full(folder: Path) -> sqlite3.Error:
    """What the library raises where there is no room for another page."""
    with closing(sqlite3.connect(folder / "small.sqlite3")) as database:
        database.execute("CREATE TABLE filled (text)")
        database.execute("PRAGMA max_page_count = 3")
        with pytest.raises(sqlite3.OperationalError) as raised:
            database.execute("INSERT INTO filled VALUES (zeroblob(100000))")
    return raised.value


def test_a_full_sqlite_is_no_room(tmp_path: Path) -> None:
    full = sqlite_that_is_full(tmp_path)
    assert outages.of(cause(OperationalError(str(full)), full)) is outages.FULL


def test_a_full_postgresql_is_no_room() -> None:
    psycopg = pytest.importorskip("psycopg")
    full = psycopg.errors.DiskFull("could not extend file")
    assert outages.of(cause(OperationalError(str(full)), full)) is outages.FULL


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_under_the_files_is_no_room(number: int) -> None:
    assert outages.of(OSError(number, "no room")) is outages.FULL


def test_what_a_locked_sqlite_raises_may_pass(tmp_path: Path) -> None:
    path = tmp_path / "locked.sqlite3"
    with closing(sqlite3.connect(path)) as one, closing(sqlite3.connect(path, timeout=0)) as other:
        one.execute("BEGIN EXCLUSIVE")
        with pytest.raises(sqlite3.OperationalError) as raised:
            other.execute("BEGIN IMMEDIATE")
    assert outages.of(cause(OperationalError(str(raised.value)), raised.value)) is outages.AWAY


@pytest.mark.parametrize("kind", [OperationalError, InterfaceError])
def test_a_database_that_is_away_may_come_back(kind: type[DatabaseError]) -> None:
    assert outages.of(kind("server closed the connection unexpectedly")) is outages.AWAY


@pytest.mark.parametrize("error", [None, RuntimeError("a fault"), OSError(errno.EACCES, "no"), DatabaseError("SQL")])
def test_other_faults_are_ours(error: Exception | None) -> None:
    assert outages.of(error) is None


def test_a_wrong_query_is_a_fault_of_ours(db: None) -> None:
    with pytest.raises(DatabaseError) as raised, connection.cursor() as cursor:
        cursor.execute("SELECT * FROM there_is_no_such_table")
    assert outages.of(raised.value) is None
