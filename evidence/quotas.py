"""How much one team may bring in a day, so that one cannot fill the store for all.

Source: UP-12. A day is a calendar day in UTC by the database's clock.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.conf import settings
from django.db import connection

from controls.errors import SrmError
from controls.models import Team


class TooManyFiles(SrmError):
    """The team has brought as many files as it may in a day."""

    status_code = 429


class NoRoomLeft(SrmError):
    """The team has brought as many bytes as it may in a day."""

    status_code = 507


# The row stays locked to the end: two uploads at the edge are counted one by one.
COUNT = """
INSERT INTO evidence_teamday AS t (team_id, day, files, size_bytes)
VALUES (%s, %s, %s, %s)
ON CONFLICT (team_id, day) DO UPDATE
   SET files = t.files + excluded.files, size_bytes = t.size_bytes + excluded.size_bytes
RETURNING files, size_bytes
"""


def refuse_beyond(team: Team, uploads: Any, instant: dt.datetime) -> None:
    """Count these uploads to the team's day; raise where that is beyond its limits.

    Raises TooManyFiles or NoRoomLeft; call inside the transaction that saves them,
    so that what is refused is not counted.
    """
    size = sum(upload.stored.size_bytes for upload in uploads)
    day = instant.astimezone(dt.UTC).date()
    with connection.cursor() as cursor:
        cursor.execute(COUNT, [team.pk, day, len(uploads), size])
        files, total = cursor.fetchone()
    if files > settings.TEAM_FILES_PER_DAY:
        limit = settings.TEAM_FILES_PER_DAY
        raise TooManyFiles(f"{team} may bring {limit} files a day. Nothing was stored.")
    if total > settings.TEAM_BYTES_PER_DAY:
        limit = settings.TEAM_BYTES_PER_DAY // 1_000_000
        raise NoRoomLeft(f"{team} may bring {limit} MB a day. Nothing was stored.")
