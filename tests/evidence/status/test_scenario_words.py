"""Sentences of sign-off scenarios that a figure alone does not say."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from evidence.status.day import status
from evidence.status.facts import AwsFacts
from tests.evidence.status.neutral import population_facts
from tests.evidence.status.scenarios import (
    AUTHORIZED,
    AUTUMN,
    BEDROCK,
    DAY,
    DONE,
    EC2,
    LATE_YEAR,
    LETTER,
    R1,
    R2,
    R3,
    SITE,
    WITHOUT,
    YEAR,
    codes,
    days,
    fedramp,
    half,
    per_event,
    report,
    soc2,
    window,
)

D = dt.date
ISO = report(
    D(2025, 1, 1),
    D(2027, 12, 31),
    uuid="iso",
    kind="certificate",
    scheme="iso",
    series="iso",
    artifact="ISO 27001",
)


def subjects(answer, code: str) -> set[str]:  # type: ignore[no-untyped-def]
    return {reason.subject for reason in answer.reasons if reason.code == code}


def test_scenario_3_the_reason_says_report_letter_and_open_days() -> None:
    (why,) = window(soc2(R1, R2, needed=(SITE,))).reasons
    assert "report to 31 March, letter to 30 June, 62 days open" in why.sentence


def test_scenario_3_without_a_letter_the_reason_names_none() -> None:
    (why,) = window(soc2(R1, replace(R2, letters=()), needed=(SITE,))).reasons
    assert "report to 31 March, 153 days open" in why.sentence
    assert "letter" not in why.sentence


def test_scenario_4_bedrock_has_its_own_days_in_the_rows() -> None:
    answer = window(soc2(R1, R2, WITHOUT, needed=(EC2, BEDROCK)), DAY)
    assert days(answer) == (212, 91, 62)
    assert "report to 31 March, letter to 30 June" in answer.reasons[0].sentence


def test_scenario_4_a_site_names_the_service_outside_scope_as_a_note() -> None:
    aws = soc2(R1, R2, WITHOUT, needed=(SITE, replace(BEDROCK, scope="region")))
    answer = half(aws, DAY)
    assert (answer.aws_half, answer.verdict) == ("proven", "proven")
    assert subjects(answer, "service_not_listed") == {"bedrock"}


@pytest.mark.parametrize("scope", ["service", "region"])
def test_scenario_4_in_fedramp_bedrock_is_open_for_both(scope: str) -> None:
    high = replace(AUTHORIZED, impact_level="high")
    aws = replace(
        fedramp(high),
        needed=(SITE, replace(BEDROCK, scope=scope)),  # type: ignore[arg-type]
    )
    answer = window(aws, DAY)
    rows = {row.slug: row.open_days for row in answer.aws_days.services}
    assert rows == {"ec2": 0, "bedrock": 365}
    assert days(answer) == (0, 0, 365)


def test_scenario_7_soc_2_and_iso_are_shown_as_supporting() -> None:
    answer = half(fedramp(AUTHORIZED, R3, ISO), DAY)
    assert (answer.aws_half, answer.verdict) == ("missing", "unproven")
    assert "impact_below_baseline" in codes(answer)
    assert subjects(answer, "supporting_only") == {"AWS SOC 2", "ISO 27001"}


def test_scenario_7_a_service_outside_the_boundary_is_an_external_service() -> None:
    gov = replace(AUTHORIZED, impact_level="high", partition="aws-us-gov")
    aws = fedramp(gov, partition="aws-us-gov")
    aws = replace(aws, needed=(SITE, replace(BEDROCK, scope="region")))
    answer = half(aws, DAY)
    assert answer.aws_half == "missing"
    assert subjects(answer, "external_service_unauthorized") == {"bedrock"}


def test_scenario_7_until_it_ends_the_authorization_proves() -> None:
    gov = replace(AUTHORIZED, impact_level="high", partition="aws-us-gov")
    ended = replace(gov, state="revoked", revoked_on=D(2026, 10, 1))
    aws = fedramp(ended, partition="aws-us-gov")
    assert half(aws, D(2026, 8, 1)).aws_half == "proven"
    assert half(aws, D(2026, 9, 30)).verdict == "proven"
    assert half(aws, D(2026, 10, 1)).verdict == "unproven"


def test_scenario_8_an_answered_exception_stays_visible() -> None:
    answer = half(soc2(replace(R3, exceptions_answered=1), needed=(SITE,)), DAY)
    assert (answer.aws_half, answer.verdict) == ("proven", "proven")
    assert "exception_answered" in codes(answer)


def test_scenario_10_one_of_five_leavers_open_leaves_a_shared_control_partly() -> None:
    leavers = population_facts(*YEAR, rows=14, state="accepted", sample=5, proven=4)
    asked = per_event(leavers)
    facts = replace(
        DONE,
        control_id="ps-4",
        responsibility="shared",
        aws_required=True,
        aws=soc2(R3, needed=(EC2,)),
        requirements=(asked,),
    )
    answer = status(facts, DAY)
    assert (answer.aws_half, answer.verdict) == ("proven", "partly")
    (why,) = [r for r in answer.reasons if r.code == "sample_open"]
    assert "1 of 5" in why.sentence


def test_scenario_10_a_year_without_leavers_is_proven_and_says_so() -> None:
    none = population_facts(*YEAR, rows=0, state="accepted")
    asked = per_event(none)
    answer = status(replace(DONE, requirements=(asked,)), LATE_YEAR)
    assert answer.verdict == "proven"
    (why,) = [r for r in answer.reasons if r.code == "no_events"]
    assert "no events from 2026-01-01 to 2026-12-31" in why.sentence


def test_r21_a_letter_that_starts_after_a_gap_asserts_nothing() -> None:
    late = replace(LETTER, starts=D(2026, 4, 2))
    aws = soc2(R1, replace(R2, letters=(late,)), needed=(SITE,))
    assert days(window(aws)) == (212, 0, 153)


def test_r22_the_days_of_currency_are_the_systems_own() -> None:
    aws: AwsFacts = replace(soc2(R3, needed=(SITE,)), currency_days=10)
    assert half(aws, D(2026, 10, 10)).aws_half == "expiring"
    assert half(aws, D(2026, 10, 11)).aws_half == "lapsed"


def test_scenario_3_a_letter_typed_beyond_its_issue_is_flagged() -> None:
    typed = replace(LETTER, ends=D(2026, 7, 31))
    answer = half(soc2(R1, replace(R2, letters=(typed,)), needed=(SITE,)), AUTUMN)
    assert answer.aws_until == D(2026, 6, 30)
    (why,) = [r for r in answer.reasons if r.code == "letter_beyond_issue"]
    assert "counted to 2026-06-30" in why.sentence
