"""A report whose file is held and who has seen it; one whose scope came by a list."""

from __future__ import annotations

import datetime as dt

from controls.models import System
from controls.reference.aws_names import lines_of_text
from evidence.artifacts import register
from evidence.artifacts.scope import confirm_scope, propose_scope, sealed_scope
from evidence.demo.clock import DAY, written_on
from evidence.demo.files import pdf_of
from evidence.demo.people import People
from evidence.held_reports.disclosures import record_disclosure, record_recipient
from evidence.held_reports.hold import hold_report
from evidence.held_reports.opening import confirm_term, record_viewing
from evidence.held_reports.releases import release_report
from evidence.models import ArtifactVersion, DisclosureKind
from evidence.submissions.uploads import store

AGREEMENT = "AWS Artifact confidentiality agreement, accepted in January"
LIST = """Service or region
Amazon EC2
Amazon S3
Amazon RDS
AWS Lambda
AWS KMS
us-east-1
us-west-2
Amazon Bedrock (not in scope)
Managed Quantum Ledgers
"""


def hold_a_report(system: System, people: People, today: dt.date) -> None:
    """The newest SOC 2 report's file, seen by an officer and the auditor, and given to
    a customer's reviewer."""
    report = ArtifactVersion.objects.filter(artifact__series="aws-soc2").latest(
        "starts"
    )
    pages = pdf_of(
        [
            ("Report", "System and Organization Controls 2, Type II"),
            ("Period", f"{report.starts} to {report.last_day}"),
            ("Opinion", "Unqualified"),
            ("Note", "A page made up for this demonstration, not a report of AWS"),
            ("Use", "Restricted to customers under a confidentiality agreement"),
        ],
        f"SOC 2 Type II report, {report.label}",
    )
    upload = store(f"soc2-type2-{report.last_day}.pdf", [pages])
    with written_on(today - 6 * DAY, 9):
        file = hold_report(
            report, upload, agreement=AGREEMENT, confirmed=True, by=people["olivia"]
        )
    with written_on(today - 5 * DAY, 14):
        confirm_term(file, by=people["oscar"])
        record_viewing(file, by=people["oscar"], page=1)
        release_report(
            file,
            system.engagements.get(),
            reason="The assessor compares our citations with the report.",
            by=people["oscar"],
        )
    with written_on(today - 4 * DAY, 10):
        confirm_term(file, by=people["audrey"])
        record_viewing(file, by=people["audrey"], page=1)
    with written_on(today - 3 * DAY, 11):
        confirm_term(file, by=people["olivia"])
        record_disclosure(file, DisclosureKind.DOWNLOADED, by=people["olivia"])
    with written_on(today - 3 * DAY, 12):
        record_recipient(
            report,
            recipient="Vera Lindqvist",
            firm="Northwind Retail",
            given_on=today - 3 * DAY,
            reason="Their yearly review of us as a vendor.",
            agreement="Mutual confidentiality agreement of 3 March",
            file=file,
            by=people["olivia"],
        )


def scope_by_a_list(people: People, today: dt.date) -> None:
    """A public summary, in scope what a pasted list names; nobody has read it yet."""
    ends = today.replace(day=1) - 60 * DAY
    with written_on(today - 10 * DAY, 9):
        artifact = register.register_artifact(
            title="AWS SOC 3 summary",
            provider="AWS",
            series="aws-soc3",
            kind="summary",
            scheme="soc3",
            by=people["olivia"],
        )
        report = register.register_version(
            artifact,
            label=f"Year to {ends:%B %Y}",
            starts=ends - 364 * DAY,
            ends=ends,
            services=[],
            opinion="unqualified",
            by=people["olivia"],
        )
    with written_on(today - 10 * DAY, 10):
        lines = lines_of_text(LIST)
        proposal = propose_scope(report, lines, "replace", by=people["olivia"])
        token = sealed_scope(report, proposal, by=people["olivia"])
        confirm_scope(report, token, by=people["olivia"])
