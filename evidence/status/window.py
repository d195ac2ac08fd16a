"""Does proof of a control hold over a window? The specification, free of Django.

Both days of a window are inclusive. Source: rules R14 to R16, R21, R23, R25, R30.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Literal

from evidence.status.coverage import NeedDays, days_of
from evidence.status.expected import OccurrenceResult, Occurrences, occurrences_of
from evidence.status.facts import AwsFacts, PeriodFacts
from evidence.status.reasons import Reason, reason_for

Result = Literal["complete", "exceptions", "running", "nothing"]


@dataclass(frozen=True, slots=True)
class AwsDays:
    """AWS's half counted in days of the worst needed service; `services` has all."""

    audited: int = 0
    asserted: int = 0
    open_days: int = 0
    services: tuple[NeedDays, ...] = ()


@dataclass(frozen=True, slots=True)
class Period:
    """The result over a window with both counts and the reasons."""

    result: Result
    occurrences: Occurrences
    aws_days: AwsDays
    reasons: tuple[Reason, ...] = ()


def period(
    facts: PeriodFacts, start: dt.date, end: dt.date, *, today: dt.date
) -> Period:
    """Judge one control over start..end as it stands on `today`.

    AWS's days are counted to `today` where the window has not ended.
    """
    if facts.applicability.approved and not facts.applicability.basis_changed:
        return Period("nothing", Occurrences(), AwsDays())
    ours = Occurrences()
    if facts.customer_required:
        ours = occurrences_of(facts.requirements, start, end, today)
    aws = AwsDays()
    if facts.aws_required:
        aws = _aws_days(facts.aws, start, min(end, today))
    reasons = (*_our_reasons(ours), *_aws_reasons(aws))
    return Period(_result(facts, ours, aws, end, today), ours, aws, reasons)


def _result(
    facts: PeriodFacts, ours: Occurrences, aws: AwsDays, end: dt.date, today: dt.date
) -> Result:
    """R15. A required half of which nothing can be said is an exception."""
    unasked = facts.customer_required and not facts.requirements
    if ours.late or ours.missed or ours.deviations or aws.open_days or unasked:
        return "exceptions"
    if not (facts.customer_required or facts.aws_required):
        return "nothing"
    ended = today > end and not ours.not_yet_due
    if not ended:
        return "running"
    return "complete" if ours.expected or facts.aws_required else "nothing"


def _aws_days(aws: AwsFacts | None, start: dt.date, end: dt.date) -> AwsDays:
    """The worst service decides; each is listed."""
    if aws is None or start > end:
        return AwsDays()
    rows = tuple(days_of(need, aws, start, end) for need in aws.needed)
    in_use = [row for row in rows if row.audited + row.asserted + row.open_days]
    if not in_use:
        return AwsDays(services=rows)
    decisive = max(in_use, key=lambda row: (row.open_days, row.asserted, row.slug))
    return AwsDays(decisive.audited, decisive.asserted, decisive.open_days, rows)


def _our_reasons(ours: Occurrences) -> tuple[Reason, ...]:
    reasons = []
    for result in ours.results:
        if result.per_event:
            reasons += _event_reasons(result)
            continue
        name = f"{result.title}, {result.starts} to {result.ends}"
        if result.outcome == "missed":
            reasons.append(reason_for("missed", name, missed=1))
        elif result.outcome == "late":
            reasons.append(reason_for("late", name, late=1, days=result.late_days))
        elif result.collected_late:
            reasons.append(reason_for("collected_late", name))
    return tuple(reasons)


def _event_reasons(result: OccurrenceResult) -> list[Reason]:
    """What an auditor asks about a population, or about days without one."""
    events, days = result.population, {"start": result.starts, "end": result.ends}
    overdue = result.outcome == "missed"
    if events is None:
        why = reason_for("days_without_population", result.title, **days)
        return [why] if overdue else []
    name = f"{result.title}, {result.starts} to {result.ends}"
    drawn = events.sample or 0
    reasons = []
    if failed := events.deviations:
        reasons.append(reason_for("deviations", name, deviations=failed, sample=drawn))
    if not overdue:
        return reasons
    if events.state != "accepted":
        reasons.append(reason_for("population_unreviewed", result.title, **days))
    elif events.sample is None:
        reasons.append(reason_for("no_sample", name, rows=events.rows))
    elif events.open:
        reasons.append(reason_for("sample_open", name, left=events.open, sample=drawn))
    return reasons


def _aws_reasons(aws: AwsDays) -> tuple[Reason, ...]:
    return tuple(
        reason_for(
            "aws_days_open",
            row.slug,
            covered=_covered(row),
            days=row.open_days,
            start=row.open_ranges[0][0],
        )
        for row in aws.services
        if row.open_days
    )


def _covered(row: NeedDays) -> str:
    """`report to 31 March, letter to 30 June, `: how far each reaches in the window."""
    named = (("report", row.audited_ranges), ("letter", row.asserted_ranges))
    return "".join(
        f"{name} to {ranges[-1][1].day} {ranges[-1][1]:%B}, "
        for name, ranges in named
        if ranges
    )
