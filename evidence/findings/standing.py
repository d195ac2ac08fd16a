"""Where observations and findings stand on a day, as known at an instant.

What is shown beside them is judged by the same facts as the verdict of their control
(`evidence/status/findings_from_rows.py`).
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from django.db.models import Exists, OuterRef, Q, QuerySet

from controls.models import Actor, System
from evidence.artifacts.second_person import REVIEWING
from evidence.models import (
    Disposition,
    EvidenceRevision,
    FailingObservation,
    Finding,
    ReportedResult,
    SourceReport,
)
from evidence.models.reviews import ReviewDecision
from evidence.status.facts import FindingFacts
from evidence.status.finding_days import age, is_open, is_overdue
from evidence.status.findings_from_rows import findings_of
from evidence.status.rows import Moment

SHOWN_REPORTS = 50  # of one observation
FindingState = Literal["open", "overdue", "closed", "false-positive"]
ObservationState = Literal["open", "explained", "finding"]


@dataclass(frozen=True)
class FindingStanding:
    """A finding on a day. `facts` are None where it was decided to be none; `days` is
    its age then, or when it was closed; days of `dispositions` are oldest first."""

    finding: Finding
    facts: FindingFacts | None
    day: dt.date
    dispositions: tuple[Disposition, ...]

    @property
    def state(self) -> FindingState:
        """Open, overdue, closed, or found to be none."""
        if self.facts is None:
            return "false-positive"
        if is_overdue(self.facts, self.day):
            return "overdue"
        return "open" if is_open(self.facts, self.day) else "closed"

    @property
    def over(self) -> bool:
        """Whether nothing is left to be made of it."""
        return self.state in {"closed", "false-positive"}

    @property
    def days(self) -> int:
        """Days for which it has been open, or was."""
        return age(self.facts, self.day) if self.facts else 0

    @property
    def severity(self) -> str:
        """The severity by which it is due: an accepted risk adjustment's, else its."""
        return self.facts.severity if self.facts else self.finding.severity

    @property
    def due_on(self) -> dt.date | None:
        """The last day in time; None where it has none."""
        return self.facts.due_on if self.facts else None

    @property
    def overdue_days(self) -> int:
        """Days since its due day, where it is overdue."""
        due = self.due_on
        return (self.day - due).days if due and self.state == "overdue" else 0

    @property
    def waiting(self) -> Disposition | None:
        """What waits for a second person."""
        return waiting_of(self.dispositions) if not self.over else None


@dataclass(frozen=True)
class ObservationStanding:
    """An observation, with the finding written from it."""

    observation: FailingObservation
    finding: Finding | None
    dispositions: tuple[Disposition, ...]

    @property
    def state(self) -> ObservationState:
        """Nothing made of it, explained, or a finding took its place."""
        if self.finding is not None:
            return "finding"
        accepted = any(decided(d) == ReviewDecision.ACCEPT for d in self.dispositions)
        return "explained" if accepted else "open"

    @property
    def over(self) -> bool:
        """Whether nothing is left to be explained."""
        return self.state != "open"

    @property
    def waiting(self) -> Disposition | None:
        """What waits for a second person."""
        return waiting_of(self.dispositions) if not self.over else None


def decided(disposition: Disposition) -> str | None:
    """What was decided, as far as it was read; None: it waits."""
    decision = getattr(disposition, "decision", None)
    return decision.decision if decision else None


def waiting_of(dispositions: Sequence[Disposition]) -> Disposition | None:
    """The one that waits: at most one does."""
    waiting = [one for one in dispositions if decided(one) is None]
    return waiting[-1] if waiting else None


def finding_standings(
    findings: Iterable[Finding], moment: Moment
) -> list[FindingStanding]:
    """Each finding on the moment's day, in their order. Three statements."""
    findings = list(findings)
    read = findings_of({f.implementation_id for f in findings}, moment.on, moment)
    facts = {row.uuid: row for seen in read.values() for row in seen.findings}
    dispositions = _dispositions("finding", [f.pk for f in findings], moment)
    return [
        FindingStanding(
            finding,
            facts.get(str(finding.uuid)),
            moment.on,
            tuple(dispositions[finding.pk]),
        )
        for finding in findings
    ]


