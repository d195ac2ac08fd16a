"""Facts of the sign-off scenarios that need no database."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from evidence.status.cadence import (
    default_grace,
    last_day,
    occurrence_of,
    proof_end_under,
)
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
    aws_facts,
    control_facts,
    letter_facts,
    link_facts,
    needed_service,
    period_facts,
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


def proof_end(
    cadence: str, about: dt.date, performed: dt.date, grace: int | None
) -> dt.date | None:
    """The last day that a performance proves where the cadence was always this one;
    `about` lies in the period that it performed. Without grace: the cadence's own."""
    start = occurrence_of(cadence, about)
    days = default_grace(cadence) if grace is None else grace
    own_last_day = last_day(cadence, start) if start else performed
    return proof_end_under(cadence, days, None, own_last_day, performed)


def link(
    cadence: str, performed: dt.date, about: dt.date, grace: int, **more: object
) -> LinkFacts:
    start = occurrence_of(cadence, about)
    ends = proof_end(cadence, about, performed, grace)
    said = {
        "link": str(performed),
        "evidence": "e",
        "occurrence": start,
        "occurrence_ends": last_day(cadence, start) if start else None,
    } | more
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


BEDROCK = needed_service("bedrock", "service", D(2025, 1, 1), regions=("us-east-1",))
WITHOUT = replace(R3, services_in_scope=frozenset({"ec2", "iam"}))


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


def per_event(*populations: PopulationFacts) -> RequirementFacts:
    """The review as something asked per event, of all days of the year on."""
    return replace(
        REVIEW,
        cadence="per-event",
        populations=populations,
        asked_days=((D(2026, 1, 1), D.max),),
    )


def year(*links: LinkFacts, today: dt.date, asked: RequirementFacts = REVIEW):  # type: ignore[no-untyped-def]
    facts = period_facts(
        "ac-2",
        "customer",
        customer_required=True,
        requirements=(requirement_history(asked, links),),
    )
    return period(facts, *YEAR, today=today)


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


# Scenario 10

DONE = control_facts(
    "ac-12",
    "customer",
    customer_required=True,
    implementation_status="implemented",
    requirements=(replace(REVIEW, latest_accepted=Q4),),
)
LATE_YEAR = D(2026, 12, 31)
