"""Instants of the demo's past, and writing as if it were then."""

from __future__ import annotations

import datetime as dt
from contextlib import AbstractContextManager

from controls.history.clock import clock_at

DAY = dt.timedelta(days=1)


def instant_of(day: dt.date, hour: int, minute: int = 0) -> dt.datetime:
    """An instant of a day in UTC."""
    return dt.datetime.combine(day, dt.time(hour, minute), tzinfo=dt.UTC)


def written_on(day: dt.date, hour: int) -> AbstractContextManager[None]:
    """Inside, rows are known since that hour (UTC) of that day."""
    return clock_at(instant_of(day, hour))
