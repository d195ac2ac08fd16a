"""How long a migrate may wait for the locks of others, and what it says after that.

Whoever waits for a table makes everyone else wait behind: a migrate that one long
reader holds up would stop every page. So it gives up soon and is run again.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.db import OperationalError
from psycopg.errors import LockNotAvailable


class LockedByOthers(CommandError):
    """A migration could not get a lock in time; nothing of it was done."""


def limit_lock_waits(connection: Any) -> None:
    """Let this transaction wait for each lock MIGRATION_LOCK_TIMEOUT seconds at most.

    0 means without end.
    """
    with connection.cursor() as cursor:
        milliseconds = settings.MIGRATION_LOCK_TIMEOUT * 1000
        cursor.execute(f"SET LOCAL lock_timeout = {milliseconds:.0f}")


@contextmanager
def refuse_long_wait(failure: BaseException | None = None) -> Iterator[None]:
    """Raise LockedByOthers for a lock not got in time, in here or before."""
    try:
        yield
    except OperationalError as later:
        _refuse(later)
        raise
    _refuse(failure)


def _refuse(failure: BaseException | None) -> None:
    if failure is None or not isinstance(failure.__cause__, LockNotAvailable):
        return
    raise LockedByOthers(
        "Others hold what a migration has to change, for longer than"
        f" {settings.MIGRATION_LOCK_TIMEOUT} s; nothing of it was done. Run migrate"
        " again, best when no export or other long query runs, or let it wait longer"
        " with MIGRATION_LOCK_TIMEOUT (seconds)."
    ) from failure
