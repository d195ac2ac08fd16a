"""One run: everything that is so now becomes a notice once, and what is over ends."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db import transaction

from evidence.models.notices import PASSING, Notice
from evidence.notices.people import People
from evidence.notices.sources import SOURCES, Found

BATCH = 2000


@dataclass(frozen=True)
class Run:
    """How many notices were new, and how many ended."""

    new: int
    ended: int


@transaction.atomic
def gather_notices(instant: dt.datetime) -> Run:
    """Keep what is new, end what is no longer so. May run twice at once.

    A constant number of statements, however many people and rows; batches of 2,000.
    """
    people = People()
    found = [each for source in SOURCES for each in source(people, instant)]
    current = {(user, each.key) for each in found for user in each.users}
    ended = _end(current, instant)
    known = set(
        Notice.objects.filter(key__in={each.key for each in found}).values_list(
            "user_id", "key"
        )
    )
    rows = [
        _notice(each, user, instant)
        for each in found
        for user in sorted(each.users)
        if (user, each.key) not in known
    ]
    Notice.objects.bulk_create(rows, BATCH, ignore_conflicts=True)
    return Run(len(rows), ended)


def _notice(each: Found, user: int, instant: dt.datetime) -> Notice:
    return Notice(
        user_id=user,
        system_id=each.system,
        kind=each.kind,
        key=each.key,
        said=each.said,
        path=each.path,
        created_at=instant,
    )


def _end(current: set[tuple[int, str]], instant: dt.datetime) -> int:
    """End passing notices of which nothing was found any more."""
    open_ones = Notice.objects.filter(ended_at=None, kind__in=PASSING)
    over = [
        pk
        for pk, user, key in open_ones.values_list("pk", "user_id", "key")
        if (user, key) not in current
    ]
    return Notice.objects.filter(pk__in=over).update(ended_at=instant)
