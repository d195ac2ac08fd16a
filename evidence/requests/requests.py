"""Requests for evidence: asked of a team, or taken back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import F, Q

from controls.access import is_officer
from controls.approvals import refuse_stale
from controls.control_ids import normalised_id
from controls.errors import Refused, TransitionNotAllowed
from controls.history.clock import knowledge_now
from controls.models import (
    Actor,
    AuditEvent,
    ControlImplementation,
    Membership,
    Role,
    System,
    Team,
)
from controls.models.audit import Event, about
from evidence.models import EvidenceRequest, RequestJudgement
from evidence.models.requests import UNSETTLED, EvidenceRequestState
from evidence.requests.who_may import (
    engagement_of,
    require_canceller,
    require_requester,
)

MAX_DUE_AHEAD = dt.timedelta(days=731)  # from today to the day a request is due
MAX_CONTROLS = 2_000  # in one request: more than any baseline has
WHOLE_BASELINE = "all"
# The same whether there is such a team or account elsewhere.
UNKNOWN_TEAM = "No team of that name contributes to this system."
UNKNOWN_PERSON = "No contributor of this system has that address."


@dataclass(frozen=True)
class RequestDraft:
    """What is asked, about which controls (ids), of whom, by which day (inclusive).

    `number` is the auditor's own, empty for none.
    """

    title: str
    control_ids: Sequence[str]
    team: Team
    due_on: dt.date
    what: str = ""
    person: Actor | None = None
    number: str = ""


@transaction.atomic
def request_evidence(
    system: System, draft: RequestDraft, *, by: Actor
) -> EvidenceRequest:
    """Ask a team to show something. Raises NotPermitted, Refused by field."""
    require_requester(system, by)
    instant = knowledge_now()
    if draft.due_on < system.day_of(instant):
        raise Refused({"due_on": "That day has passed: choose today or a later day."})
    if draft.due_on > system.day_of(instant) + MAX_DUE_AHEAD:
        raise Refused({"due_on": "Ask for a day within the next two years."})
    _refuse_elsewhere(system, draft)
    controls = named_controls(system, draft.control_ids)
    request = EvidenceRequest(
        system=system,
        asked_by=by,
        engagement=None if is_officer(by, system) else engagement_of(system, by),
        team=draft.team,
        person=draft.person,
        number=draft.number.strip(),
        title=draft.title.strip(),
        what=draft.what.strip(),
        due_on=draft.due_on,
        asked_at=instant,
    )
    request.full_clean(exclude=["asked_by", "known_from"])
    request.save(force_insert=True)
    request.controls.set(controls)
    event_body = {
        "controls": [control.control.ref_id for control in controls],
        "team": draft.team.slug,
        "due_on": str(draft.due_on),
    }
    AuditEvent.objects.append(about(request, "request.asked", by=by, **event_body))
    return request


def _refuse_elsewhere(system: System, draft: RequestDraft) -> None:
    """Raise Refused for a team or person that proves nothing in the system."""
    roles = Membership.objects.active().filter(system=system, role=Role.CONTRIBUTOR)
    if not roles.filter(team=draft.team).exists():
        raise Refused({"team": UNKNOWN_TEAM})
    if draft.person and not roles.filter(user=draft.person).exists():
        raise Refused({"person": UNKNOWN_PERSON})


def named_controls(
    system: System, control_ids: Sequence[str]
) -> list[ControlImplementation]:
    """The controls of a system by their ids, however written; `AC` names all of a
    family, `all` the whole baseline.

    Raises Refused naming those that are not in its baseline, or where none is named.
    """
    ref_ids = {normalised_id(text) or text.strip().lower() for text in control_ids}
    ref_ids.discard("")
    if not ref_ids:
        raise Refused({"control_ids": "Name at least one control."})
    if len(ref_ids) > MAX_CONTROLS:
        sentence = f"One request names at most {MAX_CONTROLS:,} controls."
        raise Refused({"control_ids": sentence})
    rows = system.implementations.select_related("control").in_catalog_order()
    meant = Q(control__ref_id__in=ref_ids) | Q(control__family__in=ref_ids)
    named = list(rows if WHOLE_BASELINE in ref_ids else rows.filter(meant))
    known = {row.control.ref_id for row in named}
    known |= {row.control.family for row in named}
    unknown = sorted(ref_ids - known - {WHOLE_BASELINE})
    if unknown:
        listed = ", ".join(unknown[:20])
        sentence = f"This is not in the baseline of the system: {listed}."
        raise Refused({"control_ids": sentence})
    return named


@transaction.atomic
def cancel(
    request: EvidenceRequest, *, reason: str, by: Actor, version: int | None = None
) -> None:
    """Take a request back, with a reason. Raises as `decide_answer`."""
    stored = locked(request)
    require_canceller(stored, by)
    if stored.state not in UNSETTLED:
        raise TransitionNotAllowed(f"This request is {stored.state} already.")
    refuse_stale(stored, version)
    if not reason.strip():
        raise Refused({"reason": "Say why it is no longer asked."})
    AuditEvent.objects.append(
        record_decision(stored, EvidenceRequestState.CANCELLED, reason, by)
    )
    request.refresh_from_db()


def record_decision(
    request: EvidenceRequest, became: EvidenceRequestState, reason: str, by: Actor
) -> Event:
    """Record what became of a locked request; its event is to be written last."""
    RequestJudgement.objects.create(
        request=request, judged_by=by, became=became, reason=reason.strip()
    )
    set_state(request, became)
    return about(request, f"request.{became.value}", by=by, reason=reason.strip())


def set_state(request: EvidenceRequest, state: EvidenceRequestState) -> None:
    """Write the new state of a locked request."""
    request.state = state
    request.version = F("version") + 1
    request.save(update_fields=["state", "version"])


def locked(request: EvidenceRequest) -> EvidenceRequest:
    """The request as it stands, locked until the transaction ends."""
    rows = EvidenceRequest.objects.select_for_update(of=("self",))
    return rows.select_related("system", "team").get(pk=request.pk)
