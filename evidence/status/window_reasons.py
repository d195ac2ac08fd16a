"""What an auditor of a window will ask of our half: its reasons. Pure.

Source: rules R11, R14 to R16 and R31.
"""

from __future__ import annotations

from evidence.status.day_ranges import Days, count, subtract
from evidence.status.facts import PopulationFacts
from evidence.status.occurrence_results import OccurrenceResult, Occurrences
from evidence.status.reasons import Reason, reason_for


def our_reasons(ours: Occurrences) -> tuple[Reason, ...]:
    reasons = []
    listed: set[tuple[str, str]] = set()
    for result in ours.results:
        name = f"{result.title}, {result.starts} to {result.ends}"
        reasons += _occurrence_reasons(result, name)
        if result.per_event:
            reasons += _event_reasons(result, listed)
    return (*reasons, *_silent_days(ours))


def _silent_days(ours: Occurrences) -> list[Reason]:
    """Open days of which no population speaks, not even one that waits."""
    waiting = [
        (events.starts, events.ends)
        for result in ours.results
        for events in result.populations
        if events.state == "submitted"
    ]
    return [
        reason_for("days_without_population", title, start=first, end=last)
        for title, days in ours.event_days.open_ranges
        for first, last in subtract([days], waiting)
    ]


def _occurrence_reasons(result: OccurrenceResult, name: str) -> list[Reason]:
    """What an auditor asks about one occurrence; what populations lack comes apart."""
    outcome, reasons = result.outcome, []
    if outcome == "missed" and not result.per_event:
        reasons.append(reason_for("missed", name, missed=1))
    elif outcome == "late":
        reasons.append(reason_for("late", name, late=1, days=result.late_days))
    elif outcome == "cut_short":
        counts = {"asked": result.asked_days, "of": result.days}
        reasons.append(reason_for("cut_short", name, **counts))
    elif outcome == "waived":
        former = result.former_outcome or "not_yet_due"
        reasons.append(reason_for("waived", name, former=former.replace("_", " ")))
    if result.recorded_late_days:
        days = result.recorded_late_days
        reasons.append(reason_for("recorded_late", name, days=days))
    if result.collected_late:
        reasons.append(reason_for("collected_late", name))
    if result.changed_in_retrospect and outcome != "waived":
        reasons.append(reason_for("changed_in_retrospect", name))
    return reasons


def _event_reasons(
    result: OccurrenceResult, listed: set[tuple[str, str]]
) -> list[Reason]:
    """What an auditor asks about populations; each thing once for each of them."""
    reasons = []
    for events in result.populations:
        why = _of_population(result, events)
        if why is not None and (events.uuid, why.code) not in listed:
            listed.add((events.uuid, why.code))
            reasons.append(why)
        if events.deviations and (events.uuid, "deviations") not in listed:
            listed.add((events.uuid, "deviations"))
            counts = {"deviations": events.deviations, "sample": events.sample or 0}
            name = f"{result.title}, {events.starts} to {events.ends}"
            if not events.stands:
                name += f" (a list that was {events.state})"
            reasons.append(reason_for("deviations", name, **counts))
    return reasons


def _of_population(result: OccurrenceResult, events: PopulationFacts) -> Reason | None:
    """What a population lacks once its period is overdue."""
    if result.outcome != "missed" or not events.stands:
        return None
    days = {"start": events.starts, "end": events.ends}
    name = f"{result.title}, {events.starts} to {events.ends}"
    if events.state != "accepted":
        return reason_for("population_unreviewed", result.title, **days)
    if events.complete:
        return None
    if events.sample is None:
        return reason_for("no_sample", name, rows=events.rows)
    counts = {"left": events.open, "sample": events.sample}
    return reason_for("sample_open", name, **counts)


def unasked_reasons(unasked: list[Days], days_asked: list[Days]) -> tuple[Reason, ...]:
    """R11: days on which our half was required and nothing asked."""
    if not unasked:
        return ()
    if not days_asked:
        return (reason_for("nothing_asked"),)
    days = count(unasked)
    return (reason_for("asked_from", days=days, start=days_asked[0][0]),)
