"""A request that the database broke off in favour of another is done once more.

Two transactions that wait for each other in a circle: PostgreSQL ends one of them. It
has written nothing, so the same again is right, and most often succeeds. Once only:
whoever loses twice is told to send it again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from django.db import OperationalError, connection
from django.http import HttpRequest, HttpResponse
from django.utils.datastructures import MultiValueDict

SERIALIZATION_FAILURE, DEADLOCK_DETECTED = "40001", "40P01"
BROKEN_OFF = frozenset({SERIALIZATION_FAILURE, DEADLOCK_DETECTED})
log = logging.getLogger("srm.request")


def sqlstate_of(failure: BaseException | None) -> str:
    """The five characters by which PostgreSQL names an error; empty for others."""
    return getattr(getattr(failure, "__cause__", None), "sqlstate", None) or ""


def was_broken_off(failure: BaseException | None) -> bool:
    """Whether the database ended a transaction in favour of another one."""
    return isinstance(failure, OperationalError) and sqlstate_of(failure) in BROKEN_OFF


class OnceMoreMiddleware:
    """Calls the view again, once, where the database broke its transaction off."""

    def __init__(self, following: Callable[[HttpRequest], HttpResponse]) -> None:
        self.following = following

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass on."""
        return self.following(request)

    def process_exception(
        self, request: HttpRequest, failure: Exception
    ) -> HttpResponse | None:
        """The answer of the second time; None for every other failure."""
        match = request.resolver_match
        if match is None or not was_broken_off(failure) or not _may_be_read(request):
            return None
        if connection.in_atomic_block:  # not ours to begin again
            return None
        log.warning("%s %s: once more", request.method, request.path)
        answer: HttpResponse = match.func(request, *match.args, **match.kwargs)
        return answer


def _may_be_read(request: Any) -> bool:
    """Whether the body is there for a second reading: none, kept, or parsed."""
    kept = hasattr(request, "_body") or hasattr(request, "_post")
    if request._read_started and not kept:
        return False
    files_by_name: Any = getattr(request, "_files", MultiValueDict())
    for _, files in files_by_name.lists():
        for file in files:
            if file.file is not None:  # not of those that lie in the store
                file.seek(0)
    return True
