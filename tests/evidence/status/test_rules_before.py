"""What the number of the rules before answered is told, with the amended rule (R35)."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from evidence.status.facts import RequirementHistory, StatedDays
from evidence.status.rules import EDITIONS
from evidence.status.rules_before import (
    NOT_COMPARED,
    TAKEN_BACK,
    Both,
    RuleChange,
    difference,
)
from tests.evidence.scenarios.pure import YEAR, ask, done, performed, since, terms
from tests.evidence.status.neutral import (
    applicability_facts,
    former_facts,
    period_facts,
    requirement_facts,
)

D = dt.date
NEXT_YEAR = D(2027, 2, 1)
ALWAYS = (since(D.min),)
MONTHS = [D(2026, month, 28) for month in range(1, 13)]
ON_TIME = tuple(performed("monthly", day, day, 5) for day in MONTHS)
MONTHLY = ask(terms("monthly", 5), since(D(2026, 1, 1)), *ON_TIME)
SHOWN = requirement_facts(
    "r",
    "Ask",
    "monthly",
    D(2026, 1, 1),
    grace_days=5,
    latest_accepted=replace(ON_TIME[-1], ends=None),
)


def compared(
    *asks: RequirementHistory, day: Any = None, **window: Any
) -> RuleChange | None:
    """The difference of a customer control about 1 February 2027, over 2026."""
    facts = {"customer_required": True, "requirements": asks} | window
    both = Both(day or done(SHOWN), period_facts("ac-2", **facts))
    return difference(both, NEXT_YEAR, *YEAR)


def told(found: RuleChange | None) -> tuple[str, str, tuple[str, ...]]:
    assert found is not None
    return found.before.result, found.today.result, found.rules


def test_a_year_without_fault_is_the_same_by_both():
    assert compared(MONTHLY) is None


def test_r11_days_before_the_first_ask_counted_for_nothing():
    late = ask(terms("monthly", 5), since(D(2026, 8, 20)), *ON_TIME[7:])
    assert told(compared(late)) == ("complete", "exceptions", ("R11",))


def test_r14_a_late_upload_of_a_timely_performance_was_on_time():
    august = replace(ON_TIME[7], uploaded_on=D(2026, 10, 20))
    links = (*ON_TIME[:7], august, *ON_TIME[8:])
    asked = ask(terms("monthly", 5), since(D(2026, 1, 1)), *links)
    found = compared(asked)
    assert told(found) == ("complete", "exceptions", ("R14",))
    assert (found.before.counts, found.today.counts) == (
        (12, 12, 0, 0),
        (12, 11, 1, 0),
    )


def test_r14_the_newest_terms_held_for_all_days():
    """Ten missed months vanished by a change of the cadence; today they are missed."""
    changed = ask(
        [
            terms("monthly", 5, D.min, D(2026, 10, 31)),
            terms("quarterly", 14, D(2026, 11, 1)),
        ],
        since(D(2026, 1, 1)),
    )
    found = compared(changed)
    assert (found.before.counts[0], found.today.counts[0]) == (4, 11)
    assert found.rules == ("R14",)


def test_r10_days_of_not_applicable_excused_no_period_of_the_past():
    months = [month for month in MONTHS if month.month not in {5, 6, 7, 8}]
    links = tuple(performed("monthly", day, day, 5) for day in months)
    asked = ask(terms("monthly", 5), since(D(2026, 1, 1)), *links)
    found = compared(asked, not_applicable=((D(2026, 5, 1), D(2026, 8, 31)),))
    assert (found.before.counts[3], found.today.counts[3]) == (4, 0)
    assert "R10" in found.rules


def test_r10_not_applicable_on_the_day_was_so_for_the_whole_window():
    day = replace(done(SHOWN), applicability=applicability_facts(approved=True))
    found = compared(
        ask(terms("monthly", 5), since(D(2026, 1, 1))),
        day=day,
        not_applicable=(since(D(2027, 1, 1)),),
    )
    assert told(found) == ("nothing", "exceptions", ("R10",))


def test_r28_nobody_has_stated_it_was_implemented():
    day = replace(done(SHOWN), implementation_status="not-stated")
    found = compared(MONTHLY, day=day)
    assert (found.before.verdict, found.today.verdict) == ("proven", "partly")
    assert found.rules == ("R28",)


def test_r28_a_blocked_day_of_a_window_was_not_looked_at():
    partial = (
        StatedDays(D.min, D(2026, 6, 30), "partial"),
        StatedDays(D(2026, 7, 1), D.max, "implemented"),
    )
    found = compared(MONTHLY, stated=partial)
    assert told(found) == ("complete", "exceptions", ("R28",))


def test_r31_what_was_waived_left_no_row():
    before = former_facts(
        "c",
        D(2026, 11, 16),
        D(2026, 11, 18),
        D(2026, 4, 1),
        required=ALWAYS,
        requirements=(ask(terms("weekly", 2), since(D(2026, 1, 1)), uuid="w"),),
    )
    assert told(compared(MONTHLY, former=(before,))) == (
        "complete",
        "exceptions",
        ("R31",),
    )


def test_r34_the_last_day_was_not_looked_at():
    open_finding = replace(done(SHOWN), open_findings=1)
    found = compared(MONTHLY, at_end=open_finding)
    assert told(found) == ("complete", "exceptions", ("R34",))


def test_two_amendments_are_both_named():
    late = ask(terms("monthly", 5), since(D(2026, 8, 20)), *ON_TIME[7:])
    day = replace(done(SHOWN), implementation_status="not-stated")
    found = compared(late, day=day, at_end=replace(done(SHOWN), open_findings=1))
    assert set(found.rules) >= {"R28"}
    assert (found.before.result, found.today.result) == ("complete", "exceptions")


def test_each_rule_taken_back_is_one_that_the_number_amended():
    taken = {rule for rule, _ in TAKEN_BACK}
    assert taken <= set(EDITIONS[-1].amended)
    assert set(NOT_COMPARED) == set(EDITIONS[-1].amended) - taken


@pytest.mark.parametrize("rule", ["R13", "R16"])
def test_what_cannot_be_told_is_named_as_not_compared(rule):
    assert rule in NOT_COMPARED
