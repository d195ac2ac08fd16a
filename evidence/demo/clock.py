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


def workday_by(day: dt.date) -> dt.date:
    """The day itself, or the Friday before a weekend."""
    return day - DAY * max(0, day.weekday() - 4)


def workday_from(instant: dt.datetime) -> dt.datetime:
    """The instant itself, or the same time on the Monday after a weekend."""
    return instant + DAY * (-instant.weekday() % 7 if instant.weekday() > 4 else 0)
