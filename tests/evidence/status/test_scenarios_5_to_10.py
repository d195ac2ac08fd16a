"""Sign-off scenarios 5 to 10, as far as they need no database."""

from __future__ import annotations

from dataclasses import replace

import pytest

from evidence.status.day import status
from evidence.status.facts import (
    PopulationFacts,
)
from tests.evidence.status.neutral import (
    applicability_facts,
    control_facts,
    finding_facts,
    population_facts,
)
from tests.evidence.status.scenarios import (
    AUTHORIZED,
    DAY,
    DONE,
    LATE_YEAR,
    Q1,
    Q2,
    Q4,
    R3,
    REVIEW,
    SITE,
    YEAR,
    D,
    codes,
    fedramp,
    half,
    link,
    per_event,
    quarter,
    soc2,
    year,
)

FOUND = finding_facts("f", severity="low", found_on=D(2026, 5, 4))

# Scenario 5


def test_scenario_5_the_period_remembers_what_the_day_forgives() -> None:
    facts = control_facts(
        "ac-2",
        "customer",
        customer_required=True,
        implementation_status="implemented",
        requirements=(replace(REVIEW, latest_accepted=Q4),),
    )
    assert status(facts, D(2026, 12, 31)).verdict == "proven"
    answer = year(Q1, Q2, Q4, today=D(2026, 12, 31))
    counted = answer.occurrences
    assert (counted.expected, counted.on_time) == (4, 2)
    assert (counted.late, counted.missed) == (1, 1)
    assert [r.late_days for r in counted.results if r.outcome == "late"] == [5]
    assert answer.result == "exceptions"


def test_scenario_5_a_late_performance_stays_late() -> None:
    q3 = quarter(D(2027, 1, 10), D(2026, 9, 30))
    counted = year(Q1, Q2, q3, Q4, today=D(2027, 1, 10)).occurrences
    assert sorted(r.late_days for r in counted.results if r.outcome == "late") == [
        5,
        87,
    ]
    assert counted.missed == 0


def test_scenario_5_late_collection_of_a_timely_performance_is_on_time() -> None:
    q3 = quarter(D(2026, 9, 29), D(2026, 9, 30), collected_on=D(2027, 1, 10))
    answer = year(Q1, Q2, q3, Q4, today=D(2027, 1, 10))
    third = answer.occurrences.results[2]
    assert (third.outcome, third.collected_late) == ("on_time", True)
    assert answer.result == "exceptions"


def test_scenario_5_half_yearly_means_two_a_year() -> None:
    asked = replace(REVIEW, cadence="half-yearly")
    once = link("half-yearly", D(2026, 5, 1), D(2026, 6, 30), 15)
    counted = year(once, today=D(2027, 3, 1), asked=asked).occurrences
    assert (counted.expected, counted.missed) == (2, 1)


# Scenario 7


def test_scenario_7_a_moderate_authorization_does_not_carry_high() -> None:
    answer = half(fedramp(AUTHORIZED, R3), DAY)
    assert (answer.aws_half, answer.verdict) == ("missing", "unproven")
    assert "impact_below_baseline" in codes(answer)


def test_scenario_7_govcloud_does_until_it_is_revoked() -> None:
    gov = replace(AUTHORIZED, impact_level="high", partition="aws-us-gov")
    assert half(fedramp(gov, partition="aws-us-gov"), DAY).verdict == "proven"
    ended = replace(gov, state="revoked", revoked_on=D(2026, 10, 1))
    aws = fedramp(ended, partition="aws-us-gov")
    assert half(aws, D(2026, 9, 30)).aws_half in {"proven", "expiring"}
    assert half(aws, D(2026, 10, 1)).aws_half == "lapsed"


# Scenario 8


def test_scenario_8_an_unanswered_exception_keeps_the_half_pending() -> None:
    touched = replace(R3, exceptions_open=1)
    answer = half(soc2(touched, needed=(SITE,)), DAY)
    assert answer.aws_half == "pending"
    assert "exception_unanswered" in codes(answer)
    assert half(soc2(replace(R3, exceptions_answered=1), needed=(SITE,)), DAY).verdict


# Scenario 10


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"implementation_status": "partial"}, "implementation_partial"),
        ({"worst_part": "planned"}, "implementation_partial"),
        ({"contradicted": (D(2026, 5, 4),)}, "contradicted"),
        ({"findings": (FOUND,)}, "open_finding"),
        ({"cuec_open": 1}, "cuec_open"),
    ],
)
def test_scenario_10_proof_alone_is_not_enough(
    change: dict[str, object], code: str
) -> None:
    assert status(DONE, LATE_YEAR).verdict == "proven"
    answer = status(replace(DONE, **change), LATE_YEAR)  # type: ignore[arg-type]
    assert answer.verdict == "partly"
    assert code in codes(answer)


def test_scenario_10_not_applicable_holds_only_while_approved_on_its_basis() -> None:
    asked = applicability_facts(requested=True)
    assert status(replace(DONE, applicability=asked), LATE_YEAR).verdict == "proven"
    agreed = applicability_facts(approved=True)
    answer = status(replace(DONE, applicability=agreed), LATE_YEAR)
    assert answer.verdict == "not_applicable"
    moved = replace(agreed, basis_changed=True)
    answer = status(replace(DONE, applicability=moved), LATE_YEAR)
    assert answer.verdict == "proven"
    assert "na_basis_changed" in codes(answer)


@pytest.mark.parametrize(
    ("events", "verdict"),
    [
        (population_facts(*YEAR, rows=0, state="accepted"), "proven"),
        (
            population_facts(*YEAR, rows=14, state="accepted", sample=5, proven=5),
            "proven",
        ),
        (
            population_facts(*YEAR, rows=14, state="accepted", sample=5, proven=4),
            "unproven",
        ),
    ],
)
def test_scenario_10_populations(events: PopulationFacts, verdict: str) -> None:
    asked = per_event(events)
    facts = replace(DONE, requirements=(asked,))
    assert status(facts, LATE_YEAR).verdict == verdict
