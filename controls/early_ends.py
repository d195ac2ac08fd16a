"""Ending an override, a "not applicable" or an alternative before its last day.

Two officers: whoever did not ask for the end approves it, the one who once asked for
what ends included, so that two are enough.

Source: rules R9, R10, R32. An early end never works back before the day of its request.
"""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import F

from controls.access import require_officer
from controls.approvals import known_today, refuse_decided, refuse_stale
from controls.errors import Refused, TransitionNotAllowed
from controls.models import (
    Actor,
    AlternativeImplementation,
    ApplicabilityDecision,
    AuditEvent,
    ControlImplementation,
    EndRequest,
    ResponsibilityOverride,
    System,
)
from controls.models.alternatives import AlternativeState
from controls.models.audit import about
from controls.models.requests import ApprovalState, ExclusionState
from controls.reasons import refuse_long
from controls.responsibility.decide import redecide, rest_exclusions, rulings_due

END_OF_ALTERNATIVE = ("ended_on", "ended_by", "end_requested_by", "end_reason")

Approval = ResponsibilityOverride | ApplicabilityDecision | AlternativeImplementation


@transaction.atomic
def request_end(
    approval: Approval,
    *,
    reason: str,
    by: Actor,
    ends_from: dt.date | None = None,
    version: int | None = None,
    today: dt.date | None = None,
) -> EndRequest:
    """Ask that what was approved holds no more from a day on.

    `ends_from` is the first day on which it holds no more (None: today); it holds on
    until another officer approves. Raises NotPermitted, StaleVersion, Refused for a
    day before today or without a reason, TransitionNotAllowed for what is not in
    force or whose end is asked for already.
    """
    stored = _locked(approval)
    system = stored.implementation.system
    require_officer(system, by)
    today = today or known_today(system)
    first = ends_from or today
    if stored.state != ApprovalState.APPROVED:
        raise TransitionNotAllowed("Only what is approved can be ended.")
    refuse_stale(stored, version)
    refuse_long(reason)
    if not reason.strip():
        raise Refused({"reason": "Say why it ends."})
    if first < today:
        raise Refused({"ends_from": "An early end cannot take effect before today."})
    waiting = stored.end_requests.filter(state=ApprovalState.REQUESTED).first()
    if waiting is not None:
        raise TransitionNotAllowed(f"{waiting.requested_by} has already asked for it.")
    if _last_day(stored) < first:
        raise TransitionNotAllowed(f"It holds to {_last_day(stored)} anyway.")
    request = EndRequest(
        implementation=stored.implementation,
        override=stored if isinstance(stored, ResponsibilityOverride) else None,
        exclusion=stored if isinstance(stored, ApplicabilityDecision) else None,
        alternative=stored if isinstance(stored, AlternativeImplementation) else None,
        requested_by=by,
        reason=reason.strip(),
        ends_from=first,
        requested_on=today,
    )
    request.save(force_insert=True)
    AuditEvent.objects.append(
        about(
            stored,
            f"{_noun(stored)}.end-requested",
            by=by,
            reason=request.reason,
            ends_from=str(first),
        )
    )
    return request


@transaction.atomic
def decide_end(
    request: EndRequest,
    *,
    approve: bool,
    by: Actor,
    version: int | None = None,
    today: dt.date | None = None,
) -> None:
    """Approve or refuse an early end, by an officer other than who asked for it.

    Approved, it holds from the day that the request named. Raises NotPermitted,
    StaleVersion, TransitionNotAllowed.
    """
    approval = _locked(request.override or request.exclusion or request.alternative)
    locked = EndRequest.objects.select_for_update(of=("self",))
    stored = locked.select_related("implementation__system").get(pk=request.pk)
    system = stored.implementation.system
    today = today or known_today(system)
    refuse_decided(stored, version, by=by, today=today)
    settled = isinstance(approval, ResponsibilityOverride) and approval.settled_on
    if approval.state != ApprovalState.APPROVED or settled:
        raise TransitionNotAllowed("It has ended already.")
    stored.state = ApprovalState.APPROVED if approve else ApprovalState.REFUSED
    stored.decided_by = by
    stored.version = F("version") + 1
    stored.save(update_fields=["state", "decided_by", "version"])
    if approve:
        _end(approval, stored, by=by, today=today)
    AuditEvent.objects.append(
        about(
            approval,
            f"{_noun(approval)}.{_outcome(approval, approve=approve)}",
            by=by,
            reason=stored.reason,
            ends_from=str(stored.ends_from),
        )
    )
    request.refresh_from_db()


def _outcome(approval: Approval, *, approve: bool) -> str:
    if not approve:
        return "end-refused"
    return "settled" if isinstance(approval, ResponsibilityOverride) else "ended"


def _end(approval: Approval, request: EndRequest, *, by: Actor, today: dt.date) -> None:
    system = request.implementation.system
    approval.version = F("version") + 1
    if isinstance(approval, ResponsibilityOverride):
        before = rulings_due(system)
        approval.settled_on = max(request.ends_from, approval.starts_on)
        approval.save(update_fields=["settled_on", "version"])
        redecide(system, by=by, reason="Override ended", before=before, agreed=True)
        return
    if isinstance(approval, AlternativeImplementation):
        approval.state = AlternativeState.ENDED
        approval.ended_on = request.ends_from
        approval.ended_by = by
        approval.end_requested_by = request.requested_by
        approval.end_reason = request.reason
        approval.save(update_fields=[*END_OF_ALTERNATIVE, "state", "version"])
        return
    approval.ended_on = max(request.ends_from, approval.starts_on or request.ends_from)
    if approval.ended_on <= today:
        approval.state = ExclusionState.ENDED
    approval.save(update_fields=["ended_on", "state", "version"])
    rest_exclusions(system, today)


def _last_day(approval: Approval) -> dt.date:
    if not isinstance(approval, ResponsibilityOverride):
        return approval.last_day
    settled = (
        approval.settled_on - dt.timedelta(days=1) if approval.settled_on else None
    )
    return min(approval.ends_on, settled or approval.ends_on)


def _noun(approval: Approval) -> str:
    if isinstance(approval, AlternativeImplementation):
        return "alternative"
    is_override = isinstance(approval, ResponsibilityOverride)
    return "override" if is_override else "not-applicable"


def _locked(approval: Approval | None) -> Approval:
    """What was approved, locked after its system and control."""
    if approval is None:
        raise LookupError("An end is of something that was approved.")
    control = approval.implementation
    System.objects.select_for_update(of=("self",)).get(pk=control.system_id)
    ControlImplementation.objects.select_for_update(of=("self",)).get(pk=control.pk)
    locked = type(approval).objects.select_for_update(of=("self",))
    stored: Approval = locked.select_related("implementation__system").get(
        pk=approval.pk
    )
    return stored
