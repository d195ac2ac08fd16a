"""Being asked for evidence: asked, answered by attaching, accepted or returned."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import F

from controls.access import is_officer
from controls.approvals import refuse_stale
from controls.control_ids import normalised_id
from controls.errors import NotPermitted, Refused, TransitionNotAllowed
from controls.history.clock import knowledge_now
from controls.models import (
    Actor,
    AuditEvent,
    ControlImplementation,
    Engagement,
    Membership,
    Role,
    System,
    Team,
)
from controls.models.audit import Event, about
from evidence.models import (
    Evidence,
    EvidenceLink,
    EvidenceRequest,
    EvidenceRevision,
    RequestAnswer,
    RequestJudgement,
)
from evidence.models.requests import UNSETTLED, EvidenceRequestState
from evidence.submissions.quotas import count
from evidence.submissions.submit import (
    Proving,
    Submission,
    Upload,
    submitted,
)

MAX_DUE_AHEAD = dt.timedelta(days=731)  # from today to the day a request is due
MAX_CONTROLS = 100


@dataclass(frozen=True)
class RequestDraft:
    """What is asked, about which controls (ids), of whom, by which day (inclusive)."""

    title: str
    control_ids: Sequence[str]
    team: Team
    due_on: dt.date
    what: str = ""
    person: Actor | None = None


def may_request(system: System, by: Actor) -> bool:
    """Whether a person may ask for evidence: an officer, or an auditor let in."""
    return is_officer(by, system) or _audit(system, by) is not None


def require_requester(system: System, by: Actor) -> None:
    """Raise NotPermitted unless `by` may ask for evidence."""
    if not may_request(system, by):
        raise NotPermitted("Only officers and auditors ask for evidence.")


def _audit(system: System, by: Actor) -> Engagement | None:
    roles = by.memberships.active().filter(system=system, role=Role.AUDITOR)
    found: Membership | None = roles.select_related("engagement").first()
    return found.engagement if found else None


@transaction.atomic
def request_evidence(
    system: System, wish: RequestDraft, *, by: Actor
) -> EvidenceRequest:
    """Ask a team to show something. Raises NotPermitted, Refused by field."""
    require_requester(system, by)
    instant = knowledge_now()
    if wish.due_on < system.day_of(instant):
        raise Refused({"due_on": "That day has passed."})
    if wish.due_on > system.day_of(instant) + MAX_DUE_AHEAD:
        raise Refused({"due_on": "Ask for a day within the next two years."})
    _refuse_elsewhere(system, wish)
    controls = named_controls(system, wish.control_ids)
    request = EvidenceRequest(
        system=system,
        asked_by=by,
        engagement=None if is_officer(by, system) else _audit(system, by),
        team=wish.team,
        person=wish.person,
        title=wish.title.strip(),
        what=wish.what.strip(),
        due_on=wish.due_on,
        asked_at=instant,
    )
    request.full_clean(exclude=["asked_by", "known_from"])
    request.save(force_insert=True)
    request.controls.set(controls)
    said = {
        "controls": [control.control.ref_id for control in controls],
        "team": wish.team.slug,
        "due_on": str(wish.due_on),
    }
    AuditEvent.objects.append(about(request, "request.asked", by=by, **said))
    return request


def _refuse_elsewhere(system: System, wish: RequestDraft) -> None:
    """Raise Refused for a team or person that proves nothing in the system."""
    roles = Membership.objects.active().filter(system=system, role=Role.CONTRIBUTOR)
    if not roles.filter(team=wish.team).exists():
        raise Refused({"team": f"Nobody contributes here for {wish.team}."})
    if wish.person and not roles.filter(user=wish.person).exists():
        raise Refused({"person": f"{wish.person} does not contribute here."})


def named_controls(system: System, said: Sequence[str]) -> list[ControlImplementation]:
    """The controls of a system by their ids, however written.

    Raises Refused naming those that are not in its baseline, or where none is named.
    """
    wanted = {normalised_id(each) or each.strip().lower() for each in said}
    wanted.discard("")
    if not wanted:
        raise Refused({"control_ids": "Name at least one control."})
    if len(wanted) > MAX_CONTROLS:
        raise Refused({"control_ids": f"At most {MAX_CONTROLS} in one request."})
    rows = system.implementations.select_related("control").in_catalog_order()
    found = list(rows.filter(control__ref_id__in=wanted))
    unknown = sorted(wanted - {row.control.ref_id for row in found})
    if unknown:
        named = ", ".join(unknown[:20])
        raise Refused({"control_ids": f"Not in the baseline: {named}."})
    return found


def may_answer(request: EvidenceRequest, by: Actor) -> bool:
    """The person asked, contributors of the team asked, and officers."""
    if is_officer(by, request.system):
        return True
    roles = by.memberships.active().filter(
        system=request.system_id, role=Role.CONTRIBUTOR
    )
    if request.person_id == by.pk:
        return bool(roles.exists())
    return bool(roles.filter(team=request.team_id).exists())


def require_answerer(request: EvidenceRequest, by: Actor) -> None:
    """Raise NotPermitted unless `by` may answer."""
    if not may_answer(request, by):
        raise NotPermitted(f"This is asked of {request.team}.")


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
    if any(each.system_id != stored.system_id for each in evidence):
        raise Refused({"evidence": "Evidence stays within its system."})
    revisions = [each.revisions.order_by("-number")[0] for each in evidence]
    AuditEvent.objects.append(_answered(stored, revisions, note, by))
    request.refresh_from_db()


@transaction.atomic
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
    stored = _to_be_answered(request, by)
    links, events = submitted(submission, uploads, proving, by=by, today=today)
    if links[0].system_id != stored.system_id:
        raise Refused("Evidence stays within its system.")
    said = _answered(stored, [links[0].revision], "", by)
    revision = links[0].revision
    count([(revision.evidence.team, uploads)], revision.uploaded_at)
    AuditEvent.objects.append_all([*events, said])
    request.refresh_from_db()
    return links[0]


def _to_be_answered(request: EvidenceRequest, by: Actor) -> EvidenceRequest:
    stored = _locked(request)
    require_answerer(stored, by)
    if stored.state not in UNSETTLED:
        raise TransitionNotAllowed(f"It is {stored.state} already.")
    return stored


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
    _set_state(request, EvidenceRequestState.ANSWERED)
    digests = [revision.digest for revision in revisions]
    return about(request, "request.answered", by=by, digests=digests)


def may_decide_answer(request: EvidenceRequest, by: Actor) -> bool:
    """Whoever asked; else another auditor of the engagement, or another officer."""
    if request.engagement_id:
        roles = by.memberships.active().filter(role=Role.AUDITOR)
        return bool(roles.filter(engagement=request.engagement_id).exists())
    return is_officer(by, request.system)


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

    Raises NotPermitted for others and for whoever answered last,
    TransitionNotAllowed unless it is answered, Refused without a reason to return.
    """
    stored = _locked(request)
    if not may_decide_answer(stored, by):
        raise NotPermitted("Whoever asked decides whether it is answered.")
    if stored.state != EvidenceRequestState.ANSWERED:
        raise TransitionNotAllowed(f"It is {stored.state}: there is nothing to judge.")
    refuse_stale(stored, version)
    last = stored.answers.order_by("pk").last()
    if last and last.answered_by_id == by.pk:
        raise NotPermitted("Somebody other than who answered must judge it.")
    if not accept and not reason.strip():
        raise Refused({"reason": "Say what is still missing."})
    became = EvidenceRequestState.ACCEPTED if accept else EvidenceRequestState.RETURNED
    AuditEvent.objects.append(_judged(stored, became, reason, by))
    request.refresh_from_db()


