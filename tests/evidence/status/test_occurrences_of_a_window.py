"""R12 to R15: what a window expects of one requirement, as a table. Pure."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.status.cadence import due_on, last_day, occurrence_of
from evidence.status.day_ranges import EVERY_DAY
from evidence.status.duty import AskedPeriod, asked_days, asked_periods
from evidence.status.facts import RequirementFacts
from evidence.status.window import period
from tests.evidence.status.neutral import (
    link_facts,
    period_facts,
    requirement_facts,
    requirement_history,
)


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def asked(
    cadence: str, since: str = "2020-01-01", until: str = "", grace: int | None = None
) -> RequirementFacts:
    return requirement_facts(
        uuid="r",
        title="Report",
        cadence=cadence,  # type: ignore[arg-type]
        operates_from=day(since),
        operates_until=day(until) if until else None,
        grace_days=grace,
    )


def expected(
    requirement: RequirementFacts, start: dt.date, end: dt.date
) -> list[AskedPeriod]:
    history = requirement_history(requirement)
    asked = asked_days(history, [EVERY_DAY])
    periods = asked_periods(history.terms, asked, start, end)
    return [period for period in periods if not period.cut_short]


def ends(requirement: RequirementFacts, start: str, end: str) -> list[str]:
    return [str(p.ends) for p in expected(requirement, day(start), day(end))]


@pytest.mark.parametrize(
    ("cadence", "start", "end", "expected"),
    [
        # months end where months end, leap years included
        ("monthly", "2024-02-01", "2024-02-29", ["2024-02-29"]),
        ("monthly", "2023-02-01", "2023-03-31", ["2023-02-28", "2023-03-31"]),
        ("monthly", "2024-02-01", "2024-02-28", []),
        # cut by the start: counts; cut by the end: does not
        ("monthly", "2026-01-15", "2026-03-30", ["2026-01-31", "2026-02-28"]),
        ("quarterly", "2026-02-10", "2026-09-29", ["2026-03-31", "2026-06-30"]),
        (
            "quarterly",
            "2026-02-10",
            "2026-09-30",
            ["2026-03-31", "2026-06-30", "2026-09-30"],
        ),
        # shorter than the cadence
        ("quarterly", "2026-04-01", "2026-05-31", []),
        ("half-yearly", "2026-03-01", "2026-07-01", ["2026-06-30"]),
        # two a year
        ("half-yearly", "2026-01-01", "2026-12-31", ["2026-06-30", "2026-12-31"]),
        # weeks end on Sunday, over the turn of a year
        ("weekly", "2026-12-28", "2027-01-10", ["2027-01-03", "2027-01-10"]),
        ("weekly", "2026-12-28", "2027-01-02", []),
        # yearly: one in the window, or the 12 months before its end
        ("yearly", "2026-01-01", "2026-12-31", ["2026-12-31"]),
        ("yearly", "2026-07-01", "2026-09-30", ["2026-09-30"]),
        ("yearly", "2024-01-01", "2025-12-31", ["2024-12-31", "2025-12-31"]),
        ("yearly", "2024-02-29", "2024-02-29", ["2024-02-29"]),
        ("once", "2026-01-01", "2026-12-31", ["2026-12-31"]),
        # R16: populations are drawn for each quarter
        ("per-event", "2026-01-01", "2026-07-31", ["2026-03-31", "2026-06-30"]),
    ],
)
def test_what_a_window_expects(cadence, start, end, expected):
    """R14: calendar periods whose last day lies in the window; yearly one."""
    assert ends(asked(cadence), start, end) == expected


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        ("2026-03-15", "", ["2026-03-31", "2026-04-30", "2026-05-31", "2026-06-30"]),
        ("2026-01-01", "2026-03-31", ["2026-01-31", "2026-02-28"]),
        ("2026-01-01", "2026-04-01", ["2026-01-31", "2026-02-28", "2026-03-31"]),
        ("2026-07-01", "", []),
        ("2025-01-01", "2026-01-01", []),
    ],
)
def test_a_requirement_that_begins_or_ends_inside(since, until, expected):
    requirement = asked("monthly", since, until)
    assert ends(requirement, "2026-01-01", "2026-06-30") == expected


@pytest.mark.parametrize(
    ("cadence", "start", "grace", "due"),
    [
        ("monthly", "2024-02-01", 5, "2024-03-05"),
        ("monthly", "2026-12-01", 5, "2027-01-05"),
        ("weekly", "2026-12-28", 2, "2027-01-05"),
        ("quarterly", "2026-10-01", 14, "2027-01-14"),
        ("half-yearly", "2026-01-01", 28, "2026-07-28"),
    ],
)
def test_the_due_day_is_the_last_day_and_the_grace(cadence, start, grace, due):
    assert due_on(cadence, day(start), grace) == day(due)


def outcome(performed: str, *, today: str, collected: str = "") -> tuple[str, bool]:
    """The outcome of January's report with five days of grace."""
    links = ()
    if performed:
        links = (
            link_facts(
                "l",
                "e",
                day(performed),
                None,
                occurrence=day("2026-01-01"),
                collected_on=day(collected or performed),
            ),
        )
    facts = period_facts(
        "cm-8",
        customer_required=True,
        requirements=(requirement_history(asked("monthly", grace=5), links),),
    )
    found = period(facts, day("2026-01-01"), day("2026-01-31"), today=day(today))
    (result,) = found.occurrences.results
    return result.outcome, result.collected_late


@pytest.mark.parametrize(
    ("performed", "today", "collected", "expected"),
    [
        ("2026-01-31", "2026-03-01", "", ("on_time", False)),
        ("2026-02-05", "2026-03-01", "", ("on_time", False)),
        ("2026-02-06", "2026-03-01", "", ("late", False)),
        ("2026-01-31", "2026-03-01", "2026-02-20", ("on_time", True)),
        ("", "2026-02-05", "", ("not_yet_due", False)),
        ("", "2026-02-06", "", ("missed", False)),
        ("2026-02-04", "2026-02-03", "", ("not_yet_due", False)),
    ],
)
def test_on_time_late_missed_not_yet_due(performed, today, collected, expected):
    assert outcome(performed, today=today, collected=collected) == expected


CALENDAR = st.sampled_from(["weekly", "monthly", "quarterly", "half-yearly"])
DAYS = st.dates(dt.date(2000, 1, 1), dt.date(2100, 12, 31))


@given(CALENDAR, DAYS, st.integers(0, 800))
def test_a_window_and_the_one_after_it_expect_each_period_once(cadence, start, length):
    """Rolling forward neither loses nor doubles an occurrence."""
    middle = start + dt.timedelta(days=length)
    end = middle + dt.timedelta(days=400)
    requirement = asked(cadence, "1999-01-01")
    whole = expected(requirement, start, end)
    first = expected(requirement, start, middle)
    second = expected(requirement, middle + dt.timedelta(days=1), end)
    assert [p.ends for p in first] + [p.ends for p in second] == [p.ends for p in whole]


@given(CALENDAR, DAYS)
def test_every_day_lies_in_one_period(cadence, any_day):
    start = occurrence_of(cadence, any_day)
    assert start is not None
    assert start <= any_day <= last_day(cadence, start)
    assert occurrence_of(cadence, last_day(cadence, start)) == start
