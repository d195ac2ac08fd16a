"""The cache, which may fail without taking a page with it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any, ClassVar

from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

log = logging.getLogger("srm.cache")
# After a failure nobody asks it for that long, so that one that hangs costs one wait.
BREAKER_SECONDS = 30.0
CALLS = (
    "add",
    "get",
    "set",
    "touch",
    "delete",
    "get_many",
    "has_key",
    "incr",
    "set_many",
    "delete_many",
    "clear",
)


class SharedOrOwn(RedisCache):
    """Redis; while it is away or answers with errors, the memory of this process.

    Limits on attempts then count per process: weaker by the number of processes, but
    people can sign in and attempts are still limited.
    """

    # Of the monotonic clock, by address: Django makes one object for each thread.
    asked_again_at: ClassVar[dict[str, float]] = {}

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self.address = server
        self.own = LocMemCache(f"own copy of {server}", params | {"OPTIONS": {}})


def _shared_or_own(name: str) -> Callable[..., Any]:
    def call(cache: SharedOrOwn, *args: Any, **kwargs: Any) -> Any:
        if time.monotonic() < cache.asked_again_at.get(cache.address, 0.0):
            return getattr(cache.own, name)(*args, **kwargs)
        try:
            return getattr(super(SharedOrOwn, cache), name)(*args, **kwargs)
        except RedisError as failure:
            again_at = time.monotonic() + BREAKER_SECONDS
            cache.asked_again_at[cache.address] = again_at
            log.warning("The cache does not work: %s", failure)
            return getattr(cache.own, name)(*args, **kwargs)

    return call


for _name in CALLS:
    setattr(SharedOrOwn, _name, _shared_or_own(_name))
