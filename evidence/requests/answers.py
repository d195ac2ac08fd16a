"""Answers to requests for evidence: given by attaching, accepted or returned."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db import transaction

from controls.approvals import refuse_stale
from controls.errors import Refused, TransitionNotAllowed
from controls.models import Actor, AuditEvent
from controls.models.audit import Event, about
from evidence.models import (
    Evidence,
    EvidenceLink,
    EvidenceRequest,
    EvidenceRevision,
    RequestAnswer,
)
from evidence.models.requests import UNSETTLED, EvidenceRequestState
from evidence.requests.requests import locked, record_decision, set_state
from evidence.requests.who_may import require_answer_decider, require_answerer
from evidence.submissions.quotas import count
from evidence.submissions.submission import Submission
from evidence.submissions.submit import Proving, bring, submitted
from evidence.submissions.uploads import Upload


@transaction.atomic
def answer(
    request: EvidenceRequest,
    evidence: Sequence[Evidence],
    *,
    note: str = "",
    by: Actor,
    version: int | None = None,
) -> None:
    """Answer with evidence that is here already: the newest revision of each.

    Raises NotPermitted, TransitionNotAllowed once it is settled, StaleVersion, and
    Refused where nothing is attached or something is of another system.
    """
    stored = _to_be_answered(request, by)
    refuse_stale(stored, version)
    if not evidence:
        raise Refused({"evidence": "Attach at least one piece of evidence."})
    if any(item.system_id != stored.system_id for item in evidence):
        raise Refused({"evidence": "Evidence stays within its system."})
    revisions = [item.revisions.order_by("-number")[0] for item in evidence]
    AuditEvent.objects.append(_answered(stored, revisions, note, by))
    request.refresh_from_db()


def answer_by_upload(
    request: EvidenceRequest,
    submission: Submission,
    uploads: Sequence[Upload],
    proving: Proving,
    *,
    by: Actor,
    today: dt.date,
) -> EvidenceLink:
    """Submit new evidence and answer with it, in one step. Returns the first link."""
    bring_answer(request, submission, uploads, proving, by=by, today=today)
    return _recorded(request, submission, uploads, proving, by=by, today=today)


def bring_answer(
    request: EvidenceRequest,
    submission: Submission,
    uploads: Sequence[Upload],
    proving: Proving,
    *,
    by: Actor,
    today: dt.date,
) -> None:
    """As `bring`, of what is to answer a request."""
    _refuse_settled(EvidenceRequest.objects.get(pk=request.pk), by)
    bring(submission, uploads, proving, by=by, today=today)


@transaction.atomic
def _recorded(
    request: EvidenceRequest,
    submission: Submission,
    uploads: Sequence[Upload],
    proving: Proving,
    *,
    by: Actor,
    today: dt.date,
) -> EvidenceLink:
    stored = _to_be_answered(request, by)
    links, events = submitted(submission, uploads, proving, by=by, today=today)
    if links[0].system_id != stored.system_id:
        raise Refused("Evidence stays within its system.")
    answered = _answered(stored, [links[0].revision], "", by)
    revision = links[0].revision
    count([(revision.evidence.team, uploads)], revision.uploaded_at)
    AuditEvent.objects.append_all([*events, answered])
    request.refresh_from_db()
    return links[0]


def _to_be_answered(request: EvidenceRequest, by: Actor) -> EvidenceRequest:
    stored = locked(request)
    _refuse_settled(stored, by)
    return stored


def _refuse_settled(request: EvidenceRequest, by: Actor) -> None:
    require_answerer(request, by)
    if request.state not in UNSETTLED:
        raise TransitionNotAllowed(f"This request is {request.state} already.")


def _answered(
    request: EvidenceRequest, revisions: list[EvidenceRevision], note: str, by: Actor
) -> Event:
    """Record the answers; the event is returned, to be written last."""
    for revision in revisions:
        row = RequestAnswer(
            request=request, revision=revision, answered_by=by, note=note.strip()
        )
        row.full_clean(exclude=["answered_by", "known_from"])
        row.save(force_insert=True)
    set_state(request, EvidenceRequestState.ANSWERED)
    digests = [revision.digest for revision in revisions]
    return about(request, "request.answered", by=by, digests=digests)


@transaction.atomic
def decide_answer(
    request: EvidenceRequest,
    *,
    accept: bool,
    reason: str = "",
    by: Actor,
    version: int | None = None,
) -> None:
    """Accept the answer, or return it with a reason.

    Raises NotPermitted for others and for whoever gave an answer,
    TransitionNotAllowed unless it is answered, Refused without a reason to return.
    """
    stored = locked(request)
    require_answer_decider(stored, by)
    if stored.state != EvidenceRequestState.ANSWERED:
        raise TransitionNotAllowed(
            f"This request is {stored.state}: there is nothing to judge."
        )
    refuse_stale(stored, version)
    if not accept and not reason.strip():
        raise Refused({"reason": "Say what is still missing."})
    state = EvidenceRequestState.ACCEPTED if accept else EvidenceRequestState.RETURNED
    AuditEvent.objects.append(record_decision(stored, state, reason, by))
    request.refresh_from_db()
