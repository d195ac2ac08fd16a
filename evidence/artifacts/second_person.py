"""What came after the review of a report waits for a second person (R24, R32).

One mechanism for letters and for citations: a review that relies on a report decides
on what was there when it was made; whatever comes later, or by the reviewer, waits in
each system that relies on the report until somebody else accepts or rejects it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from typing import Any, Literal

from django.db.models import Q

from controls.errors import NotPermitted, Refused, TransitionNotAllowed
from controls.history.clock import knowledge_now
from controls.models import Actor, Role, System
from evidence.models import (
    ArtifactVersion,
    LetterAcceptance,
    RelianceConclusion,
    RelianceReview,
)
from evidence.models.artifacts import ArtifactVersionState
from evidence.models.reviews import ReviewDecision

# `with-report`: the next review of the report decides on it as well.
StandingState = Literal["accepted", "rejected", "waiting", "with-report"]
UNDECIDED: tuple[StandingState, ...] = ("waiting", "with-report")
REVIEWING = [Role.REVIEWER, Role.OFFICER]


def reports_with_a_hand_of(user: Actor) -> set[int]:
    """Keys of the reports that somebody else reviews: the person registered them or
    their series, which says what kind of report it is, set their scope, or recorded
    that their auditor withdrew them. One statement."""
    mine = (
        Q(registered_by=user.pk)
        | Q(artifact__registered_by=user.pk)
        | Q(scope_settings__set_by=user.pk)
        | Q(state=ArtifactVersionState.WITHDRAWN, ended_by=user.pk)
    )
    reports = ArtifactVersion.objects.filter(mine).order_by()
    return set(reports.values_list("pk", flat=True))


def deciding_review(
    reviews: Iterable[RelianceReview],
    known_from: dt.datetime,
    registrars: Collection[int],
) -> RelianceReview | None:
    """The first review that relies, made after it was there, and by somebody else."""
    for review in reviews:
        if (
            review.conclusion != RelianceConclusion.DO_NOT_RELY
            and review.known_from > known_from
            and review.reviewer_id not in registrars
        ):
            return review
    return None


def require_reviewer(
    system: System, registrars: Collection[int], *, by: Actor, sentence: str
) -> None:
    """Raise NotPermitted, with the sentence for one of the registrars, unless `by`
    reviews for the system and had no hand in it."""
    if by.pk in registrars:
        raise NotPermitted(sentence)
    if not System.objects.held_as(by, REVIEWING).filter(pk=system.pk).exists():
        raise NotPermitted("You are not a reviewer of this system.")


def require_waiting(state: StandingState, word: str) -> None:
    """Raise TransitionNotAllowed unless it waits; `word` is "letter" or "citation"."""
    if state == "with-report":
        raise TransitionNotAllowed(
            "This system does not rely on the report; reviewing the report decides on"
            f" its {word}s as well."
        )
    if state != "waiting":
        raise TransitionNotAllowed(f"This {word} is already {state} here.")


def record_decisions(
    subjects: Sequence[dict[str, Any]],
    system: System,
    *,
    decision: str,
    reason: str,
    by: Actor,
) -> list[LetterAcceptance]:
    """Save one decision on each subject: a letter or citation with its registrars.

    Raises Refused for a rejection without a reason, ValidationError.
    """
    if decision == ReviewDecision.REJECT and not reason.strip():
        raise Refused({"reason": "A rejection says why."})
    today = system.day_of(knowledge_now())
    acceptances = [
        LetterAcceptance(
            **subject,
            system=system,
            reviewer=by,
            decision=decision,
            reason=reason.strip(),
            decided_on=today,
            reviewer_name=str(by),
        )
        for subject in subjects
    ]
    for acceptance in acceptances:
        acceptance.full_clean()
    return LetterAcceptance.objects.bulk_create(acceptances)
