"""Who and what the demo company is: people, teams, services, providers' reports."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

DOMAIN = "northwind-pay.example"

# Described the systems and named their officer; has no password, so never signs in.
ADMINISTRATOR = f"ada@{DOMAIN}"

LAPSED = "si-2"  # the README's tour opens it

# (local part, name, role, team slug)
PEOPLE = (
    ("olivia", "Olivia Officer", "officer", ""),
    ("oscar", "Oscar Officer", "officer", ""),
    ("paul", "Paul Platform", "contributor", "platform"),
    ("sara", "Sara Security", "contributor", "security"),
    ("petra", "Petra People", "contributor", "people-operations"),
    ("rita", "Rita Reviewer", "reviewer", ""),
    ("audrey", "Audrey Auditor", "auditor", ""),
)

TEAMS = (
    ("platform", "Platform"),
    ("security", "Security"),
    ("people-operations", "People & Operations"),
)

OWNERS = {
    "": "security",
    "cm": "platform",
    "cp": "platform",
    "sc": "platform",
    "si": "platform",
    "ma": "platform",
    "mp": "platform",
    "au": "platform",
    "at": "people-operations",
    "ps": "people-operations",
    "pe": "people-operations",
    "pl": "people-operations",
}

PAYMENTS_SERVICES = (
    "ec2",
    "ebs",
    "vpc",
    "elb",
    "rds",
    "s3",
    "dynamodb",
    "lambda",
    "kms",
    "iam",
    "cloudtrail",
    "cloudwatch",
    "config",
    "guardduty",
    "cloudfront",
    "route53",
    "waf",
    "secretsmanager",
    "backup",
)
# The cage that holds its line to the exchange: the landlord has a report, the carrier
# issues none and is assessed.
LANDLORD, CARRIER = "Harbour Colocation", "Polder Carrier"
CAGE = "AMS3"
DESK_SERVICES = ("s3", "lambda", "kms", "iam")  # the payout desk's
ANALYTICS_SERVICES = ("s3", "dynamodb", "lambda", "kms", "iam", "cloudtrail", "athena")


@dataclass(frozen=True)
class DemoLetter:
    """A letter registered after its report was reviewed; it names days to its issue."""

    issued_on: dt.date
    recorded: dt.date
    accepted_on: dt.date | None = None  # None: it waits for a second person


@dataclass(frozen=True)
class DemoReport:
    """One version of an AWS document as the demo registers it. Days inclusive."""

    label: str
    starts: dt.date
    ends: dt.date | None
    recorded: dt.date
    conclusion: str = "rely"
    letters: tuple[DemoLetter, ...] = ()
    impact_level: str = ""
    partition: str = "aws"
    opinion: str = "unqualified"


@dataclass(frozen=True)
class Series:
    """A provider's document and its versions, cited by every system or by one.

    `sites` are in scope of another provider than AWS.
    """

    title: str
    series: str
    kind: str
    scheme: str
    reports: tuple[DemoReport, ...]
    out_of_scope: tuple[str, ...] = ()
    provider: str = "AWS"
    sites: tuple[str, ...] = ()
    cited_by: str = ""


def half_year_start(day: dt.date) -> dt.date:
    """First day of the report period (April or October) that `day` falls in."""
    if 4 <= day.month <= 9:
        return dt.date(day.year, 4, 1)
    return dt.date(day.year if day.month >= 10 else day.year - 1, 10, 1)


def _letter(report_end: dt.date, today: dt.date, *, waits: bool) -> DemoLetter:
    """AWS's letter some weeks after a report; the one that waits came in yesterday."""
    if waits:
        issued_on = min(
            report_end + dt.timedelta(days=80), today - dt.timedelta(days=2)
        )
        return DemoLetter(issued_on, today - dt.timedelta(days=1))
    issued_on = report_end + dt.timedelta(days=80)
    return DemoLetter(
        issued_on,
        recorded=issued_on + dt.timedelta(days=3),
        accepted_on=issued_on + dt.timedelta(days=5),
    )


def aws_documents(today: dt.date) -> tuple[Series, ...]:
    """AWS's documents around `today`, reports coming out some weeks after their end."""
    current = half_year_start(today)
    periods = []
    for _ in range(4):
        previous = half_year_start(current - dt.timedelta(days=1))
        periods.append((previous, current - dt.timedelta(days=1)))
        current = previous
    published = [
        (start, end)
        for start, end in reversed(periods)
        if end + dt.timedelta(days=48) < today
    ]
    reports = tuple(
        DemoReport(
            label=f"{start:%B %Y} to {end:%B %Y}",
            starts=start,
            ends=end,
            recorded=end + dt.timedelta(days=46),
            letters=(_letter(end, today, waits=end == published[-1][1]),),
        )
        for start, end in published
    )
    return (
        Series("AWS SOC 2 Type II", "aws-soc2", "period", "soc2", reports, ("athena",)),
        Series(
            "FedRAMP authorization, AWS US East/West",
            "aws-fedramp-east-west",
            "authorization",
            "fedramp",
            (
                DemoReport(
                    label="P-ATO Moderate",
                    starts=dt.date(2013, 5, 13),
                    ends=None,
                    recorded=today - dt.timedelta(days=400),
                    impact_level="moderate",
                ),
            ),
            ("athena",),
        ),
        Series(
            "AWS ISO/IEC 27001 certificate",
            "aws-iso27001",
            "certificate",
            "iso",
            (
                DemoReport(
                    label="Cycle 2024 to 2027",
                    starts=dt.date(2024, 11, 20),
                    ends=dt.date(2027, 11, 19),
                    recorded=today - dt.timedelta(days=380),
                ),
            ),
        ),
    )


def documents_of_others(today: dt.date) -> tuple[Series, ...]:
    """The landlord's report over a year, which ended some time ago, with a letter; and
    our own assessment of the carrier, which issues none."""
    last_month = today.replace(day=1) - dt.timedelta(days=1)
    ends = last_month.replace(day=1) - dt.timedelta(
        days=1
    )  # of the month before the last
    report = DemoReport(
        label=f"Year to {ends:%B %Y}",
        starts=ends - dt.timedelta(days=364),
        ends=ends,
        recorded=ends + dt.timedelta(days=20),
        letters=(
            DemoLetter(
                issued_on=ends + dt.timedelta(days=24),
                recorded=ends + dt.timedelta(days=25),
                accepted_on=ends + dt.timedelta(days=27),
            ),
        ),
    )
    visited = today - dt.timedelta(days=150)
    return (
        Series(
            f"{LANDLORD} SOC 2 Type II",
            "harbour-soc2",
            "period",
            "soc2",
            (report,),
            provider=LANDLORD,
            sites=(CAGE,),
            cited_by="ledger-analytics",
        ),
        Series(
            f"Assessment of {CARRIER}",
            "polder-assessment",
            "assessment",
            "own",
            (
                DemoReport(
                    label=f"Visit and questionnaire, {visited:%B %Y}",
                    starts=visited,
                    ends=None,
                    recorded=visited + dt.timedelta(days=7),
                    opinion="",
                ),
            ),
            provider=CARRIER,
            sites=("Carrier link",),
            cited_by="ledger-analytics",
        ),
    )
