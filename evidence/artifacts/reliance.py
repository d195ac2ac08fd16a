"""Reliance reviews: one system's reading of one report, by a second person."""

from __future__ import annotations

import re
from collections.abc import Collection

from django.db import transaction

from controls.errors import NotPermitted, Refused, StaleVersion
from controls.history.clock import knowledge_now
from controls.models import Actor, AuditEvent, Role, System
from controls.models.audit import about
from evidence.artifacts.letters import undecided_letters
from evidence.artifacts.register import refuse_withdrawn
from evidence.artifacts.second_person import reports_with_a_hand_of
from evidence.models import ArtifactVersion, RelianceReview
from evidence.models.reliance import RelianceConclusion

# What an auditor says who found nothing to except, in the words of SOC and of ISAE;
# whatever else is stated qualifies the report, or denies that it is fair (R20).
UNQUALIFIED = re.compile(r"(unqualified|unmodified)( opinion)?\.?", re.IGNORECASE)


def require_reliance_reviewer(
    system: System, version: ArtifactVersion, *, by: Actor
) -> None:
    """Raise NotPermitted unless `by` reviews for the system, and neither registered
    the report or its series, nor set its scope, nor recorded its withdrawal."""
    if version.pk in reports_with_a_hand_of(by):
        raise NotPermitted(
            "You registered this report or its series, set its scope, or recorded that"
            " it was withdrawn; somebody else must review whether to rely on it."
        )
    held = System.objects.held_as(by, [Role.REVIEWER, Role.OFFICER])
    if not held.filter(pk=system.pk).exists():
        raise NotPermitted("You are not a reviewer of this system.")


@transaction.atomic
def record_reliance(
    version: ArtifactVersion,
    system: System,
    *,
    conclusion: str,
    scope_note: str,
    period_note: str,
    exceptions_note: str = "",
    cuec_note: str = "",
    letters_shown: Collection[str] | None = None,
    seen_version: int | None = None,
    by: Actor,
) -> RelianceReview:
    """Record whether a system relies on a report, and what was read to say so (R24).

    Refuses who registered it or its series or set its scope, and a review without a
    word about scope and period; TransitionNotAllowed for relying on one that its
    auditor withdrew. A later review replaces an earlier one; both stay on
    record. Raises StaleVersion for a report that is another than `seen_version` (its
    scope was set, or it ended), and for a letter that it would decide on as well and
    whose uuid is not among `letters_shown`; None: the caller has read what there is.
    """
    stored = ArtifactVersion.objects.select_for_update(of=("self",)).get(pk=version.pk)
    require_reliance_reviewer(system, stored, by=by)
    if seen_version is not None and seen_version != stored.version:
        raise StaleVersion(
            "This report changed since you opened it: its scope was set, or it ended."
            " Read it again."
        )
    if conclusion != RelianceConclusion.DO_NOT_RELY:
        refuse_withdrawn(stored, "there is nothing left to rely on")
    _refuse_unread(scope_note, period_note)
    _refuse_against_opinion(stored.opinion, conclusion)
    if letters_shown is not None:
        _refuse_unseen_letters(system, stored, letters_shown, by)
    review = RelianceReview(
        artifact_version=stored,
        system=system,
        reviewer=by,
        registered_by_id=stored.registered_by_id,
        conclusion=conclusion,
        scope_note=scope_note.strip(),
        period_note=period_note.strip(),
        exceptions_note=exceptions_note.strip(),
        cuec_note=cuec_note.strip(),
        reviewed_on=system.day_of(knowledge_now()),
        reviewer_name=str(by),
    )
    review.full_clean()
    review.save(force_insert=True)
    AuditEvent.objects.append(
        about(
            review,
            "reliance.recorded",
            by=by,
            conclusion=conclusion,
            report=str(stored.uuid),
        )
    )
    return review


def _refuse_against_opinion(opinion: str, conclusion: str) -> None:
    """An opinion other than unqualified needs our response; one that is not stated is
    for the reviewer to read."""
    stated = opinion.strip()
    if not stated or UNQUALIFIED.fullmatch(stated):
        return
    if conclusion == RelianceConclusion.RELY:
        sentence = (
            f"The auditor's opinion is “{opinion}”: it cannot be relied on as it is."
            " Rely with a response, or do not rely."
        )
        raise Refused({"conclusion": sentence})


def _refuse_unseen_letters(
    system: System, report: ArtifactVersion, shown: Collection[str], by: Actor
) -> None:
    """Letters registered since the reviewer opened the page (R24)."""
    for row in undecided_letters(system, report):
        letter = row.letter
        if by.pk not in letter.registrars and str(letter.uuid) not in shown:
            raise StaleVersion(
                f"The letter of {letter.issued_on} was registered since you opened this"
                " page, and your review decides on it as well. Read it first."
            )


def _refuse_unread(scope_note: str, period_note: str) -> None:
    missing = {}
    if not scope_note.strip():
        missing["scope_note"] = (
            "Say which of your services and regions are in its scope."
        )
    if not period_note.strip():
        missing["period_note"] = "Say how its period lies against your audit window."
    if missing:
        raise Refused(missing)
