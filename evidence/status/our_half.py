"""Does what was asked of us hold on a day: each requirement, and our half. Pure.

Source: rules R13, R14, R16, R19 and R30.
"""

from __future__ import annotations

import datetime as dt

from evidence.status import cadence
from evidence.status.expected import counts_from
from evidence.status.facts import ControlFacts, LinkFacts, RequirementFacts
from evidence.status.half import GOOD, HalfResult, worst
from evidence.status.population_state import population_state
from evidence.status.reasons import Reason, reason_for

DAY = dt.timedelta(days=1)


def customer_half(facts: ControlFacts, day: dt.date) -> HalfResult:
    """State of our half: its worst requirement in operation; none is `missing`."""
    requirements = [r for r in facts.requirements if r.operates_on(day)]
    if not requirements:
        return HalfResult("missing", None, (reason_for("nothing_asked"),))
    results = [requirement_state(result, day) for result in requirements]
    states = [result.state for result in results]
    ends = [result.until for result in results if result.until is not None]
    reasons = tuple(reason for result in results for reason in result.reasons)
    if facts.type2 and all(r.purpose == "design" for r in requirements):
        states = ["design_only" if state in GOOD else state for state in states]
        reasons += tuple(
            reason_for("design_only", requirement.title)
            for requirement, state in zip(requirements, states, strict=True)
            if state == "design_only"
        )
    return HalfResult(worst(states), min(ends, default=None), reasons)


def requirement_state(requirement: RequirementFacts, day: dt.date) -> HalfResult:
    """State of one requirement on a day (R13; populations by R16)."""
    if requirement.cadence == "per-event":
        return population_state(requirement, day)
    link = counting_link(requirement, day)
    if link is None:
        return _unanswered(requirement)
    notes = _waiting(requirement)
    if link.ends is None:
        return HalfResult("proven", None, notes)
    if day > link.ends or link.ends < link.performed_on:
        return _lapsed(requirement, link, day, notes)
    lead = cadence.lead_days(requirement.cadence, requirement.lead_days)
    if day > link.ends - DAY * lead:
        why = reason_for("expiring", requirement.title, ends=link.ends)
        return HalfResult("expiring", link.ends, (why, *notes))
    return HalfResult("proven", link.ends, notes)


def counting_link(requirement: RequirementFacts, day: dt.date) -> LinkFacts | None:
    """The accepted link that holds longest among those that count by the day (R14).

    One brought after its due day, without the reviewer's word that it shows the day of
    its performance, counts from its upload on, and then only to its own end.
    """
    candidates = list(requirement.others_accepted)
    if requirement.latest_accepted is not None:
        candidates.append(requirement.latest_accepted)
    counting = [
        link
        for link in candidates
        if link.performed_on <= day
        and (link.uploaded_on <= day or not _brought_late(requirement, link))
    ]
    return max(
        counting,
        key=lambda link: (link.ends or dt.date.max, link.performed_on, link.link),
        default=None,
    )


def _brought_late(requirement: RequirementFacts, link: LinkFacts) -> bool:
    """Whether it was performed in time, and brought after its due day unconfirmed."""
    due = _due_on(requirement, link)
    return due is not None and counts_from(link, due) > link.performed_on


def _due_on(requirement: RequirementFacts, link: LinkFacts) -> dt.date | None:
    """The day by which it was to be performed; None where nothing says so.

    Yearly that is the last day that the performance before it proves.
    """
    if link.occurrence is not None:
        grace = requirement.grace_days
        if grace is None:
            grace = cadence.default_grace(requirement.cadence)
        if link.occurrence_ends is not None:
            return link.occurrence_ends + DAY * grace
        return cadence.last_day(requirement.cadence, link.occurrence) + DAY * grace
    before = [
        other.ends
        for other in requirement.others_accepted
        if other.performed_on < link.performed_on and other.ends is not None
    ]
    return max(before, default=None)


def _unanswered(requirement: RequirementFacts) -> HalfResult:
    """Nothing accepted counts: waiting for review, or missing."""
    if requirement.submitted:
        return HalfResult("pending", None, _waiting(requirement))
    why = reason_for("never_performed", requirement.title)
    return HalfResult("missing", None, (why,))


def _waiting(requirement: RequirementFacts) -> tuple[Reason, ...]:
    notes = []
    if requirement.submitted:
        notes.append(reason_for("submitted_unreviewed", requirement.title))
    if requirement.newer_rejected:
        notes.append(reason_for("newer_rejected", requirement.title))
    return tuple(notes)


def _lapsed(
    requirement: RequirementFacts,
    link: LinkFacts,
    day: dt.date,
    notes: tuple[Reason, ...],
) -> HalfResult:
    """The occurrence after the last one performed was not performed by its due day."""
    ends = link.ends or link.performed_on
    why = reason_for(
        "overdue",
        f"{requirement.title}{_missing_period(requirement, link)}",
        due=ends,
        days=(day - ends).days,
    )
    return HalfResult("lapsed", ends, (why, *notes))


def _missing_period(requirement: RequirementFacts, link: LinkFacts) -> str:
    """`, October 2026`: the period whose performance is missing, where one is named."""
    if link.occurrence is None or requirement.cadence not in cadence.MONTHS:
        return ""
    following = cadence.last_day(requirement.cadence, link.occurrence) + DAY
    if requirement.cadence == "monthly":
        return f", {following:%B %Y}"
    return f", from {following:%B %Y}"
