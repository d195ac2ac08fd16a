"""R15, R28, R30 and R34: what a window comes to, and always with a reason. Pure."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from evidence.status.facts import ControlFacts, LinkFacts, StatedDays
from evidence.status.window import Period
from tests.evidence.scenarios.pure import (
    YEAR,
    ask,
    codes,
    counts,
    done,
    over,
    performed,
    since,
    terms,
)
from tests.evidence.status.neutral import (
    finding_facts,
    requirement_facts,
    terms_facts,
)

D = dt.date
LATER = D(2027, 2, 1)
FOUND = finding_facts("f", severity="low", found_on=D(2026, 5, 4))
MONTHLY = terms("monthly", 5)
ELEVEN = tuple(
    performed("monthly", D(2026, number, 28), D(2026, number, 28), 5)
    for number in range(1, 12)
)
DECEMBER = performed("monthly", D(2026, 12, 28), D(2026, 12, 28), 5)
IN_GRACE = performed("monthly", D(2026, 12, 28), D(2027, 1, 3), 5)


def at_end(latest: LinkFacts | None, **changes: object) -> ControlFacts:
    """The control on the last day of the year, with its newest performance by then."""
    asked = requirement_facts(
        "r", "Ask", "monthly", YEAR[0], grace_days=5, latest_accepted=latest
    )
    facts: ControlFacts = replace(done(asked), **changes)  # type: ignore[arg-type]
    return facts


def year(*links: LinkFacts, **facts: object) -> Period:
    return over(ask(MONTHLY, since(YEAR[0]), *links), today=LATER, **facts)


def test_complete_where_nothing_stands_against_it():
    """R15."""
    result = year(*ELEVEN, DECEMBER, at_end=at_end(DECEMBER))
    assert (result.result, codes(result)) == ("complete", [])


def test_running_until_the_last_due_day():
    """R15: ended, and December not yet due."""
    history = ask(MONTHLY, since(YEAR[0]), *ELEVEN)
    assert over(history, today=D(2027, 1, 5)).result == "running"
    assert over(history, today=D(2027, 1, 6)).result == "exceptions"


@pytest.mark.parametrize(
    "change",
    [
        {"implementation_status": "planned"},
        {"findings": (FOUND,)},
        {"contradicted": (D(2026, 5, 4),)},
        {"aws_required": True, "aws": None},
    ],
)
def test_what_is_not_proven_on_the_last_day_is_not_complete(change):
    """R34: `status` and `period` agree, whatever keeps it from being proven."""
    result = year(*ELEVEN, DECEMBER, at_end=at_end(DECEMBER, **change))
    assert (result.result, codes(result)) == ("exceptions", ["not_proven_at_end"])


def test_a_lapse_that_the_counts_do_not_show():
    """R34: a yearly ask performed in the window, and lapsed by its terms at the end."""
    lapsed = replace(ELEVEN[0], ends=D(2026, 3, 5))
    result = year(*ELEVEN, DECEMBER, at_end=at_end(lapsed))
    assert (result.result, codes(result)) == ("exceptions", ["not_proven_at_end"])


def test_what_came_within_its_grace_counts_as_shown():
    """R34: only where the performance was on time, of a period that ended by then."""
    first = ask(MONTHLY, since(D(2026, 12, 1)), IN_GRACE)
    facts = {"at_end": at_end(None), "window": (D(2026, 12, 1), YEAR[1])}
    result = over(first, today=LATER, **facts)
    assert (result.result, counts(result)) == ("complete", (1, 1, 0, 0, 0))
    assert result.occurrences.within_grace == 1
    assert result.occurrences.after_window_within_grace == 1
    open_finding = at_end(None, findings=(FOUND,))
    capped = over(first, today=LATER, **facts | {"at_end": open_finding})
    assert codes(capped) == ["not_proven_at_end"]


def test_days_blocked_by_their_status_are_listed():
    """R15, R28: each with its days and its status; unsaid days are not stated."""
    stated = (
        StatedDays(D.min, D(2026, 2, 28), "implemented"),
        StatedDays(D(2026, 3, 1), D(2026, 3, 31), "partial"),
        StatedDays(D(2026, 4, 11), D.max, "implemented"),
    )
    result = year(*ELEVEN, DECEMBER, at_end=at_end(DECEMBER), stated=stated)
    assert result.result == "exceptions"
    assert [(b.first, b.last) for b in result.blocked] == [
        (D(2026, 3, 1), D(2026, 3, 31)),
        (D(2026, 4, 1), D(2026, 4, 10)),
    ]
    texts = [reason.sentence for reason in result.reasons]
    assert texts == [
        "31 days from 2026-03-01 to 2026-03-31: the implementation was partially"
        " implemented.",
        "10 days from 2026-04-01 to 2026-04-10: the implementation was not stated.",
    ]


def test_an_approved_alternative_blocks_no_day():
    """R28: where its description is approved, `alternative` is done."""
    stated = (StatedDays(D.min, D.max, "alternative"),)
    facts = {"stated": stated, "at_end": at_end(DECEMBER)}
    assert year(*ELEVEN, DECEMBER, **facts).result == "exceptions"
    approved = year(*ELEVEN, DECEMBER, alternative_approved=True, **facts)
    assert approved.result == "complete"


def test_design_alone_shows_nothing_on_days_of_a_type_ii_engagement():
    """R30: those days are listed; outside of the engagement it counts."""
    design = terms_facts(title="Ask", cadence="monthly", purpose="design", grace_days=5)
    history = ask(design, since(YEAR[0]), *ELEVEN, DECEMBER)
    facts = {"today": LATER, "at_end": at_end(DECEMBER)}
    assert over(history, **facts).result == "complete"
    half_year = ((D(2026, 1, 1), D(2026, 6, 30)),)
    result = over(history, **facts, type2=half_year)
    assert (result.result, codes(result)) == ("exceptions", ["blocked_by_design"])
    operated = ask(MONTHLY, since(YEAR[0]), *ELEVEN, DECEMBER, uuid="s")
    both = over(history, operated, **facts, type2=half_year)
    assert "blocked_by_design" not in codes(both)


def test_what_answers_from_outside_the_window_is_labelled():
    """R30: before the window, or after it within grace; late ones are only after."""
    early = performed("monthly", D(2026, 1, 28), D(2025, 12, 30), 5, link="early")
    late = performed("monthly", D(2026, 11, 28), D(2027, 1, 20), 5, link="late")
    result = year(early, *ELEVEN[1:10], late, IN_GRACE)
    found = {r.link: r.outside for r in result.occurrences.results if r.outside}
    assert found == {
        "early": "before",
        "late": "after",
        IN_GRACE.link: "after_within_grace",
    }
    assert result.occurrences.before_window == 1
    assert result.occurrences.after_window_within_grace == 1


def test_one_link_answers_one_period():
    """R14: October's link, made for the month, answers no quarter that begins then."""
    october = performed("monthly", D(2026, 10, 5), D(2026, 10, 30), 5)
    of_older_versions = replace(october, occurrence_ends=None)
    both = [
        terms("monthly", 5, D.min, D(2026, 10, 31)),
        terms("quarterly", 14, D(2026, 11, 1)),
    ]
    window = (D(2026, 10, 1), D(2026, 12, 31))
    for link in (october, of_older_versions):
        result = over(ask(both, since(YEAR[0]), link), today=LATER, window=window)
        assert counts(result) == (2, 1, 0, 1, 0)


def test_nothing_asked_is_said_at_once_and_unasked_days_once_it_ended():
    """R11, R15: days to come are not unasked."""
    nothing = over(today=D(2026, 6, 30))
    assert (nothing.result, codes(nothing)) == ("exceptions", ["nothing_asked"])
    assert nothing.unasked_days == 181
    later = over(ask(MONTHLY, since(D(2026, 6, 1))), today=D(2026, 6, 30))
    assert (later.result, later.unasked_days) == ("running", 151)
    assert (later.asked_from, codes(later)) == (D(2026, 6, 1), ["asked_from"])
