"""The numbers in every page's header."""

from __future__ import annotations

from typing import Any

from django.core.cache import cache
from django.db.models import Count, Q
from django.utils.functional import SimpleLazyObject

from controls.models import Actor
from evidence.models import Notice
from evidence.models.notices import PASSING
from evidence.notices.reading import counts_key
from srm_project.requests import SignedInRequest

SECONDS = 30  # how old a number may be; reading a notice forgets it at once


def counts(request: SignedInRequest) -> dict[str, Any]:
    """`header.work` and `header.unread`; one statement at most every
    30 seconds, asked when a page shows them.

    Work is what still waits for the person, read or not, as of the last minute.
    """
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {}
    return {"header": SimpleLazyObject(lambda: _counts(user))}


def _counts(user: Actor) -> dict[str, int]:
    key = counts_key(user.pk)
    counts: dict[str, int] | None = cache.get(key)
    if counts is None:
        counts = _counted(user)
        cache.set(key, counts, SECONDS)
    return counts


def _counted(user: Actor) -> dict[str, int]:
    mine = Notice.objects.visible_to(user).filter(ended_at=None)
    return mine.aggregate(
        work=Count("pk", filter=Q(kind__in=PASSING)),
        unread=Count("pk", filter=Q(read_at=None)),
    )
