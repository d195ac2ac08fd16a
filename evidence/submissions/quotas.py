"""How much one team may bring in a day, so that one cannot fill the store for all.

Source: UP-12. A day is a calendar day in UTC by the database's clock.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from controls.errors import SrmError
from controls.grammar import count_of, size_in_words
from controls.models import Team


class TooManyFiles(SrmError):
    """The team has brought as many files as it may in a day."""

    status_code = 429


class NoRoomLeft(SrmError):
    """The team has brought as many bytes as it may in a day."""

    status_code = 507


SO_FAR = """
SELECT files, size_bytes FROM evidence_teamday
 WHERE team_id = %s AND day = (coalesce(%s, srm_now()) AT TIME ZONE 'UTC')::date
"""

# The row stays locked to the end: two uploads at the edge are counted one by one.
COUNT = """
INSERT INTO evidence_teamday AS t (team_id, day, files, size_bytes)
VALUES (%s, %s, %s, %s)
ON CONFLICT (team_id, day) DO UPDATE
   SET files = t.files + excluded.files, size_bytes = t.size_bytes + excluded.size_bytes
RETURNING files, size_bytes
"""


def refuse_beyond(
    team: Team, uploads: Sequence[Any], instant: dt.datetime | None = None
) -> None:
    """Raise TooManyFiles or NoRoomLeft where these are beyond the team's day: that of
    the instant, without one the database's of now.

    Ask before bytes are kept. Locks nothing, so what is being kept at the same moment
    is not seen: `count` sees it.
    """
    with connection.cursor() as cursor:
        cursor.execute(SO_FAR, [team.pk, instant])
        files, size = cursor.fetchone() or (0, 0)
    new = _not_counted(uploads)
    _refuse(team, files + len(new), size + _bytes_of(new))


def count(brought: Iterable[tuple[Team, Sequence[Any]]], instant: dt.datetime) -> None:
    """Count uploads to the days of their teams; raise where that is beyond its limits.

    Raises TooManyFiles or NoRoomLeft. Call it inside the transaction that saves them,
    so that what is refused is not counted, and right before the events, so that the
    uploads of one team wait for each other only for that moment.
    """
    by_team: dict[Team, list[Any]] = defaultdict(list)
    for team, uploads in brought:
        by_team[team] += uploads
    for team in sorted(by_team, key=lambda team: team.pk):
        mine = _not_counted(by_team[team])
        with connection.cursor() as cursor:
            cursor.execute(COUNT, [team.pk, _day(instant), len(mine), _bytes_of(mine)])
            files, size = cursor.fetchone()
        _refuse(team, files, size)


@transaction.atomic
def count_preview(
    brought: Iterable[tuple[Team, Sequence[Any]]], instant: dt.datetime
) -> None:
    """Count uploads before they are kept for a preview, confirmed or not.

    They take room in the store either way. Raises what `count` raises.
    """
    count(brought, instant)


def _not_counted(uploads: Sequence[Any]) -> list[Any]:
    """Those that no preview has counted."""
    return [upload for upload in uploads if not upload.counted]


def _day(instant: dt.datetime) -> dt.date:
    return instant.astimezone(dt.UTC).date()


def _bytes_of(uploads: Sequence[Any]) -> int:
    return sum(upload.stored.size_bytes for upload in uploads)


def _refuse(team: Team, files: int, size: int) -> None:
    if files > settings.TEAM_FILES_PER_DAY:
        limit = settings.TEAM_FILES_PER_DAY
        raise TooManyFiles(
            f"{team} may bring {count_of(limit, 'file')} a day. Nothing was stored."
        )
    if size > settings.TEAM_BYTES_PER_DAY:
        most = size_in_words(settings.TEAM_BYTES_PER_DAY)
        raise NoRoomLeft(f"{team} may bring {most} a day. Nothing was stored.")
