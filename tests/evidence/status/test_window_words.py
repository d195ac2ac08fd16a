"""R11, R12, R14 to R16, R30, R31: what stands beside an outcome, in words. Pure."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from evidence.status.occurrence_results import (
    EventDays,
    OccurrenceResult,
    Occurrences,
)
from evidence.status.window import AwsDays, Period
from evidence.status.window_words import (
    counts_of,
    event_days_of,
    notes_of,
    unasked_of,
    uncounted_of,
)

D = dt.date


def result(outcome: str, **more: Any) -> OccurrenceResult:
    """August 2026, due on 5 September."""
    days = {"starts": D(2026, 8, 1), "ends": D(2026, 8, 31), "due_on": D(2026, 9, 5)}
    said = {"requirement": "r", "title": "Patches", "asked_days": 31} | days
    return OccurrenceResult(outcome=outcome, **(said | more))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("row", "notes"),
    [
        (result("on_time", performed_on=D(2026, 8, 31)), ()),
        (result("late", performed_on=D(2026, 9, 6), late_days=1), ("1 day",)),
        (
            # R14: the evidence itself shows the day, and was brought later
            result("on_time", recorded_late_days=45, collected_late=True),
            ("recorded 45 days after its due day", "collected after the period"),
        ),
        (
            # R12: days after the period's last day
            result("on_time", performed_on=D(2026, 9, 3)),
            ("3 days after its last day, within grace",),
        ),
        (result("cut_short", asked_days=11), ("asked on 11 of 31 days",)),
        (
            # R31: a waived row keeps its former outcome, and is marked
            result("waived", former_outcome="not_yet_due", changed_in_retrospect=True),
            ("formerly not yet due", "changed in retrospect"),
        ),
        # R30: only the rest is outside this audit
        (result("on_time", outside="before"), ("before the window",)),
        (
            result("on_time", performed_on=D(2026, 9, 1), outside="after_within_grace"),
            ("1 day after its last day, within grace", "after it, within grace"),
        ),
        (
            result("late", late_days=9, outside="after"),
            ("9 days", "outside this audit"),
        ),
    ],
)
def test_each_mark_is_a_note(row, notes):
    """One note for each mark, with the right number of days."""
    assert notes_of(row) == notes


def test_counts_say_what_is_inside_on_time():
    """R14: counts read *on time 9, of which recorded late 2*."""
    ours = Occurrences(expected=12, on_time=9, late=1, not_yet_due=2, recorded_late=2)
    assert counts_of(ours) == (
        "9 on time (of which recorded late 2), 1 late, 0 missed, 2 not yet due"
    )
    assert uncounted_of(ours) == ""


def test_what_is_not_counted_stands_apart():
    """R12, R30, R31: within grace inside the count, the others beside it."""
    ours = Occurrences(
        on_time=3, within_grace=1, cut_short=1, waived=7, after_window_within_grace=2
    )
    assert "3 on time (of which within grace 1)" in counts_of(ours)
    assert uncounted_of(ours) == (
        "1 cut short, 7 waived, 2 answered after it, within grace"
    )


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (EventDays(), ""),
        (EventDays(336, 29, 0), "336 days covered, 29 open, 0 not yet due"),
        (EventDays(1, 364, 0), "1 day covered, 364 open, 0 not yet due"),
    ],
)
def test_days_asked_per_event(days, words):
    """R16: every day of the window is counted."""
    assert event_days_of(Occurrences(event_days=days)) == words


@pytest.mark.parametrize(
    ("days", "since", "words"),
    [
        (0, None, ""),
        (
            231,
            D(2026, 8, 20),
            "Nothing was asked on 231 days of the window: asked from 2026-08-20.",
        ),
        (1, None, "Nothing was asked on 1 day of the window."),
    ],
)
def test_unasked_days(days, since, words):
    """R11: the page says how many, and from which day on something was asked."""
    period = Period("exceptions", Occurrences(), AwsDays(), (), days, since)
    assert unasked_of(period) == words
