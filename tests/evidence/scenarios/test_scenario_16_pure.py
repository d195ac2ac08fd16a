"""Sign-off scenario 16 by the pure rules: late recording, and a first window."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from evidence.status.facts import LinkFacts, RequirementHistory
from evidence.status.window import Period
from tests.evidence.scenarios.pure import (
    YEAR,
    ask,
    codes,
    counts,
    done,
    on_a_day,
    over,
    performed,
    since,
    terms,
)
from tests.evidence.status.neutral import requirement_facts

D = dt.date
MONTHLY = terms("monthly", 5)


def month(number: int, on: dt.date | None = None, **more: object) -> LinkFacts:
    about = D(2026, number, 28)
    return performed("monthly", about, on or about, 5, **more)


FIRST_SEVEN = tuple(month(number) for number in range(1, 8))
AUGUST = month(8, D(2026, 9, 3), uploaded_on=D(2026, 10, 20), day_confirmed=True)
SEPTEMBER = month(9, D(2026, 11, 19), uploaded_on=D(2026, 11, 20))
OCTOBER = month(10, D(2026, 11, 4))


def patches(august: LinkFacts = AUGUST, *more: LinkFacts) -> RequirementHistory:
    return ask(MONTHLY, since(YEAR[0]), *FIRST_SEVEN, august, OCTOBER, *more)


def year(history: RequirementHistory, today: dt.date) -> Period:
    return over(history, today=today)


def test_on_25_november_everything_is_counted():
    """R14: nine on time, one of them recorded late; one late, none missed."""
    result = year(patches(AUGUST, SEPTEMBER), D(2026, 11, 25))
    assert counts(result) == (12, 9, 1, 0, 2)
    assert result.occurrences.recorded_late == 1
    august, september = result.occurrences.results[7:9]
    assert august.recorded_late_days == 45
    assert (september.outcome, september.late_days) == ("late", 45)
    assert result.occurrences.within_grace == 2


def test_a_link_whose_end_lies_before_it_proves_no_day():
    """R13: September's holds to 5 November, before it was performed."""
    assert SEPTEMBER.ends == D(2026, 11, 5)
    history = patches(AUGUST, SEPTEMBER)
    answer = on_a_day(history, D(2026, 11, 25))
    assert (answer.customer_half, answer.customer_until) == ("proven", D(2026, 12, 5))
    alone = ask(MONTHLY, since(YEAR[0]), SEPTEMBER)
    assert on_a_day(alone, D(2026, 11, 25)).customer_half == "lapsed"


def test_about_20_september():
    """R14: as known then it lapsed on 6 September; now the day is confirmed."""
    then = on_a_day(patches(), D(2026, 9, 20), uploaded_by=D(2026, 9, 20))
    assert then.customer_half == "lapsed"
    (why,) = [r for r in then.reasons if r.code == "overdue"]
    assert "15 days overdue" in why.sentence
    now = on_a_day(patches(), D(2026, 9, 20))
    assert (now.verdict, now.customer_until) == ("proven", D(2026, 10, 5))


def test_without_the_confirmation_it_is_late_as_of_the_upload():
    """R14: eight on time, two late, and lapsed in September with all knowledge."""
    august = replace(AUGUST, day_confirmed=False)
    result = year(patches(august, SEPTEMBER), D(2026, 11, 25))
    assert counts(result) == (12, 8, 2, 0, 2)
    assert result.occurrences.results[7].late_days == 45
    assert on_a_day(patches(august), D(2026, 9, 20)).customer_half == "lapsed"


FIVE = tuple(month(number) for number in range(8, 13))
DESCRIBED = D(2026, 8, 20)


def first_window(window: tuple[dt.date, dt.date]) -> Period:
    history = ask(MONTHLY, since(DESCRIBED), *FIVE)
    at_end = done(
        requirement_facts(
            "r", "Ask", "monthly", DESCRIBED, grace_days=5, latest_accepted=FIVE[-1]
        )
    )
    return over(history, today=D(2027, 2, 1), window=window, at_end=at_end)


def test_the_first_window_of_a_system_described_in_august():
    """R11, R15: days before are unasked, no misses, and keep it from being complete."""
    result = first_window(YEAR)
    assert counts(result) == (5, 5, 0, 0, 0)
    assert (result.unasked_days, result.asked_from) == (231, DESCRIBED)
    assert (result.result, codes(result)) == ("exceptions", ["asked_from"])


def test_the_window_begun_on_the_day_it_was_described_is_complete():
    """R11, R15: 134 days, all asked, all on time, proven on the last of them."""
    result = first_window((DESCRIBED, YEAR[1]))
    assert (YEAR[1] - DESCRIBED).days + 1 == 134
    assert (result.result, result.unasked_days) == ("complete", 0)
