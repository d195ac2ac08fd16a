"""Calendar periods, due days and how long a performance carries. Pure.

Days are inclusive unless a name ends in `_until`. Source: rules R11 to R14.
"""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Sequence
from math import ceil

DAY = dt.timedelta(days=1)
DAYS = {
    "weekly": 7,
    "monthly": 30,
    "quarterly": 91,
    "half-yearly": 182,
    "yearly": 365,
}
EVENT_GRACE = 30  # days, at most: half the period where that is less
POPULATION_CADENCE = "quarterly"  # of what is asked per event, unless it says another
EXPIRING_DAYS = 30  # before its end, at most, proof of either half is called expiring
FREQUENCIES = tuple(DAYS)
MONTHS = {"monthly": 1, "quarterly": 3, "half-yearly": 6}


def default_grace(cadence: str, population_cadence: str = POPULATION_CADENCE) -> int:
    """Days of grace after a period's last day: 15 % of the cadence, at least one.

    Per event a month to draw the population and show the sample, or half the period of
    populations where that is less (R16).
    """
    if cadence == "per-event":
        return min(EVENT_GRACE, DAYS[population_cadence] // 2)
    return max(1, ceil(DAYS.get(cadence, 0) * 0.15))


def longest_grace(
    cadence: str, population_cadence: str = POPULATION_CADENCE
) -> int | None:
    """Days of grace that one officer may give: half the period (R12), per event that
    of populations. None: there is no period, and no bound.
    """
    if cadence == "per-event":
        return DAYS[population_cadence] // 2
    return DAYS[cadence] // 2 if cadence in DAYS else None


def lead_days(cadence: str, of_requirement: int | None = None) -> int:
    """Days before its end in which proof is expiring: EXPIRING_DAYS, or a third of the
    cadence where that is less, or what the requirement says itself.
    """
    if of_requirement is not None:
        return of_requirement
    return min(EXPIRING_DAYS, DAYS.get(cadence, 90) // 3)


def occurrence_of(cadence: str, day: dt.date) -> dt.date | None:
    """First day of the calendar period that holds `day`; None where there is none."""
    if cadence == "weekly":
        return day - DAY * day.weekday()
    if cadence in MONTHS:
        months = MONTHS[cadence]
        return dt.date(day.year, (day.month - 1) // months * months + 1, 1)
    return None


def last_day(cadence: str, start: dt.date) -> dt.date:
    """Last day of the calendar period that starts on `start`."""
    if cadence == "weekly":
        return start + 6 * DAY
    return add_months(start, MONTHS[cadence]) - DAY


def add_months(day: dt.date, months: int) -> dt.date:
    """The same day some months later; the month's last day where it has none."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return dt.date(year, month + 1, min(day.day, last))


def due_on(cadence: str, start: dt.date, grace_days: int) -> dt.date:
    """Day by which the period that starts on `start` must have been performed."""
    return last_day(cadence, start) + DAY * grace_days


def cadence_by_day(
    terms: Iterable[tuple[dt.date | None, str]],
) -> Callable[[dt.date], str]:
    """Which cadence is in force on a day: of the terms, each with its first day (None:
    from the beginning), those that began last by then."""
    in_order = sorted(terms, key=lambda row: row[0] or dt.date.min)

    def on(day: dt.date) -> str:
        return [name for first, name in in_order if (first or dt.date.min) <= day][-1]

    return on


def period_holding(
    day: dt.date, cadence_on: Callable[[dt.date], str]
) -> tuple[dt.date, dt.date] | None:
    """The calendar period, both days inclusive, that a performance of `day` answers.

    By the terms in force on the period's own last day (R14): where they change within
    it, the period of the new ones that holds the day. None: they have no calendar
    periods.
    """
    name = cadence_on(day)
    period = None
    for _ in FREQUENCIES:  # terms that change again within each period found
        first = occurrence_of(name, day)
        if first is None:
            return None
        period = (first, last_day(name, first))
        if cadence_on(period[1]) == name:
            break
        name = cadence_on(period[1])
    return period


def proof_end_under(
    cadence: str,
    grace_days: int,
    began: dt.date | None,
    own_last_day: dt.date,
    performed_on: dt.date,
) -> dt.date | None:
    """Last day that a performance proves for days on which these terms are in force.

    The due day of the first calendar period of `cadence` that ends after
    `own_last_day`, the last day of the period that it performed (of a performance of
    no calendar period, its own day), and not before `began`, the day from which the
    terms have had this cadence (None: always). Yearly: twelve months and the grace
    from the performance. None: nothing recurs, no end. An end before `performed_on`
    proves no day. Source: R13.
    """
    ends = _next_period_ends(cadence, began, own_last_day, performed_on)
    return None if ends is None else ends + DAY * grace_days


def _next_period_ends(
    cadence: str, began: dt.date | None, own_last_day: dt.date, performed_on: dt.date
) -> dt.date | None:
    """Last day of what is asked next after a performance; None: nothing recurs."""
    if cadence == "yearly":
        return add_months(performed_on, 12)
    following = own_last_day + DAY if began is None else max(own_last_day + DAY, began)
    start = occurrence_of(cadence, following)
    return None if start is None else last_day(cadence, start)


def proof_end_by(
    terms: Sequence[tuple[dt.date | None, str, int]],
    own_last_day: dt.date,
    performed_on: dt.date,
) -> dt.date | None:
    """As `proof_end_under`, by all terms to the ones in force, in order: each with its
    first day (None: from the beginning), cadence and days of grace.

    What fell due after the performance under a cadence before, and was not performed,
    ended its proof: no other cadence brings that back. `evidence.models.proof` writes
    the same in SQL.
    """
    _, cadence, grace_days = terms[-1]
    began = _began(terms)
    end = proof_end_under(cadence, grace_days, began, own_last_day, performed_on)
    for number in range(1, len(terms)):
        until, (_, former, grace) = terms[number][0], terms[number - 1]
        if until is None or began is None or until > began:
            continue
        since = _began(terms[:number])
        last = _next_period_ends(former, since, own_last_day, performed_on)
        if last is not None and last < until:
            end = min(end or dt.date.max, last + DAY * grace)
    return end


def _began(terms: Sequence[tuple[dt.date | None, str, int]]) -> dt.date | None:
    """From which day on the last of the terms have had their cadence; None: always."""
    began = terms[-1][0]
    for first, cadence, _ in reversed(terms):
        if cadence != terms[-1][1]:
            return began
        began = first
    return None


def periods(
    cadence: str, start: dt.date, end: dt.date
) -> Iterator[tuple[dt.date, dt.date]]:
    """Calendar periods whose last day lies in start..end, in order."""
    first = occurrence_of(cadence, start)
    while first is not None:
        last = last_day(cadence, first)
        if last > end:
            return
        if last >= start:
            yield first, last
        first = last + DAY
