"""One run: what is so now becomes a notice once; what is over ends, or waits again."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db import connection, transaction

from evidence.models.notices import PASSING, Notice
from evidence.notices.candidates import NoticeCandidate
from evidence.notices.people import People
from evidence.notices.sources import SOURCES
from evidence.status.rows import among

BATCH = 2000
KNOWN = """
SELECT id, user_id, key, ended_at IS NOT NULL FROM evidence_notice
 WHERE key = ANY(%s::text[])
"""
ONE_AT_A_TIME = 20_261_124  # advisory lock: two runs would write in two orders


@dataclass(frozen=True)
class Run:
    """How many notices were new, and how many ended."""

    new: int
    ended: int


@transaction.atomic
def gather_notices(instant: dt.datetime) -> Run:
    """Keep what is new, end what is no longer so. A second run at once waits.

    What is so again after it ended waits again: as the same notice, read or mailed if
    it was. A constant number of statements, however many people and rows; batches of
    2,000.
    """
    wait_for_other_runs()
    candidates = candidates_of(instant)
    current = addressed(candidates)
    ended = _end(current, instant)
    known = _known(candidates)
    again = [pk for pair, (pk, over) in known.items() if over and pair in current]
    Notice.objects.filter(pk__in=among(again)).update(ended_at=None)
    rows = [
        _notice(candidate, user, instant)
        for candidate in candidates
        for user in sorted(candidate.users)
        if (user, candidate.key) not in known
    ]
    Notice.objects.bulk_create(rows, BATCH, ignore_conflicts=True)
    return Run(len(rows), ended)


def wait_for_other_runs() -> None:
    """Return once no other run writes notices; the next one waits for this one."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [ONE_AT_A_TIME])


def candidates_of(instant: dt.datetime) -> list[NoticeCandidate]:
    """What there is to tell at the instant. A constant number of statements."""
    people = People()
    return [candidate for source in SOURCES for candidate in source(people, instant)]


def addressed(candidates: list[NoticeCandidate]) -> set[tuple[int, str]]:
    """Key of the person and of the thing, of each notice there would be."""
    return {
        (user, candidate.key) for candidate in candidates for user in candidate.users
    }


def _notice(candidate: NoticeCandidate, user: int, instant: dt.datetime) -> Notice:
    return Notice(
        user_id=user,
        system_id=candidate.system,
        kind=candidate.kind,
        key=candidate.key,
        said=candidate.parameters,
        path=candidate.path,
        created_at=instant,
    )


def _known(
    candidates: list[NoticeCandidate],
) -> dict[tuple[int, str], tuple[int, bool]]:
    """Key of the row and whether it has ended, by person and thing."""
    keys = list({candidate.key for candidate in candidates})
    with connection.cursor() as cursor:  # one parameter, not ten thousand
        cursor.execute(KNOWN, [keys])
        return {(user, key): (pk, over) for pk, user, key, over in cursor.fetchall()}


def _end(current: set[tuple[int, str]], instant: dt.datetime) -> int:
    """End passing notices of which no source yields anything more."""
    open_ones = Notice.objects.filter(ended_at=None, kind__in=PASSING)
    over = [
        pk
        for pk, user, key in open_ones.values_list("pk", "user_id", "key")
        if (user, key) not in current
    ]
    return Notice.objects.filter(pk__in=among(over)).update(ended_at=instant)
