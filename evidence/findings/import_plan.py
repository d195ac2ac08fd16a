"""What a file of findings would change in a system: new, reported again, passed.

An import makes nothing greener: a finding that its source calls passed is noted beside
its observation, and a person explains or closes it (R28, R36).

One file: what a row would become and the words for it are read side by side.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from controls.approvals import known_today
from controls.control_ids import label_of
from controls.models import Actor, ControlImplementation, System
from evidence.findings.recording import OUT_OF_SCOPE, outside_of_audits
from evidence.findings.source_files import LineRefusal, SourceFile, SourceResult
from evidence.findings.standing import finding_standings, observation_standings
from evidence.models import FailingObservation, ReportedResult, SourceReport
from evidence.models.observations import MAX_SOURCE, MAX_TEXT
from evidence.status.clock_parameters import MIN_DAY
from evidence.status.rows import Moment

Key = tuple[str, str, int]  # account, id of the finding, key of the implementation


@dataclass(frozen=True)
class PlannedReport:
    """What one finding says of one control. `observation` is None where it is new; it
    is seen to fail from `observed_on` on."""

    result: SourceResult
    implementation: ControlImplementation
    observed_on: dt.date
    reported_at: dt.datetime
    observation: FailingObservation | None = None

    @property
    def source(self) -> str:
        """Where it was seen."""
        result = self.result
        named = f"{result.product or 'Findings'} {result.check}".strip()
        return f"{named[: MAX_SOURCE - 30]}, account {result.account}"

    @property
    def text(self) -> str:
        """What failed, and where."""
        result = self.result
        lines = [result.title or "The check failed."]
        if result.resources:
            lines.append(f"Resource: {result.resources}")
        if result.text and result.text != result.title:
            lines.append(result.text)
        return "\n".join(lines)[:MAX_TEXT]


@dataclass(frozen=True)
class ImportPlan:
    """What importing a file would do.

    `passing`: findings that pass and of which nothing is recorded. `unchanged`: known
    as they are. `unclear`: lines of which the source says neither. `twice`: lines of
    findings that stand again in the file, as of a later time.
    """

    new: tuple[PlannedReport, ...]
    again: tuple[PlannedReport, ...]
    passed: tuple[PlannedReport, ...]
    refusals: tuple[LineRefusal, ...]
    passing: int
    unchanged: int
    unclear: tuple[int, ...]
    twice: tuple[int, ...]

    @property
    def changes(self) -> bool:
        """Whether importing it would write anything."""
        return bool(self.new or self.again or self.passed)

    @property
    def digest(self) -> str:
        """What a person saw of it, as 64 characters."""
        groups = [
            [
                [
                    row.result.line,
                    row.implementation.pk,
                    row.observation.pk if row.observation else 0,
                    str(row.observed_on),
                ]
                for row in rows
            ]
            for rows in (self.new, self.again, self.passed)
        ]
        rest = [str(refusal) for refusal in self.refusals]
        return hashlib.sha256(json.dumps([groups, rest]).encode()).hexdigest()


def plan_import(
    system: System,
    read: SourceFile,
    *,
    accounts: Sequence[str],
    control: ControlImplementation | None = None,
    by: Actor,
) -> ImportPlan:
    """What a file of `by` would change. `control` is that of findings that name none of
    the system's. What an auditor has out of the scope of their audits is refused. A
    constant number of statements; writes nothing."""
    ours = {
        implementation.control.ref_id: implementation
        for implementation in system.implementations.select_related("control", "system")
    }
    outside = outside_of_audits(list(ours.values()), by=by)
    refusals = list(read.refusals)
    dated: list[tuple[SourceResult, dt.datetime, dt.date]] = []
    today = known_today(system)
    for result in read.results:
        try:
            dated.append((result, *_days(result, system, accounts, today)))
        except ValueError as fault:
            refusals.append(LineRefusal(result.line, str(fault)))
    latest, twice = _latest(dated)
    rows: list[PlannedReport] = []
    unclear: list[int] = []
    for result, reported_at, observed_on in latest:
        if result.result == "unclear":
            unclear.append(result.line)
            continue
        named = [ours[ref] for ref in result.controls if ref in ours]
        if not named and control is not None:
            named = [control]
        if not named:
            refusals.append(LineRefusal(result.line, _names_none(result)))
        for implementation in named:
            if implementation.pk in outside:
                label = implementation.control.label
                sentence = OUT_OF_SCOPE.format(control=label)
                refusals.append(LineRefusal(result.line, sentence))
                continue
            rows.append(PlannedReport(result, implementation, observed_on, reported_at))
    refusals.sort(key=lambda refusal: refusal.line)
    return _sorted_out(system, rows, today, refusals, unclear, twice)


def _days(
    result: SourceResult, system: System, accounts: Sequence[str], today: dt.date
) -> tuple[dt.datetime, dt.date]:
    """When it was reported, and from which day on it fails. Raises ValueError with a
    sentence for another account and for times that cannot be."""
    if result.account not in accounts:
        named = f"account {result.account[:20]}" if result.account else "no account"
        raise ValueError(f"It is of {named}, which is none of those named.")
    last = _instant(result.last_seen or result.first_seen, system.zone)
    first = _instant(result.first_seen or result.last_seen, system.zone)
    day = min(first, last).astimezone(system.zone).date()
    last_day = last.astimezone(system.zone).date()
    if last_day > today:
        raise ValueError(f"It was seen on {last_day}, which has not come yet.")
    if day < MIN_DAY:
        raise ValueError(f"It was seen before {MIN_DAY}.")
    return last, day


def _instant(text: str, zone: dt.tzinfo) -> dt.datetime:
    """A time without an offset is one of the system's zone; in UTC."""
    if not text:
        raise ValueError("It does not say when it was seen.")
    try:
        instant = dt.datetime.fromisoformat(text)
        if instant.tzinfo is None:
            instant = instant.replace(tzinfo=zone)
        instant = instant.astimezone(dt.UTC)
        if not dt.MINYEAR < instant.year < dt.MAXYEAR:  # no day of it in every zone
            raise ValueError(text)
        return instant
    except (ValueError, OverflowError):
        raise ValueError(f"“{text}” is no time such as 2026-10-31T08:00Z.") from None


