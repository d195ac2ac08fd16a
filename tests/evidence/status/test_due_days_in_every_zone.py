"""RE-10: due days at the ends of months, on 29 February and in every time zone.

A day ends where the system is: at the last instant of it something is not overdue, at
the next it is, also where that night has 23 or 25 hours, or where a day was left out.
"""

from __future__ import annotations

import calendar
import datetime as dt
import zoneinfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from controls.models import System
from evidence.status import cadence
from tests.evidence.status.scenarios import proof_end

DAY, INSTANT = dt.timedelta(days=1), dt.timedelta(microseconds=1)
FIRST, LAST = dt.date(1990, 1, 1), dt.date(2199, 12, 31)
ZONES = sorted(zoneinfo.available_timezones())
CALENDAR = [*cadence.MONTHS, "weekly"]
every_day = st.dates(FIRST, LAST)
# Ends of months, and the days around them, more often than chance would draw them.
ends_of_months = st.builds(
    lambda year, month, shift: (
        dt.date(year, month, calendar.monthrange(year, month)[1]) + shift * DAY
    ),
    st.integers(1990, 2198),
    st.integers(1, 12),
    st.integers(-1, 1),
)
days = every_day | ends_of_months


@given(st.sampled_from(ZONES), days)
@example("Pacific/Apia", dt.date(2011, 12, 29))  # the day after never was
@example("America/Sao_Paulo", dt.date(2018, 11, 3))  # the next day begins at one
@example("America/St_Johns", dt.date(2006, 10, 28))  # a minute past midnight, twice
@example("Asia/Beirut", dt.date(2024, 3, 30))
@example("Atlantic/Azores", dt.date(2024, 10, 26))
@example("Pacific/Kiritimati", dt.date(2026, 12, 31))
def test_a_day_ends_with_its_last_instant(zone: str, day: dt.date) -> None:
    system = System(time_zone=zone)
    end = system.end_of_day(day)
    assert end.utcoffset() is not None
    assert system.day_of(end - INSTANT) <= day < system.day_of(end)


@given(st.sampled_from(ZONES), st.sampled_from(CALENDAR), days, st.integers(0, 90))
def test_a_due_day_is_overdue_from_the_next_day_on(
    zone: str, name: str, day: dt.date, grace: int
) -> None:
    system = System(time_zone=zone)
    first = cadence.occurrence_of(name, day)
    assert first is not None
    due = cadence.due_on(name, first, grace)
    end = system.end_of_day(due)
    assert system.day_of(end - INSTANT) <= due
    assert system.day_of(end) > due
    # whoever performs in the last second of the period's last day is in the period
    close = system.end_of_day(cadence.last_day(name, first))
    assert system.day_of(close - INSTANT) <= cadence.last_day(name, first)


@given(st.sampled_from(CALENDAR), days)
def test_periods_follow_each_other_without_a_gap(name: str, day: dt.date) -> None:
    first = cadence.occurrence_of(name, day)
    assert first is not None
    last = cadence.last_day(name, first)
    assert first <= day <= last
    following = last + DAY
    assert cadence.occurrence_of(name, following) == following
    assert cadence.occurrence_of(name, last) == first
    if name != "weekly":
        assert (first.day, following.day) == (1, 1)


@given(days, st.integers(0, 240))
@example(dt.date(2024, 2, 29), 12)
@example(dt.date(2024, 1, 31), 1)
def test_some_months_later_is_the_same_day_or_the_months_last(
    day: dt.date, months: int
) -> None:
    later = cadence.add_months(day, months)
    assert (later.year * 12 + later.month) - (day.year * 12 + day.month) == months
    length = calendar.monthrange(later.year, later.month)[1]
    assert later.day == min(day.day, length)


@given(st.sampled_from(["yearly", *CALENDAR]), days, st.integers(0, 90))
def test_proof_lasts_until_the_due_day_of_what_follows(
    name: str, day: dt.date, grace: int
) -> None:
    first = cadence.occurrence_of(name, day)
    end = proof_end(name, day, day, grace)
    assert end is not None
    assert end >= day + grace * DAY
    if first is None:
        assert end == cadence.add_months(day, 12) + grace * DAY
    else:
        following = cadence.last_day(name, first) + DAY
        assert end == cadence.last_day(name, following) + grace * DAY


@pytest.mark.parametrize(
    ("name", "performed", "expected"),
    [
        ("monthly", "2024-01-31", "2024-02-29"),
        ("monthly", "2023-01-31", "2023-02-28"),
        ("quarterly", "2026-03-31", "2026-06-30"),
        ("half-yearly", "2026-06-30", "2026-12-31"),
        ("yearly", "2024-02-29", "2025-02-28"),
        ("weekly", "2026-12-31", "2027-01-10"),
    ],
)
def test_known_ends(name: str, performed: str, expected: str) -> None:
    day = dt.date.fromisoformat(performed)
    assert proof_end(name, day, day, 0) == dt.date.fromisoformat(expected)
