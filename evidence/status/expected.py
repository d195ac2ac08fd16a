"""What a window expects of our half, and what became of it. Pure.

Both days of a window are inclusive. Source: rules R12 to R14 and R16.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from evidence.status import cadence
from evidence.status.day_ranges import DAY, clip, subtract, united
from evidence.status.facts import (
    AskFacts,
    LinkFacts,
    PopulationFacts,
    RequirementHistory,
)

Outcome = Literal["on_time", "late", "missed", "not_yet_due"]


@dataclass(frozen=True, slots=True)
class OccurrenceResult:
    """One expected occurrence and what became of it. Days are inclusive.

    Per event: one for each population, and one without for days that have none.
    `counts_from`: first day on which a performance counts; None: the one submitted
    for that calendar period, whenever it was done.
    """

    requirement: str
    title: str
    starts: dt.date
    ends: dt.date
    due_on: dt.date
    outcome: Outcome
    performed_on: dt.date | None = None
    late_days: int = 0
    collected_late: bool = False
    link: str = ""
    population: PopulationFacts | None = None
    per_event: bool = False
    counts_from: dt.date | None = None


@dataclass(frozen=True, slots=True)
class Occurrences:
    """Our half counted in occurrences; `deviations` of `sampled` events (R16)."""

    expected: int = 0
    on_time: int = 0
    late: int = 0
    missed: int = 0
    not_yet_due: int = 0
    results: tuple[OccurrenceResult, ...] = ()
    sampled: int = 0
    deviations: int = 0


def occurrences_of(
    histories: Iterable[RequirementHistory],
    start: dt.date,
    end: dt.date,
    today: dt.date,
) -> Occurrences:
    """Every occurrence expected in start..end as it stands on `today`, counted."""
    results = [
        result
        for history in histories
        for result in _results(history, start, end, today)
    ]
    outcomes = [result.outcome for result in results]
    populations = [result.population for result in results if result.population]
    return Occurrences(
        expected=len(results),
        on_time=outcomes.count("on_time"),
        late=outcomes.count("late"),
        missed=outcomes.count("missed"),
        not_yet_due=outcomes.count("not_yet_due"),
        results=tuple(results),
        sampled=sum(events.sample or 0 for events in populations),
        deviations=sum(events.deviations for events in populations),
    )


@dataclass(frozen=True, slots=True)
class PerformancePeriod:
    """Days that ask for one performance, both inclusive.

    With `occurrence` the performance is the one submitted for that calendar period,
    whenever it was done; without (yearly, once) one done from `begins` to `ends`.
    """

    begins: dt.date
    ends: dt.date
    occurrence: dt.date | None = None


def performance_periods(
    requirement: AskFacts, start: dt.date, end: dt.date
) -> list[PerformancePeriod]:
    """What a requirement asks for in start..end while in operation, in order (R12).

    Yearly: the 12 months before the last day asked; longer windows are cut into
    years counted back from it, and a rest shorter than a year asks for nothing of
    its own. Once: any day up to the last. Per event: populations ask, not days.
    """
    last = end
    if requirement.operates_until:
        last = min(end, requirement.operates_until - DAY)
    first = max(start, requirement.operates_from)
    if first > last or requirement.cadence == "per-event":
        return []
    if requirement.cadence == "once":
        return [PerformancePeriod(dt.date.min, last)]
    if requirement.cadence == "yearly":
        return _years(first, last, start)
    return [
        PerformancePeriod(begins, ends, begins)
        for begins, ends in cadence.periods(requirement.cadence, first, last)
    ]


def _years(first: dt.date, last: dt.date, start: dt.date) -> list[PerformancePeriod]:
    years: list[PerformancePeriod] = []
    while last >= first:
        begins = cadence.add_months(last + DAY, -12)
        if begins < start and years:
            break
        years.append(PerformancePeriod(begins, last))
        last = begins - DAY
    return years[::-1]


def _results(
    history: RequirementHistory, start: dt.date, end: dt.date, today: dt.date
) -> list[OccurrenceResult]:
    """What was expected of one requirement while it was in operation."""
    requirement = history.requirement
    if requirement.cadence == "per-event":
        return _of_events(history, start, end, today)
    first = max(start, requirement.operates_from)
    by_occurrence: dict[dt.date | None, list[LinkFacts]] = defaultdict(list)
    for link in history.links:
        by_occurrence[link.occurrence].append(link)
    results = []
    for part in performance_periods(requirement, start, end):
        if part.occurrence:
            links, begins = by_occurrence[part.occurrence], part.begins
        else:
            begins = max(part.begins, first)
            links = [
                link
                for link in history.links
                if part.begins <= link.performed_on <= part.ends
            ]
        earliest = min(links, key=lambda link: link.performed_on, default=None)
        judged = _judge(requirement, earliest, begins, part.ends, today)
        counts_from = None if part.occurrence else part.begins
        results.append(replace(judged, counts_from=counts_from))
    return results


def _of_events(
    history: RequirementHistory, start: dt.date, end: dt.date, today: dt.date
) -> list[OccurrenceResult]:
    """Every population that touches the window, and the days that none speaks of."""
    requirement = history.requirement
    last = (
        min(end, requirement.operates_until - DAY)
        if requirement.operates_until
        else end
    )
    first = max(start, requirement.operates_from)
    if first > last:
        return []
    counted = [
        events
        for events in history.populations
        if events.state != "rejected" and events.starts <= last and events.ends >= first
    ]
    results = [_of_population(requirement, events, today) for events in counted]
    spoken = united(clip([(e.starts, e.ends) for e in counted], first, last))
    for begins, ends in subtract([(first, last)], spoken):
        results.append(_judge(requirement, None, begins, ends, today))
    return sorted(results, key=lambda events: (events.starts, events.ends))


def _of_population(
    requirement: AskFacts, events: PopulationFacts, today: dt.date
) -> OccurrenceResult:
    """Its open items are due with the grace after it ended, or was last sampled."""
    due = max(events.ends, events.sampled_on or events.ends) + DAY * _grace(requirement)
    outcome: Outcome = "missed" if today > due else "not_yet_due"
    if events.complete:
        outcome = "on_time"
    return OccurrenceResult(
        requirement.uuid,
        requirement.title,
        events.starts,
        events.ends,
        due,
        outcome,
        events.drawn_on,
        population=events,
        per_event=True,
    )


def _judge(
    requirement: AskFacts,
    link: LinkFacts | None,
    begins: dt.date,
    ends: dt.date,
    today: dt.date,
) -> OccurrenceResult:
    grace = _grace(requirement)
    due = ends + DAY * grace
    if link is None or link.performed_on > today:
        outcome: Outcome = "missed" if today > due else "not_yet_due"
        events = requirement.cadence == "per-event"
        return OccurrenceResult(
            requirement.uuid,
            requirement.title,
            begins,
            ends,
            due,
            outcome,
            per_event=events,
        )
    late = max(0, (link.performed_on - due).days)
    return OccurrenceResult(
        requirement.uuid,
        requirement.title,
        begins,
        ends,
        due,
        "late" if late else "on_time",
        link.performed_on,
        late,
        bool(not late and link.collected_on and link.collected_on > due),
        link.link,
    )


def _grace(requirement: AskFacts) -> int:
    if requirement.grace_days is None:
        return cadence.default_grace(requirement.cadence)
    return requirement.grace_days
