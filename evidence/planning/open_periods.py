"""Periods that still wait for a performance: the oldest is asked for first (R14).

A missed period stays askable: what is brought for it is late, and no longer missing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.db.models import Count

from controls.grammar import count_of, day_in_words
from evidence.models import RequirementControl
from evidence.models.asks import RequirementTerms
from evidence.status.asked import read_asked
from evidence.status.cadence import (
    DAY,
    add_months,
    due_on,
    last_day,
    occurrence_of,
    periods,
)
from evidence.status.day_ranges import Days
from evidence.status.duty import (
    AskedPeriod,
    asked_days,
    asked_periods,
    standing_days,
)
from evidence.status.facts import RequirementHistory
from evidence.status.rows import Moment, among
from evidence.submissions.same_again import period_name

DAY_PERFORMED = "day"  # the period is the day on which it was performed
MAX_GRACE = DAY * 366  # as far back as a period may end that is due on a day
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
    asks = asks_of(
        requirements, min(asked_since(row, today) for row in requirements), today
    )
    return {
        row.pk: open_periods(
            *asks[row.pk], row.answered, asked_since(row, today), today
        )
        if row.pk in asks
        else []
        for row in requirements
    }


def with_gaps(rows: Sequence[Any], today: dt.date) -> list[Any]:
    """Of rows, those that may have open periods: cheap, and none is left out that has.

    Where an ask has had one cadence only, a period that is open is one of that cadence
    that nothing was brought for. One statement.
    """
    changed = with_several_terms(rows)
    return [row for row in rows if row.ask_id in changed or _has_gap(row, today)]


def with_several_terms(rows: Iterable[Any]) -> set[int]:
    """Keys of the asks of rows whose terms changed or will change. One statement."""
    asks = RequirementTerms.objects.filter(ask__in=among({row.ask_id for row in rows}))
    several = asks.values("ask").annotate(n=Count("pk")).filter(n__gt=1)
    return set(several.values_list("ask", flat=True))


def _has_gap(row: Any, today: dt.date) -> bool:
    if occurrence_of(row.cadence, today) is None:
        return False
    return any(
        not row.answered & {(first, last), (first, None)}
        for first, last in _periods(row.cadence, asked_since(row, today), today - DAY)
        if last >= row.operates_from
    )


@lru_cache(maxsize=256)  # of most rows they are the same
def _periods(cadence: str, first: dt.date, last: dt.date) -> tuple[Days, ...]:
    return tuple(periods(cadence, first, last))


def periods_due(
    requirements: Sequence[Any], first: dt.date, last: dt.date, today: dt.date
) -> dict[int, list[DuePeriod]]:
    """The periods of each requirement that are due on the days first..last, by its key.

    By the rules of open periods, whether answered or not, ended or to come. Four
    statements.
    """
    due_rows = _with_periods_due(requirements, first, last)
    if not due_rows:
        return {row.pk: [] for row in requirements}
    asks = asks_of(due_rows, first - MAX_GRACE, last)
    none: dict[int, list[DuePeriod]] = {row.pk: [] for row in requirements}
    return none | {
        row.pk: [
            _period(period.terms.cadence, period.begins, period.due_on, today)
            for period in expected_periods(
                *asks[row.pk], first - _longest_grace(asks[row.pk][0]), last
            )
            if first <= period.due_on <= last
        ]
        for row in due_rows
        if row.pk in asks
    }


def _longest_grace(history: RequirementHistory) -> dt.timedelta:
    return DAY * max((terms.grace_days or 0 for terms in history.terms), default=0)


def _with_periods_due(rows: Sequence[Any], first: dt.date, last: dt.date) -> list[Any]:
    """Of rows, those of which periods may be due on some days: cheap, and none is left
    out. An ask that has had one cadence only has none but its own. One statement."""
    changed = with_several_terms(rows)
    return [
        row
        for row in rows
        if row.ask_id in changed
        or _periods(
            row.cadence, first - DAY * row.grace_days, last - DAY * row.grace_days
        )
    ]


def asks_of(
    requirements: Sequence[Any], first: dt.date, last: dt.date
) -> dict[int, tuple[RequirementHistory, Sequence[Days]]]:
    """What is asked by rows on some days, and the days on which our half stood."""
    pks = {row.implementation_id for row in requirements}
    asked_of_controls = read_asked(pks, first, last, Moment(last))
    standing = {
        pk: standing_days(
            asked_of_controls.required[pk], asked_of_controls.not_applicable[pk]
        )
        for pk in pks
    }
    return {
        key: (history, standing[pk])
        for pk in pks
        for key, history in asked_of_controls.asks[pk]
    }


def asked_since(row: RequirementControl, today: dt.date) -> dt.date:
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
    return [
        _period(period.terms.cadence, period.begins, period.due_on, today)
        for period in expected_periods(history, standing, since, today - DAY)
        if not answered & {(period.begins, period.ends), (period.begins, None)}
    ]


def expected_periods(
    history: RequirementHistory,
    standing: Sequence[Days],
    first: dt.date,
    last: dt.date,
) -> list[AskedPeriod]:
    """Calendar periods to be answered whose last day is one of first..last."""
    days_asked = asked_days(history, standing)
    return [
        period
        for period in asked_periods(history.terms, days_asked, first, last)
        if period.calendar
        and period.terms.cadence != "per-event"
        and not period.cut_short
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


@lru_cache(maxsize=4096)  # of most rows they are the same
def _period(cadence: str, begins: dt.date, due: dt.date, today: dt.date) -> DuePeriod:
    return DuePeriod(
        begins,
        last_day(cadence, begins),
        due,
        period_name(cadence, begins),
        max(0, (today - due).days),
    )
