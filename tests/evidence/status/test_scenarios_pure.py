"""Sign-off scenarios 2 to 10, as far as they need no database."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from evidence.status.cadence import occurrence_of, proof_end
from evidence.status.day import Status, status
from evidence.status.facts import (
    ArtifactVersionFacts,
    AwsFacts,
    ControlFacts,
    LinkFacts,
    NeededService,
    PopulationFacts,
    RequirementFacts,
)
from evidence.status.window import period
from tests.evidence.status.neutral import (
    applicability_facts,
    aws_facts,
    control_facts,
    letter_facts,
    link_facts,
    needed_service,
    period_facts,
    population_facts,
    requirement_facts,
    requirement_history,
    version_facts,
)

D = dt.date
EC2 = needed_service("ec2", "service", D(2025, 1, 1), regions=("us-east-1",))
SITE = needed_service("ec2", "region", D(2025, 1, 1), regions=("us-east-1",))
SCOPE = frozenset({"ec2", "bedrock", "iam"})
HERE = frozenset({"us-east-1"})


def report(starts: dt.date, ends: dt.date, **more: object) -> ArtifactVersionFacts:
    said = {
        "uuid": str(starts),
        "artifact": "AWS SOC 2",
        "series": "soc2",
        "kind": "period",
        "label": f"{starts}..{ends}",
        "scheme": "soc2",
        "services_in_scope": SCOPE,
        "regions_in_scope": HERE,
        "reliance": "rely",
    }
    return version_facts(starts=starts, ends=ends, **(said | more))  # type: ignore[arg-type]


def soc2(
    *versions: ArtifactVersionFacts, needed: tuple[NeededService, ...]
) -> AwsFacts:
    return aws_facts(needed=needed, versions=versions, regime="soc2")


def link(
    cadence: str, performed: dt.date, about: dt.date, grace: int, **more: object
) -> LinkFacts:
    start = occurrence_of(cadence, about)
    ends = proof_end(cadence, start, performed, grace)
    said = {"link": str(performed), "evidence": "e", "occurrence": start} | more
    return link_facts(performed_on=performed, ends=ends, **said)  # type: ignore[arg-type]


def codes(answer: Status) -> list[str]:
    return [reason.code for reason in answer.reasons]


# Scenario 2

PATCH = requirement_facts("r", "patch report", "monthly", D(2026, 1, 1), grace_days=10)
SI2 = control_facts(
    "si-2",
    "shared",
    aws_required=True,
    customer_required=True,
    implementation_status="implemented",
    aws=soc2(report(D(2025, 10, 1), D(2026, 9, 30)), needed=(EC2,)),
)
DAY = D(2026, 11, 23)


def si2(**answers: object) -> ControlFacts:
    return replace(SI2, requirements=(replace(PATCH, **answers),))  # type: ignore[arg-type]


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

R1 = report(D(2025, 4, 1), D(2025, 9, 30))
LETTER = letter_facts(D(2026, 6, 30), D(2026, 4, 1), D(2026, 6, 30), "accepted")
R2 = report(D(2025, 10, 1), D(2026, 3, 31), letters=(LETTER,))
R3 = report(D(2026, 4, 1), D(2026, 9, 30))
WINDOW = (D(2025, 9, 1), D(2026, 8, 31))
AUTUMN = D(2026, 9, 15)


def window(aws: AwsFacts, today: dt.date = AUTUMN):  # type: ignore[no-untyped-def]
    facts = period_facts("pe-3", "inherited", aws_required=True, aws=aws)
    return period(facts, *WINDOW, today=today)


def days(answer) -> tuple[int, int, int]:  # type: ignore[no-untyped-def]
    return (
        answer.aws_days.audited,
        answer.aws_days.asserted,
        answer.aws_days.open_days,
    )


def half(aws: AwsFacts, day: dt.date) -> Status:
    return status(control_facts("pe-3", "inherited", aws_required=True, aws=aws), day)


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


BEDROCK = needed_service("bedrock", "service", D(2025, 1, 1), regions=("us-east-1",))
WITHOUT = replace(R3, services_in_scope=frozenset({"ec2", "iam"}))


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


# Scenario 5

REVIEW = requirement_facts(
    "r", "privileged access review", "quarterly", D(2026, 1, 1), grace_days=15
)
YEAR = (D(2026, 1, 1), D(2026, 12, 31))


def quarter(performed: dt.date, about: dt.date, **more: object) -> LinkFacts:
    return link("quarterly", performed, about, 15, **more)


Q1 = quarter(D(2026, 3, 28), D(2026, 3, 31))
Q2 = quarter(D(2026, 7, 20), D(2026, 6, 30))
Q4 = quarter(D(2026, 12, 15), D(2026, 12, 31))


def year(*links: LinkFacts, today: dt.date, asked: RequirementFacts = REVIEW):  # type: ignore[no-untyped-def]
    facts = period_facts(
        "ac-2",
        "customer",
        customer_required=True,
        requirements=(requirement_history(asked, links),),
    )
    return period(facts, *YEAR, today=today)


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

AUTHORIZED = version_facts(
    "f",
    "FedRAMP US East/West",
    "fedramp-ew",
    "authorization",
    "P-ATO",
    D(2013, 5, 13),
    scheme="fedramp",
    impact_level="moderate",
    partition="aws",
    services_in_scope=frozenset({"ec2"}),
    regions_in_scope=HERE,
    reliance="rely",
)


def fedramp(*versions: ArtifactVersionFacts, partition: str = "aws") -> AwsFacts:
    return aws_facts(
        needed=(SITE,),
        versions=versions,
        regime="fedramp",
        impact_level="high",
        partition=partition,
    )


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

DONE = control_facts(
    "ac-12",
    "customer",
    customer_required=True,
    implementation_status="implemented",
    requirements=(replace(REVIEW, latest_accepted=Q4),),
)
LATE_YEAR = D(2026, 12, 31)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"implementation_status": "partial"}, "implementation_partial"),
        ({"worst_part": "planned"}, "implementation_partial"),
        ({"contradicted": 1}, "contradicted"),
        ({"open_findings": 1}, "open_finding"),
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
    asked = replace(REVIEW, cadence="per-event", population=events)
    facts = replace(DONE, requirements=(asked,))
    assert status(facts, LATE_YEAR).verdict == verdict
