"""Sign-off scenario 14 by the pure rules: one ask, many controls, by control."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from evidence.status.day import status
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
QUARTERLY = terms("quarterly", 14)
TODAY = D(2027, 2, 1)


def quarter(number: int, on: dt.date, **more: object) -> LinkFacts:
    return performed("quarterly", D(2026, 3 * number, 15), on, 14, **more)


Q1 = quarter(1, D(2026, 3, 30))
Q2 = quarter(2, D(2026, 6, 29), uploaded_on=D(2026, 7, 2))
Q2_AGAIN = quarter(2, D(2026, 6, 29), uploaded_on=D(2026, 7, 20), day_confirmed=True)
Q3 = quarter(3, D(2026, 9, 28))
FOUR = ask(QUARTERLY, since(YEAR[0]), Q1, Q2, Q3)
AU_9 = ask(QUARTERLY, since(YEAR[0]), Q1, Q2_AGAIN, Q3)
AU_10 = ask(QUARTERLY, since(D(2026, 8, 15)), Q3)


def year(history: RequirementHistory) -> Period:
    return over(history, today=TODAY)


def test_by_control():
    """R11, R14: 22 expected, 16 on time, 6 missed by control."""
    of_control = {name: year(FOUR) for name in ("au-3", "au-4", "au-11", "au-12")}
    of_control |= {"au-9": year(AU_9), "au-10": year(AU_10)}
    for name in ("au-3", "au-4", "au-9", "au-11", "au-12"):
        assert counts(of_control[name]) == (4, 3, 0, 1, 0), name
    assert counts(of_control["au-10"]) == (2, 1, 0, 1, 0)
    totals = [
        sum(column) for column in zip(*map(counts, of_control.values()), strict=True)
    ]
    assert totals == [22, 16, 0, 6, 0]
    assert of_control["au-10"].unasked_days == 226
    second = of_control["au-9"].occurrences.results[1]
    assert (second.outcome, second.recorded_late_days) == ("on_time", 6)
    sentences = [reason.sentence for reason in of_control["au-9"].reasons]
    assert any("recorded 6 days after its due day" in text for text in sentences)


def test_au_9_about_16_july():
    """R13, R17: as known then it lapsed on 14 July, with the rejection named."""
    then = requirement_facts(
        "r",
        "Ask",
        "quarterly",
        YEAR[0],
        grace_days=14,
        latest_accepted=Q1,
        newer_rejected=True,
    )
    answer = status(done(then), D(2026, 7, 16))
    assert (answer.customer_half, answer.customer_until) == ("lapsed", D(2026, 7, 14))
    assert "newer_rejected" in codes(answer)
    assert on_a_day(AU_9, D(2026, 7, 16)).customer_half == "proven"
    unconfirmed = replace(Q2_AGAIN, day_confirmed=False)
    history = replace(AU_9, links=(Q1, unconfirmed, Q3))
    assert on_a_day(history, D(2026, 7, 16)).customer_half == "lapsed"


def test_the_other_four_about_16_july():
    """R17: proven to 14 October, before and after the revision of the fifth."""
    answer = on_a_day(FOUR, D(2026, 7, 16))
    assert (answer.customer_half, answer.customer_until) == ("proven", D(2026, 10, 14))
