"""Work on the whole store that only one process does at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from controls.errors import TransitionNotAllowed

LOCK_CLASS = 9432
CHECKING, SWEEPING = 1, 2


@contextmanager
def exclusive_lock(work: int) -> Iterator[None]:
    """Inside, nobody else does this work. Raises TransitionNotAllowed if one does.

    The lock is the database session's: it ends with the process, however that ends.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [LOCK_CLASS, work])
        if not cursor.fetchone()[0]:
            raise TransitionNotAllowed("Another process does this at this moment.")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [LOCK_CLASS, work])
