"""Periods that still wait for a performance: the oldest is asked for first (R14).

A missed period stays askable: what is brought for it is late, and no longer missing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from controls.grammar import count_of
from evidence.models import RequirementControl
from evidence.status.cadence import (
    DAY,
    add_months,
    due_on,
    last_day,
    occurrence_of,
    periods,
)
from evidence.submissions.same_again import period_name


@dataclass(frozen=True)
class DuePeriod:
    """Days that evidence is about, both inclusive, and the day it is due.

    `due` is None where the days are no calendar period; `name` is what people call it;
    `overdue` counts the days since it was due, 0 where that day has not passed.
    """

    first: dt.date
    last: dt.date
    due: dt.date | None = None
    name: str = ""
    overdue: int = 0

    @property
    def sentence(self) -> str:
        """`August 2026: 44 days overdue`, or by when it is due."""
        if self.overdue:
            return f"{self.name}: {count_of(self.overdue, 'day')} overdue"
        return f"{self.name}: due {self.due}"


def open_periods(
    requirement: RequirementControl,
    answered: Collection[dt.date],
    *,
    since: dt.date,
    today: dt.date,
) -> list[DuePeriod]:
    """Calendar periods that have ended and nothing was brought for, oldest first.

    `answered` are the first days of those with an accepted or a waiting link; `since`
    is the first day that a period may end on, but the newest is asked for in any case.
    Empty where there are no periods.
    """
    running = occurrence_of(requirement.cadence, today)
    if running is None:
        return []
    first = max(min(since, running - DAY), requirement.operates_from)
    return [
        _period(requirement, begins, today)
        for begins, _ in periods(requirement.cadence, first, running - DAY)
        if begins not in answered
    ]


def period_due(
    requirement: RequirementControl, unanswered: list[DuePeriod], today: dt.date
) -> DuePeriod:
    """The days the next evidence should be about.

    The oldest of what `open_periods` returned, else the running period. Without
    calendar periods: the year up to today, or today alone.
    """
    if unanswered:
        return unanswered[0]
    running = occurrence_of(requirement.cadence, today)
    if running is not None:
        return _period(requirement, running, today)
    yearly = requirement.cadence == "yearly"
    return DuePeriod(add_months(today, -12) + DAY if yearly else today, today)


def _period(
    requirement: RequirementControl, begins: dt.date, today: dt.date
) -> DuePeriod:
    cadence = requirement.cadence
    due = due_on(cadence, begins, requirement.grace_days)
    return DuePeriod(
        begins,
        last_day(cadence, begins),
        due,
        period_name(cadence, begins),
        max(0, (today - due).days),
    )
