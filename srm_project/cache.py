"""The cache, which may fail without taking a page with it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import ConnectionError as NotConnected
from redis.exceptions import TimeoutError as NotInTime

log = logging.getLogger("srm.cache")
UNREACHABLE = (NotConnected, NotInTime)
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
    """Redis; while it cannot be reached, the memory of this process.

    Limits on attempts then count per process: weaker by the number of processes, but
    people can sign in and attempts are still limited.
    """

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self.own = LocMemCache(f"own copy of {server}", params | {"OPTIONS": {}})


def _shared_or_own(name: str) -> Callable[..., Any]:
    def call(cache: SharedOrOwn, *args: Any, **kwargs: Any) -> Any:
        try:
            return getattr(super(SharedOrOwn, cache), name)(*args, **kwargs)
        except UNREACHABLE as failure:
            log.warning("The cache cannot be reached: %s", failure)
            return getattr(cache.own, name)(*args, **kwargs)

    return call


for _name in CALLS:
    setattr(SharedOrOwn, _name, _shared_or_own(_name))
