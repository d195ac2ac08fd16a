"""Sign-off scenarios 2 to 4, as far as they need no database."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from evidence.status.day import status
from tests.evidence.status.neutral import (
    needed_service,
)
from tests.evidence.status.scenarios import (
    BEDROCK,
    DAY,
    EC2,
    LETTER,
    R1,
    R2,
    R3,
    SITE,
    WITHOUT,
    D,
    codes,
    days,
    half,
    link,
    si2,
    soc2,
    window,
)

# Scenario 2


def test_scenario_2a_one_half_is_never_enough() -> None:
    answer = status(si2(), DAY)
    assert (answer.aws_half, answer.customer_half) == ("proven", "missing")
    assert answer.verdict == "partly"
    assert {"aws_only", "never_performed"} <= set(codes(answer))


def test_scenario_2b_submitted_is_pending() -> None:
    answer = status(si2(submitted=1), DAY)
    assert (answer.customer_half, answer.verdict) == ("pending", "partly")


def test_scenario_2c_late_proof_is_not_current_proof() -> None:
    september = link("monthly", D(2026, 10, 1), D(2026, 9, 30), 10)
    answer = status(si2(latest_accepted=september), DAY)
    assert (answer.customer_half, answer.verdict) == ("lapsed", "partly")
    overdue = next(r for r in answer.reasons if r.code == "overdue")
    assert "October 2026" in overdue.sentence
    assert "13 days overdue" in overdue.sentence


@pytest.mark.parametrize(
    ("day", "state", "verdict"),
    [
        (DAY, "proven", "proven"),
        (D(2026, 11, 29), "proven", "proven"),
        (D(2026, 12, 1), "expiring", "proven"),
        (D(2026, 12, 10), "expiring", "proven"),
        (D(2026, 12, 11), "lapsed", "partly"),
    ],
)
def test_scenario_2d_october_carries_to_10_december(
    day: dt.date, state: str, verdict: str
) -> None:
    october = link("monthly", D(2026, 11, 2), D(2026, 10, 31), 10)
    assert october.ends == D(2026, 12, 10)
    answer = status(si2(latest_accepted=october), day)
    assert (answer.customer_half, answer.verdict) == (state, verdict)


# Scenarios 3 and 4


def test_scenario_3_days_audited_asserted_and_open() -> None:
    aws = soc2(R1, R2, needed=(SITE,))
    answer = window(aws)
    assert days(answer) == (212, 91, 62)
    assert answer.result == "exceptions"
    assert answer.aws_days.services[0].open_ranges[0][0] == D(2026, 7, 1)
    judged = half(aws, D(2026, 9, 15))
    assert (judged.aws_half, judged.aws_until) == ("lapsed", D(2026, 6, 30))


def test_scenario_3_an_unread_report_changes_nothing_until_its_review() -> None:
    unread = soc2(R1, R2, replace(R3, reliance=None), needed=(SITE,))
    assert days(window(unread, D(2026, 11, 16))) == (212, 91, 62)
    assert "newer_version_unreviewed" in codes(half(unread, D(2026, 11, 16)))
    read = soc2(R1, R2, R3, needed=(SITE,))
    answer = window(read, D(2026, 11, 17))
    assert days(answer) == (365, 0, 0)
    assert answer.result == "complete"
    judged = half(read, D(2026, 11, 17))
    assert (judged.aws_half, judged.aws_until) == ("proven", D(2026, 12, 29))


def test_scenario_3_a_letter_counts_at_most_to_its_issue_date() -> None:
    long = replace(LETTER, ends=D(2026, 7, 31))
    aws = soc2(R1, replace(R2, letters=(long,)), needed=(SITE,))
    assert days(window(aws)) == (212, 91, 62)


def test_scenario_4_the_worst_service_decides() -> None:
    aws = soc2(R1, R2, WITHOUT, needed=(EC2, BEDROCK))
    rows = {r.slug: r for r in window(aws, DAY).aws_days.services}
    assert (rows["ec2"].audited, rows["ec2"].open_days) == (365, 0)
    assert (rows["bedrock"].audited, rows["bedrock"].asserted) == (212, 91)
    judged = half(aws, DAY)
    assert judged.aws_half == "lapsed"
    assert ("service_out_of_scope", "bedrock") in {
        (r.code, r.subject) for r in judged.reasons
    }


def test_scenario_4_a_site_is_scoped_by_region() -> None:
    aws = soc2(R1, R2, WITHOUT, needed=(SITE, replace(BEDROCK, scope="region")))
    assert days(window(aws, DAY)) == (365, 0, 0)
    assert half(aws, DAY).aws_half == "proven"


def test_scenario_4_a_service_no_longer_used_leaves_no_open_day() -> None:
    ended = replace(BEDROCK, used_until=D(2026, 7, 1))
    aws = soc2(R1, R2, WITHOUT, needed=(EC2, ended))
    assert days(window(aws, DAY))[2] == 0
    assert half(aws, DAY).aws_half == "proven"


def test_scenario_4_a_region_out_of_scope_is_the_reason_but_never_for_iam() -> None:
    milan = replace(SITE, regions=("eu-south-2",))
    judged = half(soc2(R1, R2, R3, needed=(milan,)), DAY)
    assert ("region_out_of_scope", "eu-south-2") in {
        (r.code, r.subject) for r in judged.reasons
    }
    iam = needed_service(
        "iam", "region", D(2025, 1, 1), is_global=True, regions=("eu-south-2",)
    )
    assert half(soc2(R1, R2, R3, needed=(iam,)), DAY).aws_half == "proven"
