"""Sign-off scenario 12 by the pure rules: days of not applicable."""

from __future__ import annotations

import datetime as dt
from typing import Any

from evidence.status.window import Period
from tests.evidence.scenarios.pure import (
    YEAR,
    ask,
    counts,
    on_a_day,
    over,
    performed,
    terms,
)
from tests.evidence.status.neutral import link_facts

D = dt.date
NOT_APPLICABLE = ((D(2026, 5, 12), D(2026, 9, 24)),)
TODAY = D(2027, 2, 1)


def month(number: int) -> Any:
    day = D(2026, number, 28)
    return performed("monthly", day, day, 5)


MONTHS = tuple(month(number) for number in (1, 2, 3, 4, 10, 11, 12))
QUARTERS = tuple(
    performed("quarterly", day, day, 14) for day in (D(2026, 3, 20), D(2026, 12, 20))
)


def year(every: str, grace: int, links: Any, days: Any = NOT_APPLICABLE) -> Period:
    history = ask(terms(every, grace), YEAR, *links)
    return over(history, today=TODAY, not_applicable=days)


def cut_short(result: Period) -> list[tuple[dt.date, int, int]]:
    return [
        (r.ends, r.asked_days, r.days)
        for r in result.occurrences.results
        if r.outcome == "cut_short"
    ]


def test_monthly_and_quarterly_over_the_year():
    """R14: excused periods asked on some days stay rows outside the counts."""
    monthly = year("monthly", 5, MONTHS)
    assert counts(monthly) == (8, 7, 0, 1, 0)
    missed = [r.ends for r in monthly.occurrences.results if r.outcome == "missed"]
    assert missed == [D(2026, 9, 30)]
    assert cut_short(monthly) == [(D(2026, 5, 31), 11, 31)]
    quarterly = year("quarterly", 14, QUARTERS)
    assert counts(quarterly) == (3, 2, 0, 1, 0)
    assert cut_short(quarterly) == [(D(2026, 6, 30), 41, 91)]
    assert {monthly.result, quarterly.result} == {"exceptions"}


def test_a_break_shorter_than_a_year_interrupts_no_yearly_ask():
    """R14: one expected."""
    assert year("yearly", 30, ()).occurrences.expected == 1


def test_a_break_of_two_days_over_the_turn_of_a_month_interrupts_nothing():
    """R14: twelve expected, nothing cut short."""
    brief = ((D(2026, 5, 31), D(2026, 6, 1)),)
    result = year("monthly", 5, MONTHS, brief)
    assert (result.occurrences.expected, cut_short(result)) == (12, [])


def test_about_25_september_the_monthly_ask_lapsed():
    """R10, R13: April held to 5 June; on its days not applicable stood."""
    history = ask(terms("monthly", 5), YEAR, *MONTHS)
    answer = on_a_day(history, D(2026, 9, 25))
    assert (answer.customer_half, answer.verdict) == ("lapsed", "unproven")
    assert answer.customer_until == D(2026, 6, 5)


def test_an_open_end_is_long():
    """R14: what never resumes excuses every period whose last day it holds."""
    for_good = ((D(2026, 12, 31), D.max),)
    result = year("monthly", 5, MONTHS, for_good)
    assert cut_short(result)[-1] == (D(2026, 12, 31), 30, 31)


def test_yearly_is_late_after_the_last_day_that_the_one_before_proved():
    """R14: 2025's performance held to 30 March 2026; in May it is late by 41 days."""
    before = link_facts("a", "e", D(2025, 2, 28), D(2026, 3, 30))
    now = link_facts("b", "e", D(2026, 5, 10), D(2027, 6, 9))
    result = year("yearly", 30, (before, now), ())
    (only,) = result.occurrences.results
    assert (only.outcome, only.late_days) == ("late", 41)
