"""R14's one test against an independent reference, day by day."""

from __future__ import annotations

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from evidence.status.day_ranges import Days
from evidence.status.facts import TermsFacts
from evidence.status.occurrence_results import OccurrenceResult
from evidence.status.window import period
from tests.evidence.status.neutral import history_facts, period_facts, terms_facts

DAY = dt.timedelta(days=1)
FIRST, LAST = dt.date(2025, 1, 1), dt.date(2027, 12, 31)
CALENDAR = ["weekly", "monthly", "quarterly", "half-yearly"]
some_days = st.dates(FIRST, LAST)
ranges = st.lists(
    st.tuples(some_days, some_days).map(lambda pair: (min(pair), max(pair))),
    min_size=1,
    max_size=4,
)
brief = st.lists(
    st.tuples(some_days, st.integers(0, 40)).map(
        lambda pair: (pair[0], pair[0] + DAY * pair[1])
    ),
    max_size=3,
)


@st.composite
def changing_terms(draw: st.DrawFn) -> tuple[TermsFacts, ...]:
    """Terms whose cadence changes on up to two days."""
    bounds = sorted(set(draw(st.lists(some_days, max_size=2))))
    firsts = [dt.date.min, *bounds]
    lasts = [*(day - DAY for day in bounds), dt.date.max]
    return tuple(
        terms_facts(first, last, title="Ask", cadence=draw(st.sampled_from(CALENDAR)))
        for first, last in zip(firsts, lasts, strict=True)
    )


def days_in(of: list[Days]) -> set[dt.date]:
    """The days of ranges, one by one."""
    return {
        first + DAY * number
        for first, last in of
        for number in range((last - first).days + 1)
    }


def period_end(every: str, day: dt.date) -> dt.date:
    """Last day of the calendar period that holds a day, found by walking."""
    while not _ends_on(every, day):
        day += DAY
    return day


def _ends_on(every: str, day: dt.date) -> bool:
    if every == "weekly":
        return day.isoweekday() == 7
    months = {"monthly": 1, "quarterly": 3, "half-yearly": 6}[every]
    return (day + DAY).day == 1 and day.month % months == 0


def reference(
    terms: tuple[TermsFacts, ...], asked: set[dt.date], start: dt.date, end: dt.date
) -> dict[tuple[dt.date, dt.date], tuple[bool, int]]:
    """Periods by their days: whether expected, and on how many days asked."""
    found = {}
    ends = start
    while ends <= end:
        every = next(t.cadence for t in terms if t.first <= ends <= t.last)
        if _ends_on(every, ends):
            begins = ends
            while not _ends_on(every, begins - DAY):
                begins -= DAY
            length = (ends - begins).days + 1
            days = sum(begins + DAY * n in asked for n in range(length))
            expected = ends in asked or _break_at(ends, asked, length)
            if expected or days:
                found[begins, ends] = (expected, days)
        ends += DAY
    return found


def _break_at(day: dt.date, asked: set[dt.date], length: int) -> bool:
    """Whether an unasked day lies in a break of fewer than `length` days."""
    before = after = day
    while before not in asked:
        before -= DAY
        if before < FIRST:
            return False
    while after not in asked:
        after += DAY
        if after > LAST:
            return False
    return (after - before).days - 1 < length


@given(changing_terms(), ranges, ranges, brief, some_days, st.integers(0, 500))
def test_a_window_expects_what_the_one_test_says(
    terms, named, required, not_applicable, start, length
):
    """R7, R10, R11, R14: class, applicability, operation and terms of the last day."""
    end = min(start + DAY * length, LAST)
    history = history_facts("r", terms, tuple(named))
    facts = period_facts(
        "ac-2",
        required=tuple(required),
        not_applicable=tuple(not_applicable),
        requirements=(history,),
    )
    asked = (days_in(named) & days_in(required)) - days_in(not_applicable)
    results: tuple[OccurrenceResult, ...] = period(
        facts, start, end, today=start
    ).occurrences.results
    if days_in([(start, start)]) <= days_in(not_applicable):
        return  # nothing is judged of a window that is left out as a whole
    assert {
        (r.starts, r.ends): (r.outcome != "cut_short", r.asked_days) for r in results
    } == reference(terms, asked, start, end)
