"""Sign-off scenario 11 by the pure rules: a change in retrospect."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from evidence.status.facts import RequirementHistory
from evidence.status.window import Period
from tests.evidence.scenarios.pure import (
    ask,
    codes,
    counts,
    on_a_day,
    over,
    performed,
    since,
    terms,
)
from tests.evidence.status.neutral import former_facts

D = dt.date
TODAY = D(2026, 11, 16)
ALWAYS = (since(D.min),)
MONTH_ENDS = [D(2026, 1, 31), D(2026, 2, 28), D(2026, 3, 31), D(2026, 4, 30)]
OCTOBER = performed(
    "monthly", D(2026, 10, 31), D(2026, 10, 31), 5, uploaded_on=D(2026, 11, 3)
)
LINKS = (*(performed("monthly", day, day, 5) for day in MONTH_ENDS), OCTOBER)
MONTHLY = ask(terms("monthly", 5), since(D(2026, 1, 1)), *LINKS)
FROM_TODAY = ask(
    [terms("monthly", 5, D.min, D(2026, 11, 15)), terms("quarterly", 14, TODAY)],
    since(D(2026, 1, 1)),
    *LINKS,
)
FROM_APRIL = ask(
    [terms("monthly", 5, D.min, D(2026, 3, 31)), terms("quarterly", 14, D(2026, 4, 1))],
    since(D(2026, 1, 1)),
    *LINKS,
)


def year(history: RequirementHistory, today: dt.date = TODAY) -> Period:
    return over(history, today=today)


def in_retrospect(history: RequirementHistory, today: dt.date) -> Period:
    """With what stood before the change that a second officer approved on the 18th."""
    before = former_facts(
        "c",
        D(2026, 11, 16),
        D(2026, 11, 18),
        D(2026, 4, 1),
        required=ALWAYS,
        requirements=(replace(MONTHLY, links=history.links),),
    )
    return over(history, today=today, former=(before,))


def test_before_any_change():
    """R14: 12 expected, 5 on time, 5 missed, 2 not yet due; proven to 5 December."""
    assert counts(year(MONTHLY)) == (12, 5, 0, 5, 2)
    answer = on_a_day(MONTHLY, TODAY)
    assert (answer.customer_half, answer.customer_until) == ("proven", D(2026, 12, 5))
    assert on_a_day(MONTHLY, D(2026, 11, 25)).customer_half == "proven"
    assert on_a_day(MONTHLY, D(2026, 11, 26)).customer_half == "expiring"


def test_one_officer_alone_changes_it_from_today():
    """R14, R31: what was expected of past days stays; October answers no quarter."""
    result = year(FROM_TODAY)
    assert counts(result) == (11, 5, 0, 5, 1)
    last = result.occurrences.results[-1]
    assert (last.starts, last.ends, last.due_on) == (
        D(2026, 10, 1),
        D(2026, 12, 31),
        D(2027, 1, 14),
    )
    assert (last.outcome, last.link) == ("not_yet_due", "")
    assert on_a_day(FROM_TODAY, TODAY).customer_until == D(2027, 1, 14)
    assert on_a_day(FROM_TODAY, D(2026, 12, 10)).customer_half == "proven"
    assert on_a_day(FROM_TODAY, D(2026, 12, 15)).customer_half == "proven"
    assert on_a_day(FROM_TODAY, D(2026, 12, 16)).customer_half == "expiring"


def test_days_before_the_change_keep_their_ends():
    """R13: about a day before, proof ends as it did."""
    answer = on_a_day(FROM_TODAY, D(2026, 11, 15))
    assert answer.customer_until == D(2026, 12, 5)


def test_two_officers_change_it_from_april():
    """R31: what falls away stays a waived row, and every row is marked."""
    result = in_retrospect(FROM_APRIL, D(2026, 11, 18))
    assert counts(result) == (6, 3, 0, 2, 1)
    waived = [r for r in result.occurrences.results if r.outcome == "waived"]
    assert len(waived) == result.occurrences.waived == 7
    assert [r.starts.month for r in waived] == [4, 5, 6, 7, 8, 9, 10]
    assert [r.former_outcome for r in waived] == [
        "on_time",
        *["missed"] * 5,
        "on_time",
    ]
    assert all(r.changed_in_retrospect for r in waived)
    marked = [
        r.ends
        for r in result.occurrences.results
        if r.changed_in_retrospect and r.outcome != "waived"
    ]
    assert marked == [D(2026, 6, 30), D(2026, 9, 30)]
    assert result.result == "exceptions"


def test_about_july_it_was_lapsed_and_is_expiring():
    """R13: April's performance holds to 14 July by the terms now in force then."""
    before = on_a_day(MONTHLY, D(2026, 7, 1))
    assert before.customer_half == "lapsed"
    (why,) = [r for r in before.reasons if r.code == "overdue"]
    assert "26 days overdue" in why.sentence
    after = on_a_day(FROM_APRIL, D(2026, 7, 1))
    assert (after.customer_half, after.customer_until) == ("expiring", D(2026, 7, 14))


def test_the_april_report_answers_the_second_quarter_once_it_is_linked_to_it():
    """R14: a link answers the period it was made for; never complete at the end."""
    linked = performed(
        "quarterly", D(2026, 6, 30), D(2026, 4, 30), 14, link="april again"
    )
    history = replace(FROM_APRIL, links=(*LINKS, linked))
    assert counts(in_retrospect(history, D(2026, 11, 19))) == (6, 4, 0, 1, 1)
    q3 = performed("quarterly", D(2026, 9, 30), D(2026, 9, 30), 14)
    q4 = performed("quarterly", D(2026, 12, 31), D(2026, 12, 31), 14)
    whole = replace(history, links=(*history.links, q3, q4))
    result = in_retrospect(whole, D(2027, 2, 1))
    assert counts(result) == (6, 6, 0, 0, 0)
    assert result.result == "exceptions"
    assert "waived" in codes(result)
