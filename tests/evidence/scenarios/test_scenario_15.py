"""Sign-off scenario 15: populations cover days."""

from __future__ import annotations

import datetime as dt

from evidence.status.day import Status
from evidence.status.facts import PopulationFacts
from evidence.status.window import Period
from tests.evidence.scenarios.pure import (
    YEAR,
    ask,
    codes,
    counts,
    on_a_day,
    over,
    since,
    terms,
)
from tests.evidence.status.neutral import population_facts

D = dt.date


def drawn(
    first: dt.date, last: dt.date, rows: int, on: dt.date, **sample: object
) -> PopulationFacts:
    more = {"rows": rows, "state": "accepted", "drawn_on": on, "uuid": str(first)}
    return population_facts(first, last, **(more | sample))


Q1 = drawn(D(2026, 1, 1), D(2026, 3, 31), 12, D(2026, 4, 10), sample=5, proven=5)
Q2 = drawn(
    D(2026, 4, 1),
    D(2026, 6, 15),
    7,
    D(2026, 7, 10),
    sample=3,
    proven=2,
    deviations=1,
)
Q3 = drawn(D(2026, 7, 1), D(2026, 9, 30), 0, D(2026, 10, 12))
Q4 = drawn(D(2026, 10, 15), D(2026, 12, 31), 9, D(2027, 1, 12), sample=4, proven=3)
REST = drawn(
    D(2026, 6, 16),
    D(2026, 6, 30),
    2,
    D(2027, 2, 20),
    sample=2,
    proven=2,
    day_confirmed=True,
)


def year(*populations: PopulationFacts, today: dt.date) -> Period:
    return over(leavers(*populations), today=today)


def leavers(*populations: PopulationFacts):  # type: ignore[no-untyped-def]
    return ask(
        terms("per-event", 30), since(D(2026, 1, 1)), populations=tuple(populations)
    )


def on(day: dt.date, *populations: PopulationFacts) -> Status:
    return on_a_day(leavers(*populations), day)


def covered(result: Period) -> tuple[int, int, int]:
    days = result.occurrences.event_days
    return days.covered, days.open, days.not_yet_due


def test_on_15_february():
    """R16: each day is counted, and each period by its cadence."""
    result = year(Q1, Q2, Q3, Q4, today=D(2027, 2, 15))
    assert covered(result) == (336, 29, 0)
    assert [days for _, days in result.occurrences.event_days.open_ranges] == [
        (D(2026, 6, 16), D(2026, 6, 30)),
        (D(2026, 10, 1), D(2026, 10, 14)),
    ]
    assert counts(result) == (4, 2, 0, 2, 0)
    assert [r.outcome for r in result.occurrences.results] == [
        "on_time",
        "missed",
        "on_time",
        "missed",
    ]
    found = result.occurrences
    assert (found.sampled, found.proven, found.deviations, found.open) == (12, 10, 1, 1)
    assert result.result == "exceptions"
    assert codes(result).count("days_without_population") == 2
    assert {"deviations", "sample_open"} <= set(codes(result))
    answer = on(D(2027, 2, 15), Q1, Q2, Q3, Q4)
    assert (answer.customer_half, answer.customer_until) == ("lapsed", D(2027, 1, 30))
    assert on(D(2027, 1, 30), Q1, Q2, Q3, Q4).customer_half == "expiring"
    assert on(D(2027, 1, 31), Q1, Q2, Q3, Q4).customer_half == "lapsed"


def test_about_15_november_before_the_last_was_drawn():
    """R16: the days of a period that is not due yet stand apart."""
    result = year(Q1, Q2, Q3, today=D(2026, 11, 15))
    assert covered(result) == (258, 15, 92)
    answer = on(D(2026, 11, 15), Q1, Q2, Q3)
    assert (answer.customer_half, answer.customer_until) == ("proven", D(2027, 1, 30))
    assert on(D(2026, 12, 31), Q1, Q2, Q3).customer_half == "proven"
    assert on(D(2027, 1, 1), Q1, Q2, Q3).customer_half == "expiring"


def test_about_31_july_it_lapsed():
    """R13, R16: the second quarter was due on the day before."""
    assert on(D(2026, 7, 30), Q1, Q2).customer_half == "expiring"
    assert on(D(2026, 7, 31), Q1, Q2, Q3, Q4).customer_half == "lapsed"


def test_when_the_gap_is_drawn_in_february():
    """R14, R16: drawing late is late recording, on time where the day is confirmed."""
    result = year(Q1, Q2, REST, Q3, Q4, today=D(2027, 2, 25))
    assert covered(result) == (351, 14, 0)
    assert counts(result) == (4, 3, 0, 1, 0)
    assert result.occurrences.recorded_late == 1
    assert result.occurrences.results[1].recorded_late_days == 205
    sentences = " ".join(reason.sentence for reason in result.reasons)
    assert "recorded 205 days after its due day" in sentences
    found = result.occurrences
    assert (found.deviations, found.sampled) == (1, 14)


def test_drawn_in_february_without_confirmation_it_is_late():
    """R14: late as of the day on which it was drawn."""
    unconfirmed = population_facts(
        *(D(2026, 6, 16), D(2026, 6, 30)),
        rows=0,
        state="accepted",
        drawn_on=D(2027, 2, 20),
        uuid="rest",
    )
    result = year(Q1, Q2, unconfirmed, Q3, Q4, today=D(2027, 2, 25))
    assert counts(result) == (4, 2, 1, 1, 0)
    assert result.occurrences.results[1].late_days == 205


def test_a_population_of_one_day_proves_no_month():
    """R16: one day without events covers one day."""
    one = drawn(D(2026, 1, 15), D(2026, 1, 15), 0, D(2026, 1, 16))
    result = year(one, today=D(2027, 2, 15))
    assert covered(result) == (1, 364, 0)
    assert counts(result) == (4, 0, 0, 4, 0)
    assert on(D(2027, 2, 15), one).customer_half == "missing"


def test_a_deviation_caps_the_verdict_while_its_period_is_current():
    """R16: two quarters later it stays in the window's counts only."""
    whole = drawn(
        D(2026, 4, 1),
        D(2026, 6, 30),
        7,
        D(2026, 7, 10),
        sample=3,
        proven=2,
        deviations=1,
    )
    during = on(D(2026, 8, 1), Q1, whole)
    assert (during.customer_half, during.verdict) == ("proven", "partly")
    assert on(D(2026, 10, 15), Q1, whole, Q3).verdict == "proven"


def test_a_window_cut_at_its_end_counts_the_days_to_it():
    """R16: the days of the last, unfinished quarter are counted, too."""
    window = (YEAR[0], D(2026, 11, 15))
    result = over(leavers(Q1, Q2, REST, Q3), today=D(2027, 2, 25), window=window)
    assert result.occurrences.expected == 3
    assert covered(result) == (90 + 91 + 92, 46, 0)
    assert result.result == "exceptions"
