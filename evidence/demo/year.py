"""A year of submissions and reviews: planned by chance, played in order of time."""

from __future__ import annotations

import datetime as dt
import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from controls.history.clock import clock_at
from controls.models import System, User
from evidence.demo import company
from evidence.demo.clock import DAY, instant_of, workday_by, workday_from
from evidence.demo.files import FileSubject, evidence_file, fault_of
from evidence.demo.people import People
from evidence.models import EvidenceLink, RequirementControl
from evidence.reviews.decide import AT_ONCE, Decision, decide_all
from evidence.status.cadence import last_day, occurrence_of
from evidence.submissions.submission import Submission
from evidence.submissions.submit import submit
from evidence.submissions.uploads import store

READING_HOUR = 8  # of the reviewer's day: all that came in on the days before
SOURCES = {
    "csv": "Directory of accounts",
    "png": "AWS console",
    "zip": "Log archive",
    "pdf": "Reporting tool of the team",
}
NEVER_BEGUN, LAPSED, MISSED, LATE, REJECTED = 0.06, 0.16, 0.05, 0.08, 0.05  # shares


@dataclass(frozen=True)
class PlannedSubmission:
    """One submission as the demo plays it; `decided` None leaves it waiting."""

    requirement: RequirementControl
    performed_on: dt.date
    start: dt.date
    end: dt.date
    submitted: dt.datetime
    decided: dt.datetime | None
    accepted: bool = True


@dataclass(frozen=True, order=True)
class Step:
    """One moment of the year: a submission, or the reviews of a morning."""

    instant: dt.datetime
    kind: str  # "decide" sorts before "submit"
    numbers: tuple[int, ...]


class Year:
    """All that one system's teams and reviewer did until this morning."""

    def __init__(
        self,
        system: System,
        today: dt.date,
        chance: random.Random,
        *,
        first: dt.date | None = None,
    ) -> None:
        """Plan it; nothing is written yet. `first` is the day from which there is
        anything to do; without it the window's first."""
        requirements = (
            RequirementControl.objects.filter(system=system)
            .select_related(
                "implementation__control",
                "implementation__owner_team",
                "implementation__system",
                "owner_team",
                "system",
            )
            .order_by("pk")
        )
        self.submissions = [
            submission
            for requirement in requirements
            for submission in _plan(
                requirement, first or system.window_start, today, chance
            )
        ]
        self.steps = sorted(self._steps(instant_of(today, 6)))

    def __len__(self) -> int:
        """How many submissions and reviews it has."""
        return sum(len(step.numbers) for step in self.steps)

    def _steps(self, end: dt.datetime) -> Iterator[Step]:
        read_at: dict[dt.datetime, list[int]] = defaultdict(list)
        for number, submission in enumerate(self.submissions):
            if submission.submitted < end:
                yield Step(submission.submitted, "submit", (number,))
                if submission.decided and submission.decided < end:
                    read_at[submission.decided].append(number)
        for instant, numbers in read_at.items():
            for first in range(0, len(numbers), AT_ONCE):
                together = tuple(numbers[first : first + AT_ONCE])
                yield Step(instant, "decide", together)

    def play(self, people: People) -> Iterator[int]:
        """Write it through the product's own verbs; yields how many submissions or
        reviews each step had."""
        links: dict[int, EvidenceLink] = {}
        for step in self.steps:
            with clock_at(step.instant):
                if step.kind == "submit":
                    for number in step.numbers:
                        submission = self.submissions[number]
                        links[number] = _submit(submission, people, step.instant)
                else:
                    decisions = [
                        _decision(links.pop(number), self.submissions[number], people)
                        for number in step.numbers
                    ]
                    decide_all(decisions, by=people["rita"])
            yield len(step.numbers)


