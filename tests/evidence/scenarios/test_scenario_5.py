"""Sign-off scenario 5: a period remembers what the day forgives."""

from __future__ import annotations

import datetime as dt

from evidence.status.facts import LinkFacts
from evidence.status.window import Period
from tests.evidence.scenarios.pure import (
    YEAR,
    ask,
    codes,
    counts,
    on_a_day,
    over,
    performed,
    terms,
)

D = dt.date
QUARTERLY = terms("quarterly", 15)
Q1 = performed("quarterly", D(2026, 3, 31), D(2026, 3, 28), 15)
Q2 = performed("quarterly", D(2026, 6, 30), D(2026, 7, 20), 15)
Q4 = performed("quarterly", D(2026, 12, 31), D(2026, 12, 15), 15)


def year(*links: LinkFacts, today: dt.date) -> Period:
    return over(ask(QUARTERLY, YEAR, *links), today=today)


def test_at_the_end_of_the_year_it_is_proven_and_has_exceptions():
    """R14, R15: one late by 5 days, one missed, although the day is proven."""
    answer = on_a_day(ask(QUARTERLY, YEAR, Q1, Q2, Q4), D(2026, 12, 31))
    assert (answer.customer_half, answer.verdict) == ("proven", "proven")
    result = year(Q1, Q2, Q4, today=D(2026, 12, 31))
    assert counts(result) == (4, 2, 1, 1, 0)
    assert [r.late_days for r in result.occurrences.results] == [0, 5, 0, 0]
    assert (result.result, codes(result)) == ("exceptions", ["late", "missed"])


def test_a_third_quarter_performed_in_january_is_late():
    """R14: late by 87 days, and late it stays."""
    q3 = performed("quarterly", D(2026, 9, 30), D(2027, 1, 10), 15)
    result = year(Q1, Q2, q3, Q4, today=D(2027, 1, 10))
    assert counts(result) == (4, 2, 2, 0, 0)
    assert [r.late_days for r in result.occurrences.results] == [0, 5, 87, 0]
    assert result.result == "exceptions"


def third(*, day_confirmed: bool) -> LinkFacts:
    return performed(
        "quarterly",
        D(2026, 9, 30),
        D(2026, 9, 29),
        15,
        collected_on=D(2027, 1, 10),
        uploaded_on=D(2027, 1, 10),
        day_confirmed=day_confirmed,
    )


def test_late_recording_is_on_time_where_the_reviewer_confirms_the_day():
    """R14: marked as collected and recorded late; the other late one remains."""
    result = year(Q1, Q2, third(day_confirmed=True), Q4, today=D(2027, 1, 20))
    assert counts(result) == (4, 3, 1, 0, 0)
    assert result.occurrences.recorded_late == 1
    q3 = result.occurrences.results[2]
    assert (q3.outcome, q3.collected_late, q3.recorded_late_days) == (
        "on_time",
        True,
        87,
    )
    sentences = [reason.sentence for reason in result.reasons]
    assert any("recorded 87 days after its due day" in text for text in sentences)
    assert result.result == "exceptions"


def test_late_recording_is_late_as_of_the_upload_where_nobody_confirms():
    """R14: without the reviewer's word it is late by 87 days."""
    result = year(Q1, Q2, third(day_confirmed=False), Q4, today=D(2027, 1, 20))
    assert counts(result) == (4, 2, 2, 0, 0)
    assert result.occurrences.results[2].late_days == 87


def test_half_yearly_means_two_a_year():
    """R14: one performance in 2026 leaves one missed."""
    once = performed("half-yearly", D(2026, 6, 30), D(2026, 5, 1), 15)
    result = over(ask(terms("half-yearly", 15), YEAR, once), today=D(2027, 3, 1))
    assert counts(result) == (2, 1, 0, 1, 0)
