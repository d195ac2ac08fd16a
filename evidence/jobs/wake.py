"""Telling a worker after commit; with the broker away, the sweep finds the row."""

from __future__ import annotations

import logging
import time
from typing import Any

from django.db import transaction
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

BREAKER_SECONDS = 30.0
log = logging.getLogger(__name__)


class _Breaker:
    """Remembers that the broker was down, so that requests do not wait for it."""

    closed_at = 0.0

    def open(self) -> bool:
        return time.monotonic() < self.closed_at

    def trip(self) -> None:
        self.closed_at = time.monotonic() + BREAKER_SECONDS


breaker = _Breaker()


def wake(task: Any, pk: int) -> None:
    """Queue a task for a row after commit. Never raises for a broker that is away."""

    def send() -> None:
        if breaker.open():
            return
        try:
            task.delay(pk)
        except (OperationalError, RedisError) as failure:
            breaker.trip()
            log.warning("broker unreachable, the sweep will find it: %s", failure)

    transaction.on_commit(send, robust=True)
