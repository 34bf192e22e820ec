"""What keeps the server from its work and is nobody's fault here: a full disk, a database that is busy or away.

Each is answered with a status by which scripts and proxies know that the same request may work later, and with a
sentence that says what to do. Nothing of such a request was kept: its transaction was rolled back.
"""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from http import HTTPStatus

from django.db import InterfaceError, OperationalError
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

RETRY_AFTER = "10"
DISK_FULL_IN_POSTGRESQL = "53100"


@dataclass(frozen=True, slots=True)
class Outage:
    """How it is answered."""

    status: HTTPStatus
    sentence: str | Promise
    headers: dict[str, str] = field(default_factory=lambda: {"Retry-After": RETRY_AFTER})


FULL = Outage(
    HTTPStatus.INSUFFICIENT_STORAGE,
    _(
        "The server's disk is full, so nothing of this request was kept. Its operator has to "
        "make room where the database and DATA_DIR are; then the same request can be sent again."
    ),
)
AWAY = Outage(
    HTTPStatus.SERVICE_UNAVAILABLE,
    _("The database does not answer at the moment, so nothing of this request was kept. Trying again helps."),
)


def of(error: BaseException | None) -> Outage | None:
    """The outage behind an exception, or None."""
    if any(_is_full(cause) for cause in _causes(error)):
        return FULL
    if isinstance(error, OperationalError | InterfaceError) and not _is_wrong_sql(error.__cause__):
        return AWAY
    return None


def _is_full(error: BaseException) -> bool:
    if isinstance(error, OSError):
        return error.errno in {errno.ENOSPC, errno.EDQUOT}
    if isinstance(error, sqlite3.Error):
        return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
    return getattr(error, "sqlstate", None) == DISK_FULL_IN_POSTGRESQL


def _is_wrong_sql(error: BaseException | None) -> bool:
    """SQLite says of a table that is missing what it says of a file that is locked; only the code tells them apart."""
    return isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__
