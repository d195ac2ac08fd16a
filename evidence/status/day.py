"""Is proof of a control current on a day? The specification, free of Django.

Source: rules R10 to R14, R16, R19, R28 to R30 and R36.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from evidence.status.aws_half import aws_half
from evidence.status.facts import ControlFacts, HalfState, Verdict
from evidence.status.finding_days import is_overdue, open_on
from evidence.status.half import GOOD, HalfResult, ProviderResult
from evidence.status.our_half import customer_half
from evidence.status.population_state import current_deviations
from evidence.status.reasons import Reason, reason_for
from evidence.status.values import value

NOT_REQUIRED = HalfResult("not_required", None, ())
DONE = frozenset({"implemented"})


@value
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
    aws = aws_half(facts.aws, day) if facts.aws_required else NOT_REQUIRED
    return _status(facts, day, aws)


def statuses(
    facts_by_key: Mapping[int, ControlFacts], day: dt.date
) -> dict[int, Status]:
    """The same for many controls by their keys: providers' halves of controls that
    share their facts about it, as one gatherer gives them, are judged once."""
    halves: dict[int, HalfResult] = {}
    judged = {}
    for key, facts in facts_by_key.items():
        aws = NOT_REQUIRED
        if facts.aws_required:
            shared = id(facts.aws)
            if shared not in halves:
                halves[shared] = aws_half(facts.aws, day)
            aws = halves[shared]
        judged[key] = _status(facts, day, aws)
    return judged


def _status(facts: ControlFacts, day: dt.date, aws: HalfResult) -> Status:
    excused = _applicability(facts, day)
    if excused is not None:
        return excused
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
    reasons += _findings(facts, day)
    if facts.cuec_open:
        reasons.append(reason_for("cuec_open"))
    return tuple(reasons)


def _findings(facts: ControlFacts, day: dt.date) -> list[Reason]:
    """Findings that are open that day, those that are overdue, and failing observations
    that nothing was made of (R28, R36)."""
    reasons = []
    if still_open := open_on(facts.findings, day):
        titles = ", ".join(f"“{finding.title}”" for finding in still_open)
        reasons.append(reason_for("open_finding", titles))
    for finding in still_open:
        if finding.due_on and is_overdue(finding, day):
            days = (day - finding.due_on).days
            due = {"due": finding.due_on, "days": days}
            reasons.append(reason_for("poam_overdue", finding.title, **due))
    if observed := [first for first in facts.contradicted if first <= day]:
        reasons.append(reason_for("contradicted", observed=min(observed)))
    return reasons


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
