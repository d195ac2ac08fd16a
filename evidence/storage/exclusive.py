"""Work on the whole installation that only one process does at a time."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DatabaseError, connection
from django.db.backends.base.base import BaseDatabaseWrapper

from controls.errors import TransitionNotAllowed

LOCK_CLASS = 9432
CHECKING, SWEEPING, ROTATING, CHECKPOINTING = 1, 2, 3, 4
log = logging.getLogger("srm.store")


@contextmanager
def exclusive_lock(work: int) -> Iterator[None]:
    """Inside, nobody else does this work. Raises TransitionNotAllowed if one does.

    The lock is that of a transaction on a connection of its own, which does nothing
    else: so it holds through a pooler that gives each transaction another session, and
    ends with the process, however that ends. It has no snapshot and no number, so
    neither vacuum nor exports wait for it.
    """
    holder = connection.copy()
    try:
        holder.set_autocommit(False)
        with holder.cursor() as cursor:
            query = "SELECT pg_try_advisory_xact_lock(%s, %s)"
            cursor.execute(query, [LOCK_CLASS, work])
            if not cursor.fetchone()[0]:
                raise TransitionNotAllowed("Another process does this at this moment.")
        yield
    finally:
        _let_go(holder)


def _let_go(holder: BaseDatabaseWrapper) -> None:
    """End the transaction. Where its connection broke, the lock went with it."""
    try:
        if holder.connection is not None:
            holder.rollback()
    except DatabaseError as failure:
        log.warning("The lock on the store was lost meanwhile: %s", failure)
    finally:
        holder.close()