def _plan(
    requirement: RequirementControl,
    first: dt.date,
    today: dt.date,
    chance: random.Random,
) -> Iterator[PlannedSubmission]:
    """What one requirement's team did: mostly on time, some late, some never."""
    if requirement.implementation.control.ref_id == company.LAPSED:
        yield from _plan_lapsed(requirement, first, today)
        return
    diligence = chance.random()
    if diligence < NEVER_BEGUN:
        return
    lapses = diligence < LAPSED
    for start, end in _periods(requirement.cadence, first, today):
        if chance.random() < MISSED:
            continue
        if lapses and end > today - 120 * DAY:
            continue  # the team stopped
        late = chance.random() < LATE
        offset = chance.randint(25, 40) if late else chance.randint(0, 3)
        performed = min(max(start, end - DAY * chance.randint(0, 4)), today - DAY)
        performed = min(performed + DAY * (offset if late else 0), today - DAY)
        performed = max(workday_by(performed), start)
        next_morning = performed + DAY * (0 if performed >= today - DAY else 1)
        submitted = instant_of(next_morning, 9)
        submitted += dt.timedelta(minutes=chance.randint(0, 400))
        submitted = workday_from(submitted)
        waits = performed > today - 25 * DAY and chance.random() < 0.4
        yield PlannedSubmission(
            requirement,
            performed,
            start,
            max(end, performed) if late else end,
            submitted,
            decided=None if waits else _read_after(submitted),
            accepted=chance.random() > REJECTED,
        )


def _plan_lapsed(
    requirement: RequirementControl, first: dt.date, today: dt.date
) -> Iterator[PlannedSubmission]:
    """On time each month, and nothing in the last quarter: what the tour opens."""
    for start, end in _periods(requirement.cadence, first, today):
        if end < today - 75 * DAY:
            performed = workday_by(end)
            submitted = instant_of(performed, 15)
            yield PlannedSubmission(
                requirement, performed, start, end, submitted, _read_after(submitted)
            )


def _read_after(submitted: dt.datetime) -> dt.datetime:
    """The morning of the workday after it was submitted."""
    return workday_from(instant_of(submitted.date() + DAY, READING_HOUR))


def _periods(
    cadence: str, first: dt.date, today: dt.date
) -> Iterator[tuple[dt.date, dt.date]]:
    """Calendar periods from the window's start that have begun; yearly: one, spread."""
    if cadence == "yearly":
        yield first, first + DAY * ((first.toordinal() * 7) % 60 + 90)
        return
    day = first
    while day <= today:
        start = occurrence_of(cadence, day) or day
        following = last_day(cadence, start) + DAY
        if following - DAY < today and start >= first:
            yield start, following - DAY
        day = following


def _submit(
    planned: PlannedSubmission, people: People, instant: dt.datetime
) -> EvidenceLink:
    subject = _subject(planned, people)
    submission = Submission(
        title=subject.title,
        performed_on=planned.performed_on,
        period_start=planned.start,
        period_end=max(planned.end, planned.performed_on),
        collected_on=planned.performed_on,
        source_system=SOURCES[subject.kind],
        procedure="Exported by the team and checked against the last one.",
    )
    name, content = evidence_file(subject)
    return submit(
        submission,
        [store(name, [content])],
        requirement=planned.requirement,
        by=_contributor(planned.requirement, people),
        today=instant.date(),
    )


def _decision(
    link: EvidenceLink, planned: PlannedSubmission, people: People
) -> Decision:
    if planned.accepted:
        return Decision(link.uuid, accept=True)
    fault = fault_of(_subject(planned, people))
    return Decision(link.uuid, accept=False, reason=fault)


def _subject(planned: PlannedSubmission, people: People) -> FileSubject:
    requirement = planned.requirement
    label = requirement.implementation.control.label
    return FileSubject(
        title=f"{requirement.title}, {planned.start:%B %Y} ({label})",
        label=label,
        system=requirement.system.name,
        maker=_contributor(requirement, people).name,
        performed_on=planned.performed_on,
        start=planned.start,
        end=planned.end,
        flawed=not planned.accepted,
    )


def _contributor(requirement: RequirementControl, people: People) -> User:
    team = requirement.owner_team or requirement.implementation.owner_team
    return next(
        people[local]
        for local, _, _, slug in company.PEOPLE
        if team is not None and slug == team.slug
    )
