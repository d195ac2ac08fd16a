"""A lease that stays while its worker lives, however long a single step takes."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import DatabaseError, InterfaceError, connections

from evidence.jobs.kinds import LeaseLost
from evidence.jobs.leases import Lease

log = logging.getLogger(__name__)
RENEWALS_PER_LEASE = 3


@contextmanager
def kept_alive(lease: Lease[Any]) -> Iterator[None]:
    """Inside, the lease is renewed by a thread with a database connection of its own.

    So a long query or a slow disk does not lose it; a process that is stopped or
    killed does. Hold no lock on the row of the job when leaving. Whoever works on
    learns of a lost lease by the next call on the lease; work that never ends is
    ended by Celery's limit (CELERY_TASK_TIME_LIMIT).
    """
    over = threading.Event()
    beating = threading.Thread(
        target=_beat, args=(lease, over), name="lease", daemon=True
    )
    beating.start()
    try:
        yield
    finally:
        over.set()
        beating.join()


def _beat(lease: Lease[Any], over: threading.Event) -> None:
    seconds = lease.kind.lease.total_seconds() / RENEWALS_PER_LEASE
    try:
        while not over.wait(seconds):
            try:
                lease.renew()
            except LeaseLost:
                return
            except (DatabaseError, InterfaceError) as failure:  # perhaps back in time
                log.warning("A lease was not renewed: %s", failure)
                connections.close_all()
    finally:
        connections.close_all()