@transaction.atomic
def cancel(
    request: EvidenceRequest, *, reason: str, by: Actor, version: int | None = None
) -> None:
    """Take a request back, with a reason. Raises as `judge`."""
    stored = _locked(request)
    if not may_decide_answer(stored, by):
        raise NotPermitted("Whoever asked may take it back.")
    if stored.state not in UNSETTLED:
        raise TransitionNotAllowed(f"It is {stored.state} already.")
    refuse_stale(stored, version)
    if not reason.strip():
        raise Refused({"reason": "Say why it is no longer asked."})
    AuditEvent.objects.append(
        _judged(stored, EvidenceRequestState.CANCELLED, reason, by)
    )
    request.refresh_from_db()


def _judged(
    request: EvidenceRequest, became: EvidenceRequestState, reason: str, by: Actor
) -> Event:
    RequestJudgement.objects.create(
        request=request, judged_by=by, became=became, reason=reason.strip()
    )
    _set_state(request, became)
    return about(request, f"request.{became.value}", by=by, reason=reason.strip())


def _set_state(request: EvidenceRequest, state: EvidenceRequestState) -> None:
    request.state = state
    request.version = F("version") + 1
    request.save(update_fields=["state", "version"])


def _locked(request: EvidenceRequest) -> EvidenceRequest:
    locked = EvidenceRequest.objects.select_for_update(of=("self",))
    return locked.select_related("system", "team").get(pk=request.pk)


def offered_to(request: EvidenceRequest, user: Actor) -> Any:
    """Evidence a person may answer with: of the system, newest first."""
    mine = Evidence.objects.visible_to(user).filter(system=request.system_id)
    return mine.select_related("team").order_by("-pk")
