"""What providers' reports expect of us in one system: mapped, owned, asked (R26)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from controls.control_ids import label_of
from controls.models import ControlImplementation, System
from evidence.models import (
    RelianceConclusion,
    RelianceReview,
    RemarkKind,
    ReportRemark,
    RequirementControl,
)
from evidence.status.control_status import control_statuses, moment_of

# `elsewhere`: the system has no such control; it has nothing to ask of it.
UserControlState = Literal["open", "asked", "shown", "elsewhere"]
STATES: tuple[UserControlState, ...] = ("open", "asked", "shown", "elsewhere")
WORDS = {
    "open": "Open: nothing asks for it",
    "asked": "Asked, not shown yet",
    "shown": "Shown",
    "elsewhere": "Not a control of this system",
}
SIGNS = {
    "open": "missing",
    "asked": "pending",
    "shown": "proven",
    "elsewhere": "not_required",
}


@dataclass(frozen=True)
class ExpectedUserControl:
    """One control that a report expects of us, beside one control of ours.

    `requirement` is what asks for it here; `owner` the team that is asked, else the
    one that owns the control, "" for nobody.
    """

    remark: ReportRemark
    control_id: str
    implementation: ControlImplementation | None
    requirement: RequirementControl | None
    owner: str
    state: UserControlState

    @property
    def sign(self) -> str:
        """The state of proof whose sign and colour it has."""
        return SIGNS[self.state]

    @property
    def word(self) -> str:
        """The state in words."""
        return WORDS[self.state]


def expected_user_controls(system: System, day: dt.date) -> list[ExpectedUserControl]:
    """Those of the reports that the system relies on, open ones first.

    Of a series that expects the same by several reports the newest one's words count.
    A constant number of statements.
    """
    remarks = _of_relied_reports(system)
    ref_ids = {ref_id for remark in remarks for ref_id in remark.control_ids}
    implementations = {
        row.control.ref_id: row
        for row in system.implementations.filter(
            control__ref_id__in=ref_ids
        ).select_related("control", "owner_team")
    }
    requirements = _asking(system, day)
    shown = _with_proof(system, day, list(implementations.values()))
    rows = []
    for remark in remarks:
        for ref_id in remark.control_ids:
            implementation = implementations.get(ref_id)
            series = remark.artifact_version.artifact_id
            requirement = requirements.get((series, remark.title, ref_id))
            team = requirement.owner_team if requirement else None
            if team is None and implementation is not None:
                team = implementation.owner_team
            state: UserControlState = "open"
            if implementation is None:
                state = "elsewhere"
            elif requirement is not None:
                state = "shown" if str(requirement.uuid) in shown else "asked"
            rows.append(
                ExpectedUserControl(
                    remark,
                    ref_id,
                    implementation,
                    requirement,
                    team.name if team else "",
                    state,
                )
            )
    return sorted(rows, key=lambda row: STATES.index(row.state))


def _of_relied_reports(system: System) -> list[ReportRemark]:
    """User controls of reports whose newest review here relies on them; also of one
    that its auditor withdrew since (R26)."""
    newest: dict[int, str] = {}
    reviews = RelianceReview.objects.filter(system=system).order_by("pk")
    for report, conclusion in reviews.values_list("artifact_version", "conclusion"):
        newest[report] = conclusion
    relied = [
        report
        for report, conclusion in newest.items()
        if conclusion != RelianceConclusion.DO_NOT_RELY
    ]
    remarks: list[ReportRemark] = list(
        ReportRemark.objects.filter(
            artifact_version__in=relied, kind=RemarkKind.USER_CONTROL
        )
        .for_listing()
        .order_by("artifact_version__artifact", "-artifact_version__starts", "pk")
    )
    by_title: dict[tuple[int, str], ReportRemark] = {}
    for remark in remarks:
        by_title.setdefault((remark.artifact_version.artifact_id, remark.title), remark)
    return list(by_title.values())


def _asking(
    system: System, day: dt.date
) -> dict[tuple[int, str, str], RequirementControl]:
    """What asks for user controls on a day, by series, title and control."""
    rows = RequirementControl.objects.expected_of_us([system], day).select_related(
        "user_control__artifact_version", "implementation__control", "owner_team"
    )
    return {
        (
            row.user_control.artifact_version.artifact_id,
            row.user_control.title,
            row.implementation.control.ref_id,
        ): row
        for row in rows
        if row.user_control
    }


def _with_proof(
    system: System, day: dt.date, implementations: Sequence[ControlImplementation]
) -> set[str]:
    """Requirements with something accepted that counts on a day, by uuid."""
    if not implementations:
        return set()
    pks = [row.pk for row in implementations]
    answers = control_statuses(system, moment_of(system, day, None), pks=pks)
    return {
        str(requirement.uuid)
        for answer in answers
        for requirement in answer.facts.requirements
        if requirement.latest_accepted
    }


USER_CONTROL_COLUMNS = (
    "State",
    "Report",
    "Number",
    "Summary in our words",
    "Control",
    "Owner",
    "Asked by",
)


def user_control_lines(rows: Sequence[ExpectedUserControl]) -> list[list[str]]:
    """The rows as a table; summaries are our own words, never the report's text."""
    return [
        [
            row.word,
            str(row.remark.artifact_version),
            row.remark.title,
            row.remark.text,
            label_of(row.control_id),
            row.owner,
            row.requirement.title if row.requirement else "",
        ]
        for row in rows
    ]
