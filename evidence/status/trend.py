"""How proof went: verdicts at the end of each month, as they were known then."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from django.core.cache import cache

from controls.models import System
from evidence.charts import Segment, bar, proof_segments
from evidence.status.control_status import (
    as_known_then,
    control_statuses,
    now,
    summary,
)
from evidence.status.rules import RULES

MONTHS = 12
KEPT = 90 * 86_400  # seconds; by the same rules an answer as known then stays (R35)
ONE_DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Point:
    """The controls by verdict on one day, the proven ones by whose halves (R28)."""

    day: dt.date
    verdicts: Mapping[str, int]
    proven: Mapping[str, int]

    @property
    def total(self) -> int:
        """All controls of that day."""
        return sum(self.verdicts.values())

    @property
    def parts(self) -> list[Segment]:
        """The verdicts as parts of a bar."""
        return bar(proof_segments(self.verdicts, self.proven))


def month_ends(until: dt.date, months: int = MONTHS) -> list[dt.date]:
    """The last days of the months before the one of `until`, oldest first, then it."""
    ends, day = [until], until
    for _ in range(months - 1):
        day = day.replace(day=1) - ONE_DAY
        ends.append(day)
    return ends[::-1]


def trend(system: System, until: dt.date, months: int = MONTHS) -> list[Point]:
    """A point for each month end and for `until`; none for days before the system.

    Each answer takes the statements of `answers`, but once only: what is past is kept
    in the cache for 90 days.
    """
    points = [_point(system, day) for day in month_ends(until, months)]
    return [point for point in points if point.total]


def _point(system: System, day: dt.date) -> Point:
    over = system.end_of_day(day) < now()
    key = f"trend-split-{RULES}-{system.uuid}-{day}"
    known: tuple[dict[str, int], dict[str, int]] | None
    known = cache.get(key) if over else None
    if known is None:
        known = _counted(system, day)
        if over:
            cache.set(key, known, KEPT)
    return Point(day, *known)


def _counted(system: System, day: dt.date) -> tuple[dict[str, int], dict[str, int]]:
    """Controls by verdict, and the proven ones by whose halves they rest on."""
    try:
        counts = summary(control_statuses(system, as_known_then(system, day)))
    except LookupError:  # the system was not recorded by then
        return {}, {}
    return dict(counts.verdicts), dict(counts.proven)
