"""Periods that still wait for a performance: the oldest is asked for first (R14).

A missed period stays askable: what is brought for it is late, and no longer missing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence, Set
from dataclasses import dataclass
from typing import Any

from controls.grammar import count_of, day_in_words
from evidence.models import RequirementControl
from evidence.status.asked import read_asked
from evidence.status.cadence import (
    DAY,
    add_months,
    due_on,
    last_day,
    occurrence_of,
)
from evidence.status.day_ranges import Days
from evidence.status.duty import asked_days, asked_periods, standing_days
from evidence.status.facts import RequirementHistory
from evidence.status.rows import Moment
from evidence.submissions.same_again import period_name

DAY_PERFORMED = "day"  # the period is the day on which it was performed
PERIOD_DASH = "--"  # between first and last day


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
    def key(self) -> str:
        """Its days as forms name them, or DAY_PERFORMED for a single day."""
        if self.first == self.last:
            return DAY_PERFORMED
        return f"{self.first}{PERIOD_DASH}{self.last}"

    @property
    def choice(self) -> str:
        """What a form calls it: its name, or its days in words."""
        if self.name:
            return self.name
        if self.first == self.last:
            return "The day on which it was performed"
        return f"{day_in_words(self.first)} to {day_in_words(self.last)}"

    @property
    def due_sentence(self) -> str:
        """When it is or was due, as it stands beside the choice; empty for never."""
        if self.due is None:
            return ""
        day = day_in_words(self.due)
        return f"was due on {day}" if self.overdue else f"due on {day}"

    @property
    def sentence(self) -> str:
        """`August 2026: 44 days overdue`, or by when it is due."""
        if self.overdue:
            return f"{self.name}: {count_of(self.overdue, 'day')} overdue"
        return f"{self.name}: due {self.due}"


def open_periods_of(
    requirements: Sequence[Any], today: dt.date
) -> dict[int, list[DuePeriod]]:
    """The open periods of each requirement by its key, oldest first.

    Those of its system's audit window, by the terms of their last days, on which our
    half was asked (R14). The rows come from `with_newest_links`. Three statements.
    """
    if not requirements:
        return {}
    first = min(_since(row, today) for row in requirements)
    pks = {row.implementation_id for row in requirements}
    asked_of_controls = read_asked(pks, first, today, Moment(today))
    histories = {key: ask for pk in pks for key, ask in asked_of_controls.asks[pk]}
    opened = {}
    for row in requirements:
        pk, history = row.implementation_id, histories.get(row.pk)
        standing = standing_days(
            asked_of_controls.required[pk], asked_of_controls.not_applicable[pk]
        )
        opened[row.pk] = (
            open_periods(history, standing, row.answered, _since(row, today), today)
            if history
            else []
        )
    return opened


def _since(row: RequirementControl, today: dt.date) -> dt.date:
    """The first day that a period may end on: of the window, or the newest in grace."""
    running = occurrence_of(row.cadence, today) or today
    return min(row.system.window_start, running - DAY)


def open_periods(
    history: RequirementHistory,
    standing: Sequence[Days],
    answered: Set[tuple[dt.date, dt.date | None]],
    since: dt.date,
    today: dt.date,
) -> list[DuePeriod]:
    """Calendar periods that have ended and nothing was brought for, oldest first. Pure.

    `answered` are first and last days of those with an accepted or a waiting link;
    without the last one a link answers the period that begins then.
    """
    days_asked = asked_days(history, standing)
    periods = asked_periods(history.terms, days_asked, since, today - DAY)
    return [
        _period(period.terms.cadence, period.begins, period.due_on, today)
        for period in periods
        if period.calendar
        and period.terms.cadence != "per-event"
        and not period.cut_short
        and not answered & {(period.begins, period.ends), (period.begins, None)}
    ]


def period_due(
    requirement: RequirementControl, unanswered: Sequence[DuePeriod], today: dt.date
) -> DuePeriod:
    """The days the next evidence should be about.

    The oldest of what `open_periods` returned, else the running period. Without
    calendar periods: the year up to today, or today alone.
    """
    if unanswered:
        return unanswered[0]
    running = occurrence_of(requirement.cadence, today)
    if running is not None:
        due = due_on(requirement.cadence, running, requirement.grace_days)
        return _period(requirement.cadence, running, due, today)
    yearly = requirement.cadence == "yearly"
    return DuePeriod(add_months(today, -12) + DAY if yearly else today, today)


def _period(cadence: str, begins: dt.date, due: dt.date, today: dt.date) -> DuePeriod:
    return DuePeriod(
        begins,
        last_day(cadence, begins),
        due,
        period_name(cadence, begins),
        max(0, (today - due).days),
    )
