"""Answers to what reports say, each for one system, and who decides on them.

A system's officer answers a carved-out subservice organisation and an exception; the
answer counts once a second person has accepted it (R20, R24, R32).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from controls.access import require_officer
from controls.errors import Refused, TransitionNotAllowed
from controls.history.clock import knowledge_now
from controls.models import Actor, AuditEvent, Role, System
from controls.models.audit import about
from evidence.artifacts.second_person import REVIEWING, require_reviewer
from evidence.models import (
    ArtifactVersion,
    RelianceConclusion,
    RelianceReview,
    RemarkAnswer,
    RemarkChoice,
    RemarkDecision,
    RemarkKind,
    ReportRemark,
)
from evidence.models.artifacts import ArtifactVersionState
from evidence.models.reviews import ReviewDecision

ANSWERED = (RemarkKind.SUBSERVICE, RemarkKind.EXCEPTION)
CHOICES = {
    RemarkKind.SUBSERVICE: (RemarkChoice.PROVIDER, RemarkChoice.NOT_NEEDED),
    RemarkKind.EXCEPTION: (RemarkChoice.RESPONSE,),
}


@dataclass(frozen=True)
class RemarkStanding:
    """Where a remark stands in one system: the answer that counts, and one that waits.

    `open`: nothing that counts; a user control is never open here, it is mapped.
    """

    remark: ReportRemark
    system: System
    accepted: RemarkAnswer | None
    waiting: RemarkAnswer | None

    @property
    def open(self) -> bool:
        """Whether the verdict waits for an answer."""
        return self.remark.kind in ANSWERED and self.accepted is None


def remark_standings(
    remarks: Iterable[ReportRemark], systems: Iterable[System]
) -> list[RemarkStanding]:
    """Each remark in each system, in their order. One statement."""
    remarks, systems = list(remarks), list(systems)
    answers: dict[tuple[int, int], list[RemarkAnswer]] = {}
    rows = RemarkAnswer.objects.filter(remark__in=remarks, system__in=systems)
    for answer in rows.for_listing():
        answers.setdefault((answer.remark_id, answer.system_id), []).append(answer)
    return [
        _standing(remark, system, answers.get((remark.pk, system.pk), []))
        for remark in remarks
        for system in systems
    ]


def _standing(
    remark: ReportRemark, system: System, answers: list[RemarkAnswer]
) -> RemarkStanding:
    accepted = [a for a in answers if _decision(a) == ReviewDecision.ACCEPT]
    waiting = [a for a in answers if _decision(a) is None]
    newest = max(accepted, key=lambda answer: answer.decision.pk, default=None)
    return RemarkStanding(remark, system, newest, waiting[-1] if waiting else None)


def _lock_report(remark: ReportRemark) -> None:
    """The report's row is the lock of what it says: remarks are append-only."""
    reports = ArtifactVersion.objects.select_for_update(of=("self",))
    reports.get(pk=remark.artifact_version_id)


def _decision(answer: RemarkAnswer) -> str | None:
    decided = getattr(answer, "decision", None)
    return decided.decision if decided else None


@transaction.atomic
def answer_remark(
    remark: ReportRemark, system: System, *, choice: str, text: str, by: Actor
) -> RemarkAnswer:
    """Answer a carve-out or an exception for one system; a second person decides.

    Raises NotPermitted unless `by` is an officer of the system, TransitionNotAllowed
    while another answer waits, Refused for a choice that is none or without words.
    """
    _lock_report(remark)
    stored = ReportRemark.objects.get(pk=remark.pk)
    require_officer(system, by)
    if choice not in CHOICES.get(RemarkKind(stored.kind), ()):
        raise Refused({"choice": "That answer does not fit this remark."})
    if not text.strip():
        raise Refused({"text": "Say why, for whoever decides on it."})
    (standing,) = remark_standings([stored], [system])
    if standing.waiting:
        raise TransitionNotAllowed("An answer waits for a second person already.")
    answer = RemarkAnswer(
        remark=stored,
        system=system,
        answered_by=by,
        choice=choice,
        text=text.strip(),
        answered_on=system.day_of(knowledge_now()),
        answerer_name=str(by),
    )
    answer.full_clean()
    answer.save(force_insert=True)
    AuditEvent.objects.append(
        about(answer, "remark.answered", by=by, remark=str(stored.uuid), choice=choice)
    )
    return answer


