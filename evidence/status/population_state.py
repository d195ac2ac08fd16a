"""What populations show of our half on a day. Pure.

Days are inclusive. Source: rules R13, R14 and R16.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from evidence.status import cadence
from evidence.status.aws_half import HalfResult
from evidence.status.day_ranges import DAY, Days, clip, subtract, united
from evidence.status.duty import grace_of
from evidence.status.events import performing, population_period
from evidence.status.facts import PopulationFacts, RequirementFacts, TermsFacts
from evidence.status.reasons import Reason, reason_for


def population_state(requirement: RequirementFacts, day: dt.date) -> HalfResult:
    """State of an ask per event on a day (R13, R16).

    It holds to the due day of the first period, of the cadence of populations in force
    that day, that ends after the last one performed and not before that cadence began.
    """
    performed = last_performed(requirement, day)
    in_force = _terms_by(requirement, day)[-1]
    if performed is None:
        return _unperformed(requirement, day, in_force)
    begins, ends = performed
    following = max(ends + DAY, _began(requirement, day))
    until = population_period(in_force, following)[1] + DAY * grace_of(in_force)
    notes = _notes(requirement, begins, ends)
    if day > until:
        why = reason_for("population_lapsed", requirement.title, ends=until)
        return HalfResult("lapsed", until, (why, *_gap(requirement, ends), *notes))
    lead = cadence.lead_days(in_force.population_cadence, requirement.lead_days)
    if day > until - DAY * lead:
        why = reason_for("expiring", requirement.title, ends=until)
        return HalfResult("expiring", until, (why, *notes))
    return HalfResult("proven", until, notes)


def last_performed(requirement: RequirementFacts, day: dt.date) -> Days | None:
    """The newest period that had ended by the day and is performed by then."""
    if not requirement.asked_days or not requirement.kept_populations:
        return None
    earliest = min(events.starts for events in requirement.kept_populations)
    for begins, ends, terms in _ended_periods(requirement, day, earliest):
        due = ends + DAY * grace_of(terms)
        needed = clip(requirement.asked_days, begins, ends)
        if needed and performing(requirement.kept_populations, needed, due, day):
            return begins, ends
    return None


def _ended_periods(
    requirement: RequirementFacts, day: dt.date, earliest: dt.date
) -> Iterator[tuple[dt.date, dt.date, TermsFacts]]:
    """Periods of populations that had ended by a day, newest first, each by the terms
    in force on its last day (R14); none that ended before `earliest`."""
    for terms in reversed(_terms_by(requirement, day)):
        if terms.cadence != "per-event":
            continue
        last = min(terms.last, day)
        begins, ends = population_period(terms, last)
        while ends >= max(terms.first, earliest):
            if ends <= last:
                yield begins, ends, terms
            begins, ends = population_period(terms, begins - DAY)


def _terms_by(requirement: RequirementFacts, day: dt.date) -> tuple[TermsFacts, ...]:
    """What was asked to a day, in order, the last of them in force on it."""
    begun = tuple(terms for terms in requirement.terms if terms.first <= day)
    return begun or (
        TermsFacts(
            dt.date.min,
            dt.date.max,
            title=requirement.title,
            cadence=requirement.cadence,
            purpose=requirement.purpose,
            grace_days=requirement.grace_days,
            lead_days=requirement.lead_days,
            population_cadence=requirement.population_cadence,
        ),
    )


def _began(requirement: RequirementFacts, day: dt.date) -> dt.date:
    """From which day on populations have been drawn as often as on a day."""
    *before, in_force = _terms_by(requirement, day)
    began = in_force.first
    for terms in reversed(before):
        if (terms.cadence, terms.population_cadence) != (
            in_force.cadence,
            in_force.population_cadence,
        ):
            break
        began = terms.first
    return began


def _unperformed(
    requirement: RequirementFacts, day: dt.date, in_force: TermsFacts
) -> HalfResult:
    """No period is performed: what is lacking decides between pending and missing."""
    events = requirement.kept_populations
    title = requirement.title
    if not events:
        return HalfResult("missing", None, (reason_for("no_population", title),))
    accepted = [e for e in events if e.state == "accepted"]
    newest = (accepted or events)[-1]
    days = {"start": newest.starts, "end": newest.ends}
    if newest.state == "rejected":
        why = reason_for("population_rejected", title, **days)
        return HalfResult("missing", None, (why,))
    if newest.state == "submitted":
        why = reason_for("population_unreviewed", title, **days)
        return HalfResult("pending", None, (why,))
    notes = _newer(requirement, newest)
    gap = _gap_of_same_days(requirement, newest)
    if gap is not None:
        return HalfResult(gap.state, None, (*gap.reasons, *notes))
    lacking = _days_lacking(requirement, day, in_force)
    return HalfResult("missing", None, (lacking, *notes))


def _days_lacking(
    requirement: RequirementFacts, day: dt.date, in_force: TermsFacts
) -> Reason:
    """Which days no population speaks of, or by when the first period is due."""
    days_asked = [days for days in requirement.asked_days if days[0] <= day]
    begins, ends = population_period(in_force, day)
    covered = united(
        (one.starts, one.ends)
        for one in requirement.kept_populations
        if one.state == "accepted"
    )
    until = day if ends == day else begins - DAY
    lacking = subtract(clip(days_asked, dt.date.min, until), covered)
    if lacking:
        start, end = lacking[-1]
        return reason_for(
            "days_without_population", requirement.title, start=start, end=end
        )
    due = ends + DAY * grace_of(in_force)
    return reason_for("not_yet_due", requirement.title, due=due)


def _gap(requirement: RequirementFacts, performed: dt.date) -> tuple[Reason, ...]:
    """What keeps newer accepted populations from counting."""
    gaps = [
        _gap_of_sample(requirement, events)
        for events in requirement.kept_populations
        if events.state == "accepted" and events.ends > performed
    ]
    return tuple(reason for gap in gaps if gap for reason in gap.reasons)


def _notes(
    requirement: RequirementFacts, begins: dt.date, ends: dt.date
) -> tuple[Reason, ...]:
    """That nothing happened in the period, and what became of newer populations."""
    spoken = [
        events
        for events in requirement.kept_populations
        if events.complete and events.starts <= ends and events.ends >= begins
    ]
    notes: tuple[Reason, ...] = ()
    if spoken and not any(events.rows for events in spoken):
        days = {"start": spoken[0].starts, "end": spoken[-1].ends}
        notes = (reason_for("no_events", requirement.title, **days),)
    return (*notes, *_newer(requirement, spoken[-1])) if spoken else notes


def _newer(
    requirement: RequirementFacts, counting: PopulationFacts
) -> tuple[Reason, ...]:
    """While a newer one waits or was rejected, the accepted one counts to its end."""
    newest = requirement.kept_populations[-1]
    if newest.ends < counting.ends or newest is counting:
        return ()
    if newest.state == "submitted":
        return (reason_for("submitted_unreviewed", requirement.title),)
    if newest.state == "rejected":
        return (reason_for("newer_rejected", requirement.title),)
    return ()


def _gap_of_same_days(
    requirement: RequirementFacts, newest: PopulationFacts
) -> HalfResult | None:
    """What is not shown of the newest accepted population, or of another one of some of
    its days; None: nothing."""
    others = [
        events
        for events in requirement.kept_populations
        if events.state == "accepted"
        and events.starts <= newest.ends
        and events.ends >= newest.starts
    ]
    gaps = (_gap_of_sample(requirement, events) for events in (newest, *others))
    return next((gap for gap in gaps if gap), None)


def _gap_of_sample(
    requirement: RequirementFacts, events: PopulationFacts
) -> HalfResult | None:
    """What is not shown yet of an accepted population; None: nothing."""
    if events.complete:
        return None
    if events.sample is None:
        why = reason_for("no_sample", requirement.title, rows=events.rows)
        return HalfResult("pending", None, (why,))
    counts = {"left": events.open, "waiting": events.waiting, "sample": events.sample}
    if events.waiting >= events.open:
        why = reason_for("sample_waiting", requirement.title, **counts)
        return HalfResult("pending", None, (why,))
    why = reason_for("sample_open", requirement.title, **counts)
    return HalfResult("missing", None, (why,))


def current_deviations(requirement: RequirementFacts, day: dt.date) -> tuple[int, int]:
    """Deviations of the populations of the period in force and later, of how many.

    They cap the verdict while their period is current, also when their list was
    withdrawn or rejected: another list undoes no failure (R16).
    """
    performed = last_performed(requirement, day)
    since = performed[0] if performed else dt.date.min
    current = [
        events
        for events in requirement.populations
        if events.state != "submitted" and events.ends >= since
    ]
    return (
        sum(events.deviations for events in current),
        sum(events.sample or 0 for events in current if events.deviations),
    )
