"""A lease that stays while its worker lives, however long a single step takes."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import DatabaseError, InterfaceError, connections

from evidence.jobs.kinds import CannotBeDone, LeaseLost
from evidence.jobs.leases import Lease

log = logging.getLogger(__name__)
RENEWALS_PER_LEASE = 3
REPORT_SECONDS = 1.0  # between two writings of progress


class Heartbeat:
    """Renews one lease in a thread; the worker tells it how far it is."""

    def __init__(self, lease: Lease[Any]) -> None:
        self._lease = lease
        self._over, self._lost = threading.Event(), threading.Event()
        self._refusal: CannotBeDone | None = None
        self._changes: dict[str, Any] = {}

    def report(self, **changes: Any) -> None:
        """Have progress written with the next renewal; cheap to call often.

        Needs no connection, so also for whoever is inside a transaction that cannot
        write. Raises LeaseLost once a renewal found the lease lost: cancelled, above
        all; and CannotBeDone once the kind says that the job must not go on.
        """
        if self._refusal is not None:
            raise self._refusal
        if self._lost.is_set():
            raise LeaseLost(f"{self._lease.job._meta.label} {self._lease.job.pk}")
        self._changes = changes  # one assignment: the thread sees it whole

    def beat(self) -> None:
        """Renew until told to end: with progress every second, else three times a
        lease."""
        pause = self._lease.kind.lease.total_seconds() / RENEWALS_PER_LEASE
        looks = max(1, math.ceil(pause / REPORT_SECONDS))  # for each renewal
        looked, written = 0, self._changes
        try:
            while not self._over.wait(pause / looks):
                looked += 1
                changes = self._changes
                if looked < looks and changes is written:
                    continue
                try:
                    self._lease.renew(**changes)
                    looked, written = 0, changes
                    self._lease.kind.require_going_on(self._lease.job)
                except LeaseLost:
                    self._lost.set()
                    return
                except CannotBeDone as refusal:
                    self._refusal = refusal
                    return
                except (DatabaseError, InterfaceError) as failure:  # perhaps back soon
                    log.warning("A lease was not renewed: %s", failure)
                    connections.close_all()
        finally:
            connections.close_all()

    def end(self) -> None:
        """Let the thread end after what it is doing."""
        self._over.set()


@contextmanager
def kept_alive(lease: Lease[Any]) -> Iterator[Heartbeat]:
    """Inside, the lease is renewed by a thread with a database connection of its own.

    So a long query or a slow disk does not lose it; a process that is stopped or
    killed does. Hold no lock on the row of the job when leaving. Whoever works on
    learns of a lost lease by the next report or call on the lease; work that never
    ends is ended by Celery's limit (CELERY_TASK_TIME_LIMIT).
    """
    heartbeat = Heartbeat(lease)
    beating = threading.Thread(target=heartbeat.beat, name="lease", daemon=True)
    beating.start()
    try:
        yield heartbeat
    finally:
        heartbeat.end()
        beating.join()
