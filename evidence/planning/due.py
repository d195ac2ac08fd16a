"""What a calendar shows: one thing on one day, and which of them are asked about."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from controls.models import System


@dataclass(frozen=True)
class Due:
    """One thing on one day. `state` is the half state whose mark it borrows."""

    day: dt.date
    kind: str
    title: str
    system: System
    path: str
    state: str = "pending"
    word: str = ""
    team: str = ""
    control: str = ""


@dataclass(frozen=True)
class CalendarScope:
    """Which days (inclusive), systems and teams; None for all teams."""

    first: dt.date
    last: dt.date
    systems: Sequence[System]
    teams: frozenset[int] | None = None

    def holds(self, day: dt.date | None) -> bool:
        """Whether a day is asked about."""
        return day is not None and self.first <= day <= self.last
