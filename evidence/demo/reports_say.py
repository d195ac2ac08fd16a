"""What AWS's newest report leaves to the demo company, and a region entered late."""

from __future__ import annotations

import datetime as dt

from controls.models import System, SystemComponent
from evidence.artifacts.coverage import record_coverage
from evidence.artifacts.coverage_proposals import propose_coverage
from evidence.artifacts.coverage_targets import CoverageEntry
from evidence.artifacts.remark_answers import answer_remark, decide_answer
from evidence.artifacts.remarks import register_remark
from evidence.demo.clock import DAY, written_on
from evidence.demo.people import People
from evidence.models import ArtifactVersion, ReportRemark
from evidence.requirements.changes import NewTerms, add_requirement
from evidence.systems.regions import say_regions

SERIES = "aws-soc2"
CARVED_OUT = "Operator of the leased halls"
EXCEPTION = "Two of 45 visitor logs without a signature"
# What the report speaks to, and where: sections, pages and numbers are made up.
SPOKEN_TO = (
    CoverageEntry("PE-3", "IV.C Physical security", "63", "DC-5.1"),
    CoverageEntry("PE-6", "IV.C Physical security", "64", "DC-5.3"),
    CoverageEntry("PE-13", "IV.D Environment", "66", "DC-6.2"),
    CoverageEntry("AC-2 (a)", "IV.A Access of its people", "51", "AC-1.4"),
    CoverageEntry("MP-6", "IV.E Media", "70", "DC-7.1"),
)
EXPECTED = "Customers delete data and keys at the end of use"


def play_remarks(system: System, people: People, today: dt.date) -> None:
    """A carve-out and an exception, each answered by an officer and accepted by a
    reviewer, and a control expected of us, which makes our half of MP-6 required."""
    report = ArtifactVersion.objects.filter(artifact__series=SERIES).latest("starts")
    yesterday = today - DAY
    with written_on(yesterday, 10):
        halls = _registered(report, "subservice", CARVED_OUT, people)
        logs = _registered(report, "exception", EXCEPTION, people)
        keys = _registered(report, "user-control", EXPECTED, people)
        record_coverage(report, SPOKEN_TO, by=people["olivia"])
        propose_coverage(report, ["cm"], by=people["olivia"])
    answers = []
    with written_on(yesterday, 11):
        for remark, choice, text in (
            (halls, "not-needed", "AWS's own tests cover its guards and its doors."),
            (logs, "response", "Nobody of ours visits a hall; the cage has a list."),
        ):
            answers.append(
                answer_remark(
                    remark, system, choice=choice, text=text, by=people["oscar"]
                )
            )
        implementation = system.implementations.select_related("system", "control")
        add_requirement(
            implementation.get(control__ref_id="mp-6"),
            NewTerms(
                title="Data and keys are deleted at the end of use",
                cadence="yearly",
                purpose="operation",
                operates_from=yesterday,
                guidance="List what ended this year, and show that its keys are gone.",
            ),
            by=people["oscar"],
            user_control=keys,
        )
    with written_on(yesterday, 14):
        for answer in answers:
            decide_answer(answer, decision="accept", by=people["rita"])


def _registered(
    report: ArtifactVersion, kind: str, title: str, people: People
) -> ReportRemark:
    subservice = kind == "subservice"
    return register_remark(
        report,
        kind=kind,
        title=title,
        layers=["facilities"] if subservice else [],
        control_ids=[] if subservice else ["mp-6" if "keys" in title else "pe-8"],
        by=people["olivia"],
    )


def say_a_region_late(system: System, people: People, today: dt.date) -> None:
    """A component came without its region from an older release; an officer says it in
    one act, from its first day on."""
    rows = SystemComponent.objects.filter(
        system=system, variant__service__slug="lambda"
    )
    component = rows.get()
    places = component.regions
    rows.update(regions=[])
    with written_on(today - DAY * 12, 10):
        say_regions(
            system,
            {str(component.uuid): places},
            first_day=component.used_from,
            by=people["olivia"],
        )