def _latest(
    dated: Iterable[tuple[SourceResult, dt.datetime, dt.date]],
) -> tuple[list[tuple[SourceResult, dt.datetime, dt.date]], tuple[int, ...]]:
    """Each finding as of its latest time (of two at once the one that fails), and the
    lines that are older."""
    kept: dict[tuple[str, str], tuple[SourceResult, dt.datetime, dt.date]] = {}
    twice = []
    for row in dated:
        result, at, _ = row
        key = (result.account, result.finding_id)
        before = kept.get(key)
        if before is None or (at, result.result == "failed") > (
            before[1],
            before[0].result == "failed",
        ):
            if before is not None:
                twice.append(before[0].line)
            kept[key] = row
        else:
            twice.append(result.line)
    return list(kept.values()), tuple(sorted(twice))


def _names_none(result: SourceResult) -> str:
    if result.controls:
        labels = ", ".join(label_of(ref)[:20] for ref in result.controls[:5])
        return f"It names {labels}, and none of the controls of this system."
    check = f" {result.check}" if result.check else ""
    return (
        f"The check{check} names no control of NIST SP 800-53 Rev. 5: name the control"
        " that such findings count for."
    )


@dataclass(frozen=True)
class _Earlier:
    """What is known of a finding at a control: its latest observation and report."""

    observation: FailingObservation
    result: str
    reported_at: dt.datetime


def _sorted_out(
    system: System,
    rows: Sequence[PlannedReport],
    today: dt.date,
    refusals: Sequence[LineRefusal],
    unclear: Sequence[int],
    twice: tuple[int, ...],
) -> ImportPlan:
    earlier = _earlier(system, rows)
    ends = _ends([known.observation for known in earlier.values()], today)
    groups: dict[str, list[PlannedReport]] = {"new": [], "again": [], "passed": []}
    passing = unchanged = 0
    for row in rows:
        known = earlier.get(_key(row))
        if known is None and row.result.result == ReportedResult.PASSED:
            passing += 1
        elif known is None:
            groups["new"].append(row)
        elif _same(row, known):
            unchanged += 1
        elif row.result.result == ReportedResult.PASSED:
            groups["passed"].append(_of(row, known.observation))
        elif _came_back(row, known, ends, system.zone):
            seen_again = row.reported_at.astimezone(system.zone).date()
            groups["new"].append(
                PlannedReport(
                    row.result, row.implementation, seen_again, row.reported_at
                )
            )
        else:
            groups["again"].append(_of(row, known.observation))
    return ImportPlan(
        new=tuple(groups["new"]),
        again=tuple(groups["again"]),
        passed=tuple(groups["passed"]),
        refusals=tuple(refusals),
        passing=passing,
        unchanged=unchanged,
        unclear=tuple(unclear),
        twice=twice,
    )


def _key(row: PlannedReport) -> Key:
    return row.result.account, row.result.finding_id, row.implementation.pk


def _of(row: PlannedReport, observation: FailingObservation) -> PlannedReport:
    return PlannedReport(
        row.result,
        row.implementation,
        row.observed_on,
        row.reported_at,
        observation,
    )


def _same(row: PlannedReport, known: _Earlier) -> bool:
    """Whether it says what is known, or is older than that."""
    if row.reported_at < known.reported_at:
        return True
    return (row.reported_at, row.result.result) == (known.reported_at, known.result)


def _earlier(system: System, rows: Sequence[PlannedReport]) -> dict[Key, _Earlier]:
    """The latest report of each finding at each control. One statement."""
    ids = {row.result.finding_id for row in rows}
    reports = SourceReport.objects.filter(system=system, finding_id__in=ids)
    earlier: dict[Key, _Earlier] = {}
    for report in reports.select_related("observation").order_by("pk"):
        observation = report.observation
        key = (report.account, report.finding_id, observation.implementation_id)
        earlier[key] = _Earlier(observation, report.result, report.reported_at)
    return earlier


def _ends(
    observations: Sequence[FailingObservation], today: dt.date
) -> Mapping[int, dt.date | None]:
    """Of observations that were settled, by key: the day on which the finding that
    took their place was closed; None where they were explained or found to be none."""
    ends: dict[int, dt.date | None] = {}
    findings = {}
    for standing in observation_standings(observations, Moment(today)):
        if standing.state == "explained":
            ends[standing.observation.pk] = None
        elif standing.finding is not None:
            findings[standing.finding.pk] = standing
    written = [standing.finding for standing in findings.values() if standing.finding]
    for shown in finding_standings(written, Moment(today)):
        if shown.over:
            closed_on = shown.facts.closed_on if shown.facts else None
            ends[findings[shown.finding.pk].observation.pk] = closed_on
    return ends


def _came_back(
    row: PlannedReport,
    known: _Earlier,
    ends: Mapping[int, dt.date | None],
    zone: dt.tzinfo,
) -> bool:
    """Whether what was settled fails anew: after its finding was closed, or after its
    source had called it passed in between."""
    observation = known.observation
    if observation.pk not in ends:
        return False
    closed_on = ends[observation.pk]
    if known.result == ReportedResult.PASSED:
        return True
    day = row.reported_at.astimezone(zone).date()
    return closed_on is not None and day > closed_on
