"""On which days something was to be answered, and which periods a window expects. Pure.

Days are inclusive. Source: rules R7, R10, R11, R14 and R16.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from functools import lru_cache

from evidence.status import cadence
from evidence.status.day_ranges import (
    DAY,
    Days,
    both,
    clip,
    count,
    gaps,
    holds,
    subtract,
    united,
)
from evidence.status.facts import RequirementHistory, TermsFacts
from evidence.status.values import value


@value
class AskedPeriod:
    """Days that ask for one performance, by the terms in force on the last of them.

    Of calendar periods the performance is the one submitted for it, whenever it was
    done; without `calendar` (yearly, once) it is one done on some day of it.
    `cut_short` says that it is excused although `asked_days` of its days were asked.
    """

    begins: dt.date
    ends: dt.date
    terms: TermsFacts
    calendar: bool
    asked_days: int
    cut_short: bool

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.ends - self.begins).days + 1

    @property
    def due_on(self) -> dt.date:
        """The last day on which a performance is in time, where none went before."""
        return self.ends + DAY * grace_of(self.terms)


def grace_of(terms: TermsFacts) -> int:
    """Days of grace by the terms, or by default of their cadence."""
    if terms.grace_days is None:
        return cadence.default_grace(terms.cadence, terms.population_cadence)
    return terms.grace_days


def standing_days(
    required: Iterable[Days], not_applicable: Iterable[Days]
) -> tuple[Days, ...]:
    """Days on which our half was required and the control applicable, in order."""
    return _standing(tuple(required), tuple(not_applicable))


def asked_days(
    history: RequirementHistory, standing: Iterable[Days]
) -> tuple[Days, ...]:
    """Of the standing days, those on which the ask named the control, in order."""
    of_terms = tuple((terms.first, terms.last) for terms in history.terms)
    return _asked_days(tuple(standing), history.named, of_terms)


# Most asks of a system have the same days: what follows from them is kept.
@lru_cache(maxsize=4096)
def _standing(
    required: tuple[Days, ...], not_applicable: tuple[Days, ...]
) -> tuple[Days, ...]:
    return tuple(subtract(united(required), not_applicable))


@lru_cache(maxsize=4096)
def _asked_days(
    standing: tuple[Days, ...], named: tuple[Days, ...], of_terms: tuple[Days, ...]
) -> tuple[Days, ...]:
    return tuple(both(both(standing, united(named)), united(of_terms)))


@lru_cache(maxsize=4096)
def _calendar(every: str, first: dt.date, last: dt.date) -> tuple[Days, ...]:
    return tuple(cadence.periods(every, first, last))


def event_days(terms: Iterable[TermsFacts], days_asked: Iterable[Days]) -> list[Days]:
    """Of the asked days, those on which the terms ask per event."""
    per_event = [(t.first, t.last) for t in terms if t.cadence == "per-event"]
    return both(days_asked, united(per_event))


@lru_cache(maxsize=4096)  # gathering and judging ask for the same
def asked_periods(
    terms_in_order: tuple[TermsFacts, ...],
    days_asked: tuple[Days, ...],
    start: dt.date,
    end: dt.date,
) -> tuple[AskedPeriod, ...]:
    """The periods that a window expects or excuses, in order of their last days (R14).

    One test: a period is expected when its last day was asked, by the terms of that
    day. A break shorter than the period interrupts nothing. An excused period counts
    as cut short where some of its days were asked, and else as nothing at all.
    """
    breaks = gaps(days_asked) if len(days_asked) > 1 else []
    periods = []
    for begins, ends, terms, calendar in _candidates(
        terms_in_order, days_asked, start, end
    ):
        length = (ends - begins).days + 1
        expected = holds(days_asked, ends) or any(
            first <= ends <= last and (last - first).days + 1 < length
            for first, last in breaks
        )
        days = count(clip(days_asked, begins, ends))
        if expected or days:
            periods.append(
                AskedPeriod(begins, ends, terms, calendar, days, not expected)
            )
    return tuple(sorted(periods, key=lambda period: (period.ends, period.begins)))


def _candidates(
    terms_in_order: Sequence[TermsFacts],
    days_asked: Sequence[Days],
    start: dt.date,
    end: dt.date,
) -> Iterable[tuple[dt.date, dt.date, TermsFacts, bool]]:
    """First and last day of what each terms may ask for in the window."""
    for terms in terms_in_order:
        first, last = max(start, terms.first), min(end, terms.last)
        if first > last:
            continue
        if terms.cadence == "once":
            days = clip(days_asked, first, last)
            if days:
                yield first, days[-1][1], terms, False
        elif terms.cadence == "yearly":
            for begins, ends in _years(start, end):
                if first <= ends <= last:
                    yield begins, ends, terms, False
        else:
            calendar: str = terms.cadence
            if calendar == "per-event":
                calendar = terms.population_cadence
            for begins, ends in _calendar(calendar, first, last):
                yield begins, ends, terms, True


@lru_cache(maxsize=64)
def _years(start: dt.date, end: dt.date) -> tuple[Days, ...]:
    """The twelve months before the window's end; a longer window is cut into years
    counted back from it, and a rest shorter than a year asks for nothing of its own.
    """
    years: list[Days] = []
    last = end
    while last >= start:
        begins = cadence.add_months(last + DAY, -12)
        if begins < start and years:
            break
        years.append((begins, last))
        last = begins - DAY
    return tuple(years)
