"""The clock of knowledge, as the database tells it."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

OLDER_WRITERS = """
SELECT count(*) FROM pg_stat_activity
 WHERE datname = current_database() AND pid <> pg_backend_pid()
   AND backend_xid IS NOT NULL AND xact_start < %s
"""


def knowledge_now() -> dt.datetime:
    """Since when something written now is known: UTC, from the database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT srm_now()")
        instant: dt.datetime = cursor.fetchone()[0]
    return instant


@contextmanager
def clock_at(instant: dt.datetime) -> Iterator[None]:
    """Write as if it were `instant`. For the owner role only; others keep time."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('srm.clock', %s, false)", [str(instant)])
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('srm.clock', '', false)")


def wait_for_older_writers(instant: dt.datetime, *, seconds: float = 10.0) -> bool:
    """Whether all that was begun before `instant` is now committed or gone.

    Waits up to `seconds`: an answer of an instant is complete only then.
    """
    deadline = time.monotonic() + seconds
    while True:
        with connection.cursor() as cursor:
            cursor.execute(OLDER_WRITERS, [instant])
            if cursor.fetchone()[0] == 0:
                return True
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
