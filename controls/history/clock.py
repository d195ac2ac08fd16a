"""The clock of knowledge, as the database tells it."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

# Takes a number of its own: once that has ended, a snapshot lists every writer with a
# smaller one that is still under way (it lists none beyond the last that ended).
NEXT_TRANSACTION = "SELECT pg_current_xact_id()::text"
# The snapshot names the writers of every role; pg_stat_activity alone would hide those
# of another role, the owner's above all. It only takes away who is seen to have begun
# later, and who writes in another database of the same server.
OLDER_WRITERS = """
SELECT count(*) FROM pg_snapshot_xip(pg_current_snapshot()) AS running(xid)
 WHERE running.xid < %(next_transaction)s::xid8
   AND NOT EXISTS (
     SELECT FROM pg_stat_activity a
      WHERE a.backend_xid = running.xid::xid AND a.xact_start >= %(instant)s)
   AND NOT EXISTS (
     SELECT FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
      WHERE l.locktype = 'transactionid' AND l.mode = 'ExclusiveLock' AND l.granted
        AND l.transactionid = running.xid::xid AND a.datname <> current_database())
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

    Waits up to `seconds`: an answer of an instant is complete only then. Call it
    outside of any transaction.
    """
    deadline = time.monotonic() + seconds
    with connection.cursor() as cursor:
        cursor.execute(NEXT_TRANSACTION)
        bounds = {"next_transaction": cursor.fetchone()[0], "instant": instant}
        while True:
            cursor.execute(OLDER_WRITERS, bounds)
            if cursor.fetchone()[0] == 0:
                return True
            if time.monotonic() > deadline:
                return False
            time.sleep(0.1)
