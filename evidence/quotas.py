"""How much one team may bring in a day, so that one cannot fill the store for all.

Source: UP-12. Counted over the last 24 hours by the database's clock.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.conf import settings
from django.db.models import Count, Sum

from controls.errors import SrmError
from controls.history.clock import knowledge_now
from controls.models import Team
from evidence.models import EvidenceFile

DAY = dt.timedelta(days=1)


class TooManyFiles(SrmError):
    """The team has brought as many files as it may in a day."""

    status_code = 429


class NoRoomLeft(SrmError):
    """The team has brought as many bytes as it may in a day."""

    status_code = 507


def refuse_beyond(team: Team, uploads: Any) -> None:
    """Raise TooManyFiles or NoRoomLeft where these uploads exceed the team's day.

    Locks the team, so that two uploads at the edge are counted one after the other;
    call inside the transaction that saves the files.
    """
    Team.objects.select_for_update(of=("self",)).get(pk=team.pk)
    brought = EvidenceFile.objects.filter(
        revision__evidence__team=team,
        revision__uploaded_at__gt=knowledge_now() - DAY,
    ).aggregate(files=Count("pk"), size=Sum("blob__size_bytes"))
    if brought["files"] + len(uploads) > settings.TEAM_FILES_PER_DAY:
        limit = settings.TEAM_FILES_PER_DAY
        raise TooManyFiles(f"{team} may bring {limit} files a day. Nothing was stored.")
    size = sum(upload.stored.size_bytes for upload in uploads)
    if (brought["size"] or 0) + size > settings.TEAM_BYTES_PER_DAY:
        limit = settings.TEAM_BYTES_PER_DAY // 1_000_000
        raise NoRoomLeft(f"{team} may bring {limit} MB a day. Nothing was stored.")
