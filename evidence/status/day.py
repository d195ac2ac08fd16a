"""Is proof of a control current on a day? The specification, free of Django.

Source: rules R11 to R13, R16, R19 and R28 to R30.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from evidence.status import cadence
from evidence.status.aws_half import HalfResult, aws_half, worst
from evidence.status.facts import (
    ControlFacts,
    HalfState,
    LinkFacts,
    PopulationFacts,
    RequirementFacts,
    Verdict,
)
from evidence.status.reasons import Reason, reason_for

DAY = dt.timedelta(days=1)
NOT_REQUIRED = HalfResult("not_required", None, ())
GOOD: frozenset[HalfState] = frozenset({"proven", "expiring"})
DONE = frozenset({"implemented"})


@dataclass(frozen=True, slots=True)
class Status:
    """The verdict on one day, both halves, why, and until when each half holds.

    `until` days are inclusive; None: no end, or nothing holds.
    """

    verdict: Verdict
    aws_half: HalfState
    customer_half: HalfState
    reasons: tuple[Reason, ...] = ()
    customer_until: dt.date | None = None
    aws_until: dt.date | None = None


def status(facts: ControlFacts, day: dt.date) -> Status:
    """Judge one control on one day. Total: never raises for facts it is given."""
    excused = _applicability(facts, day)
    if excused is not None:
        return excused
    aws = aws_half(facts.aws, day) if facts.aws_required else NOT_REQUIRED
    ours = customer_half(facts, day) if facts.customer_required else NOT_REQUIRED
    required = [
        half
        for half, needed in (
            (aws, facts.aws_required),
            (ours, facts.customer_required),
        )
        if needed
    ]
    blockers = _blockers(facts, day)
    verdict = _verdict(required, blockers)
    only = _only_one(facts, aws.state, ours.state)
    return Status(
        verdict,
        aws.state,
        ours.state,
        (*only, *ours.reasons, *aws.reasons, *blockers, *_notes(facts, day)),
        ours.until,
        aws.until,
    )


def _applicability(facts: ControlFacts, day: dt.date) -> Status | None:
    """Not applicable holds while approved, its basis unchanged and its review due."""
    applicability = facts.applicability
    if not applicability.approved or applicability.basis_changed:
        return None
    reasons: tuple[Reason, ...] = ()
    if applicability.review_by and day > applicability.review_by:
        reasons = (reason_for("na_review_due", due=applicability.review_by),)
    return Status("not_applicable", "not_required", "not_required", reasons)


def _verdict(required: list[HalfResult], blockers: tuple[Reason, ...]) -> Verdict:
    """R28; with nothing required there is nothing proven."""
    good = [half.state in GOOD for half in required]
    if not any(good):
        return "unproven"
    return "proven" if all(good) and not blockers else "partly"


def _only_one(
    facts: ControlFacts, aws: HalfState, ours: HalfState
) -> tuple[Reason, ...]:
    if not (facts.aws_required and facts.customer_required):
        return ()
    if aws in GOOD and ours not in GOOD:
        return (reason_for("aws_only"),)
    if ours in GOOD and aws not in GOOD:
        return (reason_for("customer_only"),)
    return ()


def _blockers(facts: ControlFacts, day: dt.date) -> tuple[Reason, ...]:
    """What keeps a control from being proven whatever the evidence says."""
    blockers = []
    if facts.customer_required:
        blockers += [_deviating(r) for r in _deviations(facts, day)]
    if facts.customer_required and (left := _unfinished(facts)):
        blockers.append(_unfinished_because(left))
    if facts.open_findings:
        blockers.append(reason_for("open_finding"))
    if facts.contradicted:
        blockers.append(reason_for("contradicted"))
    if facts.cuec_open:
        blockers.append(reason_for("cuec_open"))
    return tuple(blockers)


def _deviations(facts: ControlFacts, day: dt.date) -> list[RequirementFacts]:
    """Requirements whose current population has items that failed (R16)."""
    return [
        requirement
        for requirement in facts.requirements
        if requirement.operates_on(day)
        and requirement.population
        and requirement.population.deviations
    ]


def _deviating(requirement: RequirementFacts) -> Reason:
    events = requirement.population
    counts = (events.deviations, events.sample) if events else (0, 0)
    return reason_for(
        "deviations", requirement.title, deviations=counts[0], sample=counts[1]
    )


def _unfinished(facts: ControlFacts) -> str | None:
    """The status that says our part is not finished; None when it is."""
    statuses = [facts.implementation_status, facts.worst_part or "implemented"]
    done = DONE | ({"alternative"} if facts.alternative_approved else set())
    return next((stated for stated in statuses if stated not in done), None)


def _unfinished_because(status: str) -> Reason:
    """Nobody has said how far it is, or it is not far enough (R28)."""
    if status == "not-stated":
        return reason_for("not_stated")
    return reason_for("implementation_partial", status=status)


def _notes(facts: ControlFacts, day: dt.date) -> tuple[Reason, ...]:
    """What a person has to decide."""
    notes = []
    if facts.override_expired:
        notes.append(reason_for("override_expired"))
    if facts.applicability.requested:
        notes.append(reason_for("na_requested"))
    if facts.applicability.approved and facts.applicability.basis_changed:
        notes.append(reason_for("na_basis_changed"))
    if facts.responsibility == "unclassified":
        notes.append(reason_for("unclassified"))
    if facts.responsibility == "none" and not facts.applicability.approved:
        notes.append(reason_for("proposed_not_applicable"))
    return tuple(notes)


def customer_half(facts: ControlFacts, day: dt.date) -> HalfResult:
    """State of our half: its worst requirement in operation; none is `missing`."""
    requirements = [r for r in facts.requirements if r.operates_on(day)]
    if not requirements:
        return HalfResult("missing", None, (reason_for("nothing_asked"),))
    results = [requirement_state(result, day) for result in requirements]
    states = [result.state for result in results]
    if facts.type2 and all(r.purpose == "design" for r in requirements):
        states = ["design_only" if state in GOOD else state for state in states]
    ends = [result.until for result in results if result.until is not None]
    reasons = tuple(reason for result in results for reason in result.reasons)
    return HalfResult(worst(states), min(ends, default=None), reasons)


def requirement_state(requirement: RequirementFacts, day: dt.date) -> HalfResult:
    """State of one requirement on a day (R13; populations by R16)."""
    if requirement.cadence == "per-event":
        return _population_state(requirement, requirement.population, day)
    link = requirement.latest_accepted
    if link is None or link.performed_on > day:
        return _unanswered(requirement, day)
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


def _unanswered(requirement: RequirementFacts, day: dt.date) -> HalfResult:
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


def _population_state(
    requirement: RequirementFacts, events: PopulationFacts | None, day: dt.date
) -> HalfResult:
    """R16: an accepted population, and for every sampled item proof or a deviation.

    Without events it is proof itself. It carries as a yearly performance on its last
    day would. Deviations are no gap in proof: they cap the verdict (`_blockers`).
    """
    if events is None:
        return HalfResult(
            "missing", None, (reason_for("no_population", requirement.title),)
        )
    days = {"start": events.starts, "end": events.ends}
    if events.state == "submitted":
        why = reason_for("population_unreviewed", requirement.title, **days)
        return HalfResult("pending", None, (why,))
    if events.state == "rejected":
        why = reason_for("population_rejected", requirement.title, **days)
        return HalfResult("missing", None, (why,))
    notes = _newer_population(requirement, events)
    until = cadence.population_end(events.ends, requirement.grace_days)
    if day > until:
        why = reason_for("population_lapsed", requirement.title, ends=until)
        return HalfResult("lapsed", until, (why, *notes))
    gap = _gap_of_sample(requirement, events)
    if gap is not None:
        return HalfResult(gap.state, None, (*gap.reasons, *notes))
    if events.rows == 0:
        notes = (reason_for("no_events", requirement.title, **days), *notes)
    if day > until - DAY * cadence.lead_days(
        requirement.cadence, requirement.lead_days
    ):
        why = reason_for("expiring", requirement.title, ends=until)
        return HalfResult("expiring", until, (why, *notes))
    return HalfResult("proven", until, notes)


def _newer_population(
    requirement: RequirementFacts, events: PopulationFacts
) -> tuple[Reason, ...]:
    """While a newer one waits or was rejected, the accepted one counts to its end."""
    if events.newer == "submitted":
        return (reason_for("submitted_unreviewed", requirement.title),)
    if events.newer == "rejected":
        return (reason_for("newer_rejected", requirement.title),)
    return ()


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