def require_decider(answer: RemarkAnswer, *, by: Actor) -> None:
    """Raise NotPermitted unless `by` reviews for the system, never answered the remark
    there, also not with an answer that was rejected, and did not register it (R32)."""
    answers = RemarkAnswer.objects.filter(remark=answer.remark, system=answer.system)
    require_reviewer(
        answer.system,
        {
            answer.remark.registered_by_id,
            *answers.values_list("answered_by", flat=True),
        },
        by=by,
        sentence="You answered or registered this; somebody else must decide on it.",
    )


@transaction.atomic
def decide_answer(
    answer: RemarkAnswer, *, decision: str, reason: str = "", by: Actor
) -> RemarkDecision:
    """Accept or reject an answer, as known from now on.

    Raises NotPermitted, TransitionNotAllowed when it is decided, Refused for a
    rejection without a reason.
    """
    _lock_report(answer.remark)
    require_decider(answer, by=by)
    if RemarkDecision.objects.filter(answer=answer).exists():
        raise TransitionNotAllowed("This answer is decided already.")
    if decision == ReviewDecision.REJECT and not reason.strip():
        raise Refused({"reason": "A rejection says why."})
    decided = RemarkDecision(
        answer=answer,
        system=answer.system,
        reviewer=by,
        answered_by_id=answer.answered_by_id,
        registered_by_id=answer.remark.registered_by_id,
        decision=decision,
        reason=reason.strip(),
        decided_on=answer.system.day_of(knowledge_now()),
        reviewer_name=str(by),
    )
    decided.full_clean()
    decided.save(force_insert=True)
    AuditEvent.objects.append(
        about(
            decided,
            "remark.answer-decided",
            by=by,
            decision=decision,
            remark=str(answer.remark.uuid),
        )
    )
    return decided


def remarks_to_answer(user: Actor) -> list[RemarkStanding]:
    """Carve-outs and exceptions of reports that systems of this officer rely on, and
    that nobody has answered there yet; none of a report that its auditor withdrew."""
    systems = list(System.objects.held_as(user, [Role.OFFICER]))
    remarks = (
        ReportRemark.objects.filter(kind__in=ANSWERED)
        .filter(artifact_version__reliance_reviews__system__in=systems)
        .exclude(artifact_version__state=ArtifactVersionState.WITHDRAWN)
        .for_listing()
        .distinct()
    )
    reviews = RelianceReview.objects.filter(system__in=systems)
    relying = reviews.exclude(conclusion=RelianceConclusion.DO_NOT_RELY)
    relied = set(relying.values_list("artifact_version_id", "system_id"))
    return [
        standing
        for standing in remark_standings(remarks, systems)
        if standing.open
        and standing.waiting is None
        and (standing.remark.artifact_version_id, standing.system.pk) in relied
    ]


def answers_to_decide(user: Actor) -> QuerySet[RemarkAnswer]:
    """Answers that wait for this person: of a system, and with no hand in them, nor in
    an earlier answer to the same remark there."""
    systems = System.objects.held_as(user, REVIEWING)
    rows = RemarkAnswer.objects.filter(system__in=systems, decision=None)
    answered = RemarkAnswer.objects.filter(
        remark=OuterRef("remark"), system=OuterRef("system"), answered_by=user.pk
    )
    mine = Q(remark__registered_by=user.pk) | Exists(answered)
    waiting: QuerySet[RemarkAnswer] = rows.exclude(mine).for_listing()
    return waiting