def open_findings(
    system: System, moment: Moment, keys: Collection[int] | None = None
) -> list[FindingStanding]:
    """Findings that are open on the moment's day, of the controls with these keys
    (None: all). Four statements."""
    found_by_then = Finding.objects.filter(system=system, found_on__lte=moment.on)
    if keys is not None:
        found_by_then = found_by_then.filter(implementation__in=keys)
    rows = known(found_by_then, moment).for_listing()
    return [row for row in finding_standings(rows, moment) if not row.over]


def observation_standings(
    observations: Iterable[FailingObservation], moment: Moment
) -> list[ObservationStanding]:
    """Each observation as known at the moment, in their order. Two statements."""
    observations = list(observations)
    keys = [observation.pk for observation in observations]
    findings = Finding.objects.filter(observation__in=keys).for_listing()
    by_observation = {f.observation_id: f for f in known(findings, moment)}
    dispositions = _dispositions("observation", keys, moment)
    return [
        ObservationStanding(
            observation,
            by_observation.get(observation.pk),
            tuple(dispositions[observation.pk]),
        )
        for observation in observations
    ]


def passed_in_source(
    standings: Iterable[ObservationStanding], moment: Moment
) -> set[int]:
    """Keys of those observations that their source calls passed by what was imported
    last. It settles none of them. One statement."""
    keys = [standing.observation.pk for standing in standings]
    latest = known(SourceReport.objects.all(), moment).latest_of(keys)
    return {
        report.observation_id
        for report in latest
        if report.result == ReportedResult.PASSED
    }


def reports_of(
    subject: Finding | FailingObservation, moment: Moment
) -> Sequence[SourceReport]:
    """What the source of an observation, or of that behind a finding, reported, the
    latest first, at most SHOWN_REPORTS."""
    observation = subject.observation_id if isinstance(subject, Finding) else subject.pk
    reports = SourceReport.objects.filter(observation=observation)
    rows = known(reports, moment).select_related("imported").order_by("-pk")
    return list(rows[:SHOWN_REPORTS])


def known(rows: Any, moment: Moment) -> Any:
    """Of append-only rows (a QuerySet) those that were known at the moment."""
    if moment.known_at is None:
        return rows
    return rows.filter(known_from__lt=moment.known_at)


def _dispositions(
    subject: str, keys: Sequence[int], moment: Moment
) -> Mapping[int, list[Disposition]]:
    """What was asked for of each, oldest first, with the decisions known by then."""
    rows = known(Disposition.objects.filter(**{f"{subject}__in": keys}), moment)
    by_subject: defaultdict[int, list[Disposition]] = defaultdict(list)
    for row in rows.select_related("decision", "link__revision__evidence", "system"):
        decision = getattr(row, "decision", None)
        if decision and moment.known_at and decision.known_from >= moment.known_at:
            row._state.fields_cache["decision"] = None
        by_subject[getattr(row, f"{subject}_id")].append(row)
    return by_subject


def dispositions_to_decide(user: Actor) -> QuerySet[Disposition]:
    """What waits for this person, oldest first: of a system they review, and with no
    hand in it. `who_may.require_decider` lets the same people decide. One statement."""
    own_requests = Disposition.objects.filter(requested_by=user.pk)
    brought = EvidenceRevision.objects.by_author(user).filter(
        evidence=OuterRef("link__revision__evidence")
    )
    mine = (
        Q(finding__recorded_by=user.pk)
        | Q(observation__recorded_by=user.pk)
        | Q(finding__observation__recorded_by=user.pk)
        | Exists(own_requests.filter(finding=OuterRef("finding")))
        | Exists(own_requests.filter(observation=OuterRef("observation")))
        | Exists(brought)
    )
    systems = System.objects.held_as(user, REVIEWING)
    rows = Disposition.objects.filter(system__in=systems, decision=None).exclude(mine)
    # a finding was written from it meanwhile: nothing is left to explain
    rows = rows.exclude(observation__finding__isnull=False)
    return rows.select_related(
        "system",
        "finding__implementation__control",
        "observation__implementation__control",
        "link__revision__evidence",
    ).order_by("pk")
