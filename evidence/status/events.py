"""What happened per event: populations and the days of a window they cover. Pure.

Days are inclusive. Source: rules R12 to R14 and R16.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

from evidence.status import cadence
from evidence.status.day_ranges import DAY, Days, clip, count, covers, subtract, united
from evidence.status.duty import (
    AskedPeriod,
    asked_days,
    event_days,
    grace_of,
    standing_days,
)
from evidence.status.facts import (
    PeriodFacts,
    PopulationFacts,
    RequirementHistory,
    TermsFacts,
)
from evidence.status.occurrence_results import EventDays, OccurrenceResult, Outcome


def drawn_late(events: PopulationFacts, due: dt.date) -> bool:
    """Whether it was drawn after the due day, and nobody confirmed that it shows its
    days itself: then it counts from the day on which it was drawn only.
    """
    return events.drawn_on > due and not events.day_confirmed


def performing(
    populations: Iterable[PopulationFacts],
    needed: Sequence[Days],
    due: dt.date,
    today: dt.date,
) -> list[PopulationFacts]:
    """Accepted populations known by `today` that together cover the days, those drawn
    earliest first; none where they do not, or where one that speaks of these days has
    no sample or an open item: another list beside it excuses nothing (R16).
    """
    counting = [
        events
        for events in populations
        if events.state == "accepted"
        and clip(needed, events.starts, events.ends)
        and (not drawn_late(events, due) or events.drawn_on <= today)
    ]
    if not all(events.complete for events in counting):
        return []
    used: list[PopulationFacts] = []
    for events in sorted(
        counting, key=lambda e: (drawn_late(e, due), e.drawn_on, e.ends)
    ):
        used.append(events)
        if covers([(e.starts, e.ends) for e in used], needed):
            return used
    return []


def judge_events(
    history: RequirementHistory,
    period: AskedPeriod,
    days_asked: Sequence[Days],
    today: dt.date,
) -> OccurrenceResult:
    """What became of one period of populations.

    `days_asked` are all days asked per event. It is performed as of its last day once
    complete populations cover those of the period.
    """
    due = period.due_on
    touching = tuple(
        events
        for events in history.populations
        if events.counts
        and events.starts <= period.ends
        and events.ends >= period.begins
    )
    needed = clip(days_asked, period.begins, period.ends)
    used = performing(touching, needed, due, today) if today >= period.ends else []
    outcome: Outcome = "missed" if today > due else "not_yet_due"
    late = recorded = 0
    if used:
        last_drawn = max(events.drawn_on for events in used)
        recorded = max(0, (last_drawn - due).days)
        late = recorded if any(drawn_late(events, due) for events in used) else 0
        outcome = "late" if late else "on_time"
    if period.cut_short:
        outcome = "cut_short"
    return OccurrenceResult(
        requirement=history.uuid,
        title=period.terms.title,
        starts=period.begins,
        ends=period.ends,
        due_on=due,
        outcome=outcome,
        asked_days=period.asked_days,
        performed_on=period.ends if used else None,
        late_days=late,
        recorded_late_days=recorded if outcome == "on_time" else 0,
        populations=touching,
        per_event=True,
    )


def populations_of(
    facts: PeriodFacts, start: dt.date, end: dt.date
) -> list[PopulationFacts]:
    """Populations that count and speak of days of the window asked per event, in the
    order of the asks.
    """
    standing = standing_days(facts.required, facts.not_applicable)
    return [
        events
        for history in facts.requirements
        for events in history.populations
        if events.counts
        and clip(
            clip(event_days(history.terms, asked_days(history, standing)), start, end),
            events.starts,
            events.ends,
        )
    ]


def days_of_events(
    facts: PeriodFacts, start: dt.date, end: dt.date, today: dt.date
) -> EventDays:
    """Every day of the window asked per event: covered, open or not yet due.

    A day is covered by an accepted population, whatever became of its sample.
    """
    standing = standing_days(facts.required, facts.not_applicable)
    covered = waiting = 0
    open_ranges: list[tuple[str, Days]] = []
    for history in facts.requirements:
        days_asked = event_days(history.terms, asked_days(history, standing))
        open_days: list[Days] = []
        for piece, due in _by_period(history, clip(days_asked, start, end)):
            accepted = [
                (events.starts, events.ends)
                for events in history.populations
                if events.state == "accepted"
                and (not drawn_late(events, due) or events.drawn_on <= today)
            ]
            lacking = subtract([piece], clip(accepted, start, min(end, today)))
            covered += count([piece]) - count(lacking)
            if today > due:
                open_days += lacking
            else:
                waiting += count(lacking)
        open_ranges += [(history.title, days) for days in united(open_days)]
    opened = count(days for _, days in open_ranges)
    return EventDays(covered, opened, waiting, tuple(open_ranges))


def _by_period(
    history: RequirementHistory, days: Iterable[Days]
) -> Iterable[tuple[Days, dt.date]]:
    """The days cut where their periods end, each with its period's due day.

    All of them are asked per event, by the terms in force on each.
    """
    for start, last in days:
        first = start
        while first <= last:
            until, due = _period_of(history, first)
            yield (first, min(last, until)), due
            first = until + DAY


def _period_of(history: RequirementHistory, day: dt.date) -> Days:
    """To which day the period of a day asked per event reaches, and its due day.

    By the terms of the period's last day, where those ask per event, too (R14). Where
    no period holds the day since the cadence changes within it, that of the day's own
    terms decides, up to the next period that there is.
    """
    own = history.terms_on(day)
    assert own is not None  # the day is asked
    ends = population_period(own, day)[1]
    then = history.terms_on(ends)
    if then is None or then.cadence != "per-event":
        return ends, ends + DAY * grace_of(own)
    if then.population_cadence == own.population_cadence:
        return ends, ends + DAY * grace_of(then)
    of_new = population_period(then, day)[1]
    there = history.terms_on(of_new)
    if there is not None and there.population_cadence == then.population_cadence:
        return of_new, of_new + DAY * grace_of(there)
    return min(ends, of_new), ends + DAY * grace_of(own)


def population_period(terms: TermsFacts, day: dt.date) -> Days:
    """The calendar period of populations that holds a day, by these terms."""
    begins = cadence.occurrence_of(terms.population_cadence, day)
    assert begins is not None  # populations have calendar periods
    return begins, cadence.last_day(terms.population_cadence, begins)
