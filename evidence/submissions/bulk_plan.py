"""What a list of many files would record: planned row by row, written nowhere."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError

from controls.models import Actor, System, Team
from evidence.models import RequirementControl
from evidence.models.asks import Cadence
from evidence.submissions.bulk_list import (
    BulkRowError,
    MappingRow,
    control_of,
    submission_of,
)
from evidence.submissions.submission import (
    Submission,
    refuse_impossible_days,
    refuse_source_unnamed,
)
from evidence.submissions.twins import Bringing, Twin, twins_of_each
from evidence.submissions.uploads import Upload
from evidence.submissions.who_may import may_submit


@dataclass(frozen=True)
class Planned:
    """One evidence of the plan: its words, its file, and what it proves."""

    rows: tuple[int, ...]
    submission: Submission
    upload: Upload
    requirements: tuple[RequirementControl, ...]


@dataclass(frozen=True)
class PlannedTwin:
    """Lines of the list by which bytes would be brought that stand already."""

    rows: tuple[int, ...]
    twin: Twin
    sentence: str


@dataclass
class Plan:
    """What would be recorded, and everything that stands against it."""

    planned: list[Planned] = field(default_factory=list)
    twins: list[PlannedTwin] = field(default_factory=list)
    errors: list[BulkRowError] = field(default_factory=list)

    @property
    def links(self) -> int:
        """How many controls' halves would wait for review."""
        return sum(len(planned.requirements) for planned in self.planned)


def plan(
    system: System,
    rows: Sequence[MappingRow],
    uploads: Mapping[str, Upload],
    *,
    by: Actor,
    today: dt.date,
) -> Plan:
    """What the rows ask for, and per row what is wrong. Writes nothing."""
    whole = Plan()
    requirements = _by_control(system, today)
    groups: dict[Any, list[tuple[MappingRow, RequirementControl]]] = defaultdict(list)
    for row in rows:
        upload = uploads.get(row.file)
        if upload is None:
            problem = f"“{row.file[:80]}” is not among the files."
            whole.errors.append(BulkRowError(row.number, "file", problem))
        requirement = _requirement(row, requirements, by, whole.errors)
        submission = submission_of(row, whole.errors)
        if submission is None or not _possible(row, submission, today, whole.errors):
            continue
        if upload and requirement:
            groups[(row.file, submission)].append((row, requirement))
    named = {row.file for row in rows}
    for name in sorted(uploads.keys() - named):
        whole.errors.append(BulkRowError(0, "file", f"No row speaks of “{name}”."))
    whole.planned = [
        Planned(
            rows=tuple(row.number for row, _ in pairs),
            submission=submission,
            upload=uploads[name],
            requirements=tuple(dict.fromkeys(requirement for _, requirement in pairs)),
        )
        for (name, submission), pairs in groups.items()
    ]
    whole.twins = [
        PlannedTwin(planned.rows, twin, twin.sentence(by, today))
        for planned, twins in zip(
            whole.planned, twins_of_plan(whole.planned), strict=True
        )
        for twin in twins
    ]
    return whole


def twins_of_plan(plans: Iterable[Planned]) -> list[list[Twin]]:
    """What stands already with the same bytes, for each of a plan. One statement."""
    return twins_of_each(
        [
            Bringing(planned.submission, [planned.upload], planned.requirements)
            for planned in plans
        ]
    )


def _by_control(system: System, today: dt.date) -> dict[str, list[RequirementControl]]:
    by_control: dict[str, list[RequirementControl]] = defaultdict(list)
    for requirement in RequirementControl.objects.in_operation(system, today):
        by_control[requirement.implementation.control.ref_id].append(requirement)
    return by_control


def _requirement(
    row: MappingRow,
    requirements: Mapping[str, list[RequirementControl]],
    by: Actor,
    errors: list[BulkRowError],
) -> RequirementControl | None:
    """The requirement a row means: by title, or the only one of the control."""
    named = row.cells["control"][:40]
    of_control = requirements.get(control_of(row), [])
    title = row.cells["requirement"].casefold()
    fitting = [
        requirement
        for requirement in of_control
        if title in {"", requirement.title.casefold()}
    ]
    problem = ""
    column = "control"
    if not of_control:
        problem = f"“{named}” is no control here of which anything is asked."
    elif len(fitting) != 1:
        column = "requirement"
        titles = "; ".join(requirement.title for requirement in of_control)
        problem = f"Name one of: {titles}."
    elif fitting[0].cadence == Cadence.PER_EVENT:
        column = "requirement"
        problem = "That is asked per event: upload beside each sampled item."
    elif not may_submit(fitting[0].implementation, team_asked(fitting[0]), by=by):
        problem = f"That is for {team_asked(fitting[0]) or 'a team'} to prove."
    if problem:
        errors.append(BulkRowError(row.number, column, problem))
        return None
    return fitting[0]


def team_asked(requirement: RequirementControl) -> Team | None:
    """The team that is to prove it; None where nobody is."""
    return requirement.owner_team or requirement.implementation.owner_team


def _possible(
    row: MappingRow, submission: Submission, today: dt.date, errors: list[BulkRowError]
) -> bool:
    """Whether its days may be, and its source is named where it says to be complete."""
    known = len(errors)
    for refuse in (
        lambda: refuse_impossible_days(submission, today),
        lambda: refuse_source_unnamed(submission),
    ):
        try:
            refuse()
        except ValidationError as refusal:
            for column, texts in refusal.message_dict.items():
                errors.append(BulkRowError(row.number, column, " ".join(texts)))
    return len(errors) == known
