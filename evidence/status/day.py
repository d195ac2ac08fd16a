"""Is proof of a control current on a day? The specification, free of Django.

Source: rules R10 to R14, R16, R19 and R28 to R30.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from evidence.status import cadence
from evidence.status.aws_half import HalfResult, ProviderResult, aws_half, worst
from evidence.status.expected import counts_from
from evidence.status.facts import (
    ControlFacts,
    HalfState,
    LinkFacts,
    RequirementFacts,
    Verdict,
)
from evidence.status.population_state import current_deviations, population_state
from evidence.status.reasons import Reason, reason_for

DAY = dt.timedelta(days=1)
NOT_REQUIRED = HalfResult("not_required", None, ())
GOOD: frozenset[HalfState] = frozenset({"proven", "expiring"})
DONE = frozenset({"implemented"})


@dataclass(frozen=True, slots=True)
class Status:
    """The verdict on one day, both halves, why, and until when each half holds.

    `until` days are inclusive; None: no end, or nothing holds. `providers` tells the
    parts of the providers' half apart.
    """

    verdict: Verdict
    aws_half: HalfState
    customer_half: HalfState
    reasons: tuple[Reason, ...] = ()
    customer_until: dt.date | None = None
    aws_until: dt.date | None = None
    providers: tuple[ProviderResult, ...] = ()


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
    blocked = blockers(facts, day)
    verdict = _verdict(required, blocked)
    only = _only_one(facts, aws.state, ours.state)
    return Status(
        verdict,
        aws.state,
        ours.state,
        (*only, *ours.reasons, *aws.reasons, *blocked, *_notes(facts, day)),
        ours.until,
        aws.until,
        aws.providers,
    )


def _applicability(facts: ControlFacts, day: dt.date) -> Status | None:
    """Not applicable holds to its review, while its basis is the same (R10)."""
    applicability = facts.applicability
    if not applicability.approved or applicability.basis_changed:
        return None
    if _review_due(facts, day):
        return None
    return Status("not_applicable", "not_required", "not_required")


def _review_due(facts: ControlFacts, day: dt.date) -> bool:
    review_by = facts.applicability.review_by
    return review_by is not None and day > review_by


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


def blockers(facts: ControlFacts, day: dt.date) -> tuple[Reason, ...]:
    """What keeps a control from being proven whatever the evidence says (R28)."""
    reasons = []
    if facts.customer_required:
        reasons += _deviations(facts, day)
    if facts.customer_required and (left := _unfinished(facts)):
        reasons.append(_unfinished_because(left))
    if facts.open_findings:
        reasons.append(reason_for("open_finding"))
    if facts.contradicted:
        reasons.append(reason_for("contradicted"))
    if facts.cuec_open:
        reasons.append(reason_for("cuec_open"))
    return tuple(reasons)


def _deviations(facts: ControlFacts, day: dt.date) -> list[Reason]:
    """Items of samples that failed, while their period is current (R16)."""
    reasons = []
    for requirement in facts.requirements:
        if requirement.cadence != "per-event" or not requirement.operates_on(day):
            continue
        deviations, sample = current_deviations(requirement, day)
        if deviations:
            counts = {"deviations": deviations, "sample": sample}
            reasons.append(reason_for("deviations", requirement.title, **counts))
    return reasons


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
    if facts.applicability.approved:
        if facts.applicability.basis_changed:
            notes.append(reason_for("na_basis_changed"))
        if _review_due(facts, day):
            due = facts.applicability.review_by
            notes.append(reason_for("na_review_due", due=due))
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
