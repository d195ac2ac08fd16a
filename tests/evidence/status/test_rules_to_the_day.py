"""Rules R12 to R30 on the day on which each turns, where an off-by-one would hide."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from evidence.status import cadence
from evidence.status.day import status
from evidence.status.our_half import customer_half, requirement_state
from tests.evidence.status.neutral import applicability_facts, letter_facts
from tests.evidence.status.scenarios import (
    BEDROCK,
    DAY,
    DONE,
    EC2,
    LATE_YEAR,
    PATCH,
    Q1,
    Q4,
    R1,
    R2,
    R3,
    REVIEW,
    SITE,
    WITHOUT,
    codes,
    days,
    half,
    link,
    proof_end,
    quarter,
    report,
    soc2,
    window,
    year,
)

D = dt.date
OCTOBER = link("monthly", D(2026, 11, 2), D(2026, 10, 31), 10)
AOC = report(
    D(2026, 1, 1),
    D(2026, 1, 1),
    kind="point",
    scheme="pci",
    series="pci",
    responsibility_summary=True,
)


@pytest.mark.parametrize(
    ("every", "grace", "lead"),
    [
        ("weekly", 2, 2),
        ("monthly", 5, 10),
        ("quarterly", 14, 30),
        ("half-yearly", 28, 30),
        ("yearly", 55, 30),
    ],
)
def test_r12_r13_grace_and_lead_of_each_cadence(
    every: str, grace: int, lead: int
) -> None:
    assert cadence.default_grace(every) == grace
    assert cadence.lead_days(every) == lead


def test_r13_a_yearly_performance_carries_twelve_months_and_its_grace() -> None:
    assert proof_end("yearly", D(2026, 3, 1), D(2026, 3, 1), 10) == D(2027, 3, 11)


def test_r13_expiring_begins_after_the_lead_not_on_it() -> None:
    asked = replace(PATCH, latest_accepted=OCTOBER)
    assert requirement_state(asked, D(2026, 11, 30)).state == "proven"
    assert requirement_state(asked, D(2026, 12, 1)).state == "expiring"


def test_r13_a_performance_of_a_later_day_proves_nothing_yet() -> None:
    asked = replace(PATCH, latest_accepted=OCTOBER)
    assert requirement_state(asked, D(2026, 11, 1)).state == "missing"
    assert requirement_state(asked, D(2026, 11, 2)).state == "proven"


def test_r13_a_half_holds_as_long_as_the_first_of_its_proofs() -> None:
    longer = replace(REVIEW, latest_accepted=Q4)
    facts = replace(
        DONE, requirements=(longer, replace(PATCH, latest_accepted=OCTOBER))
    )
    assert customer_half(facts, D(2026, 12, 20)).until == D(2026, 12, 10)


def test_r14_the_first_performance_of_an_occurrence_counts() -> None:
    again = quarter(D(2026, 5, 30), D(2026, 3, 31))
    first, *_ = year(Q1, again, today=LATE_YEAR).occurrences.results
    assert (first.outcome, first.performed_on) == ("on_time", D(2026, 3, 28))


def test_r15_days_to_come_are_not_open() -> None:
    assert days(window(soc2(R1, R2, needed=(SITE,)), D(2026, 3, 31))) == (212, 0, 0)


def test_r17_a_rejected_newer_submission_is_said_and_takes_nothing() -> None:
    asked = replace(PATCH, latest_accepted=OCTOBER, newer_rejected=True)
    judged = requirement_state(asked, DAY)
    assert judged.state == "proven"
    assert [reason.code for reason in judged.reasons] == ["newer_rejected"]


def test_r10_review_of_not_applicable_is_due_after_its_day() -> None:
    """R10: to its review it holds, after it the computed verdict stands."""
    agreed = applicability_facts(approved=True, review_by=DAY)
    facts = replace(DONE, applicability=agreed)
    assert (status(facts, DAY).verdict, codes(status(facts, DAY))) == (
        "not_applicable",
        [],
    )
    after = status(facts, DAY + dt.timedelta(days=1))
    assert after.verdict == "unproven"
    assert codes(after) == ["never_performed", "na_review_due"]


def test_r30_only_design_is_design_only_in_a_type_ii_engagement() -> None:
    design = replace(REVIEW, purpose="design", latest_accepted=Q4)
    facts = replace(DONE, type2=True, requirements=(design,))
    answer = status(facts, LATE_YEAR)
    assert (answer.customer_half, answer.verdict) == ("design_only", "unproven")
    assert codes(answer) == ["design_only"]
    assert status(replace(facts, type2=False), LATE_YEAR).verdict == "proven"
    both = replace(facts, requirements=(design, replace(REVIEW, latest_accepted=Q4)))
    assert status(both, LATE_YEAR).customer_half == "proven"


def test_r20_a_type_i_report_shows_design_and_audits_no_day() -> None:
    first = replace(R3, kind="point", type1=True)
    assert half(soc2(first, needed=(SITE,)), D(2026, 9, 1)).aws_half == "design_only"
    assert days(window(soc2(first, needed=(SITE,)))) == (0, 0, 365)


def test_r20_an_aoc_is_relied_on_for_twelve_months_with_its_summary() -> None:
    aws = replace(soc2(AOC, needed=(SITE,)), regime="pci")
    assert half(aws, D(2026, 12, 31)).aws_half == "expiring"
    assert half(aws, D(2027, 1, 1)).aws_half == "lapsed"
    bare = replace(aws, versions=(replace(AOC, responsibility_summary=False),))
    assert half(bare, D(2026, 6, 1)).aws_half == "missing"


def test_r21_the_series_with_fewest_open_days_speaks() -> None:
    other = replace(R2, series="c5", scheme="c5", artifact="AWS C5")
    for versions in [(R1, R2, R3, other), (other, R1, R2, R3)]:
        aws = soc2(*versions, needed=(SITE,))
        assert days(window(aws, DAY)) == (365, 0, 0)
        assert half(aws, DAY).aws_half == "proven"


def test_r22_a_short_letter_does_not_shorten_currency() -> None:
    short = letter_facts(D(2026, 4, 15), D(2026, 4, 1), D(2026, 4, 15), "accepted")
    aws = soc2(replace(R2, letters=(short,)), needed=(SITE,))
    assert half(aws, D(2026, 5, 1)).aws_until == D(2026, 6, 29)


def test_r23_a_service_is_needed_to_the_day_before_its_end() -> None:
    ended = replace(BEDROCK, used_until=DAY)
    aws = soc2(WITHOUT, needed=(EC2, ended))
    assert half(aws, DAY - dt.timedelta(days=1)).aws_half == "missing"
    assert half(aws, DAY).aws_half == "proven"
