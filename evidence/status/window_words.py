"""What became of a window's occurrences, in words. Pure.

Source: rules R11, R12, R14 to R16, R30 and R31.
"""

from __future__ import annotations

from controls.grammar import count_of
from evidence.status.occurrence_results import OccurrenceResult, Occurrences
from evidence.status.window import Period

OUTSIDE = {
    "before": "before the window",
    "after_within_grace": "after it, within grace",
    "after": "outside this audit",
}


def notes_of(result: OccurrenceResult) -> tuple[str, ...]:
    """What stands beside the outcome of one occurrence, in the order of importance."""
    notes = []
    if result.outcome == "late":
        notes.append(count_of(result.late_days, "day"))
    if result.outcome == "waived" and result.former_outcome:
        notes.append(f"formerly {result.former_outcome.replace('_', ' ')}")
    if result.outcome == "cut_short":
        notes.append(f"asked on {result.asked_days} of {count_of(result.days, 'day')}")
    if result.recorded_late_days:
        days = count_of(result.recorded_late_days, "day")
        notes.append(f"recorded {days} after its due day")
    if result.collected_late:
        notes.append("collected after the period")
    if result.within_grace:
        days = count_of(result.days_after_end, "day")
        notes.append(f"{days} after its last day, within grace")
    if result.outside:
        notes.append(OUTSIDE[result.outside])
    if result.changed_in_retrospect:
        notes.append("changed in retrospect")
    return tuple(notes)


def counts_of(ours: Occurrences) -> str:
    """The outcomes counted: `9 on time, of which recorded late 2, 1 late, 0 missed`."""
    on_time = f"{ours.on_time} on time"
    within = (
        ("recorded late", ours.recorded_late),
        ("within grace", ours.within_grace),
    )
    of_which = [f"{word} {number}" for word, number in within if number]
    if of_which:
        on_time += f" (of which {', '.join(of_which)})"
    counts = [
        on_time,
        f"{ours.late} late",
        f"{ours.missed} missed",
        f"{ours.not_yet_due} not yet due",
    ]
    return ", ".join(counts)


def uncounted_of(ours: Occurrences) -> str:
    """What stands beside the counts: cut short, waived, answered from outside."""
    besides = (
        ("cut short", ours.cut_short),
        ("waived", ours.waived),
        ("answered before the window", ours.before_window),
        ("answered after it, within grace", ours.after_window_within_grace),
    )
    return ", ".join(f"{number} {words}" for words, number in besides if number)


def event_days_of(ours: Occurrences) -> str:
    """The days asked per event: `336 days covered, 29 open, 0 not yet due`."""
    days = ours.event_days
    if not (days.covered or days.open or days.not_yet_due):
        return ""
    return (
        f"{count_of(days.covered, 'day')} covered, {days.open} open,"
        f" {days.not_yet_due} not yet due"
    )


def unasked_of(period: Period) -> str:
    """Days on which nothing was asked although our half was required; else empty."""
    if not period.unasked_days:
        return ""
    days = count_of(period.unasked_days, "day")
    if period.asked_from is None:
        return f"Nothing was asked on {days} of the window."
    return f"Nothing was asked on {days} of the window: asked from {period.asked_from}."
