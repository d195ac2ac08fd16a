"""R13, R14, R16 where the cadence of populations changes: due days, one by one."""

from __future__ import annotations

from tests.evidence.populations.test_how_often_they_are_drawn import (
    DAY,
    TURN,
    D,
    days,
    drawn,
    leavers,
    populations,
)
from tests.evidence.scenarios.past import month, quarter
from tests.evidence.scenarios.pure import counts, on_a_day, over
from tests.evidence.status.neutral import terms_facts


def opened(history, today, window):  # type: ignore[no-untyped-def]
    """Days that no population speaks of, of the days of a window: too late, and not."""
    return days(over(history, today=today, window=window))[1:]


def test_r16_a_population_drawn_late_counts_from_the_day_on_which_it_was_drawn() -> (
    None
):
    first = drawn(*quarter(1), on=D(2026, 5, 5))
    history = leavers([populations("quarterly", 30)], first)
    assert counts(over(history, today=D(2026, 5, 4)))[:4] == (4, 0, 0, 1)
    assert counts(over(history, today=D(2026, 5, 5)))[:4] == (4, 0, 1, 0)


def test_r14_days_before_another_kind_of_ask_are_due_with_their_own_period() -> None:
    history = leavers(
        [
            populations("quarterly", 30, last=D(2026, 5, 14)),
            terms_facts(
                D(2026, 5, 15), title="Leavers", cadence="monthly", grace_days=5
            ),
        ]
    )
    window = D(2026, 4, 1), D(2026, 5, 14)
    assert opened(history, D(2026, 7, 30), window) == (0, 44)
    assert opened(history, D(2026, 7, 31), window) == (44, 0)


def test_r14_days_before_a_change_within_their_new_period_are_due_with_it() -> None:
    history = leavers(
        [
            populations("quarterly", 30, last=D(2026, 4, 14)),
            populations("monthly", 15, first=D(2026, 4, 15)),
        ]
    )
    assert opened(history, D(2026, 5, 15), month(4)) == (0, 30)
    assert opened(history, D(2026, 5, 16), month(4)) == (30, 0)


def test_r14_days_whose_period_a_change_cut_are_due_with_the_old_one() -> None:
    history = leavers(
        [
            populations("quarterly", 30, last=D(2026, 5, 14)),
            populations("monthly", 15, first=D(2026, 5, 15)),
        ]
    )
    assert opened(history, D(2026, 7, 30), month(4)) == (0, 30)
    assert opened(history, D(2026, 7, 31), month(4)) == (30, 0)


def test_r13_terms_that_change_something_else_begin_no_cadence_anew() -> None:
    """February's population holds over the first quarter that is drawn quarterly."""
    history = leavers(
        [
            populations("monthly", 15, last=D(2026, 4, 14)),
            populations("quarterly", 30, first=D(2026, 4, 15), last=TURN + 8 * DAY),
            populations("quarterly", 30, first=TURN + 9 * DAY),
        ],
        drawn(*month(2), on=D(2026, 3, 3)),
    )
    assert on_a_day(history, D(2026, 4, 14)).customer_until == D(2026, 4, 15)
    assert on_a_day(history, D(2026, 6, 20)).customer_until == D(2026, 7, 30)
    assert on_a_day(history, TURN + 14 * DAY).customer_until == D(2026, 7, 30)


def test_r16_what_is_not_yet_due_names_its_day() -> None:
    january = drawn(*month(1), on=D(2026, 2, 2))
    history = leavers([populations("quarterly", 30)], january)
    judged = on_a_day(history, D(2026, 2, 10))
    (reason,) = [r for r in judged.reasons if r.code == "not_yet_due"]
    assert dict(reason.params)["due"] == "2026-04-30"
