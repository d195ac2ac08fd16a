"""Leaving a control out because it has no object here: asked, decided, ended (R10)."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import F

from controls.access import require_officer
from controls.approvals import refuse_decided, refuse_stale
from controls.errors import Refused, TransitionNotAllowed
from controls.models import (
    Actor,
    ApplicabilityDecision,
    AuditEvent,
    ControlImplementation,
)
from controls.models.audit import about
from controls.models.implementations import Applicability
from controls.models.requests import ExclusionState

REVIEW_AFTER = dt.timedelta(days=365)  # unless the request names another day


@transaction.atomic
def request_not_applicable(
    implementation: ControlImplementation,
    *,
    justification: str,
    review_by: dt.date,
    by: Actor,
) -> ApplicabilityDecision:
    """Ask to leave a control out; nothing changes until another officer approves.

    Refused with a hint where AWS does it: that is inherited, not inapplicable.
    Raises TransitionNotAllowed while an earlier request waits or still holds.
    """
    stored = ControlImplementation.objects.select_for_update(of=("self",)).get(
        pk=implementation.pk
    )
    require_officer(stored.system, by)
    if stored.responsibility == "inherited":
        raise Refused(
            "This is inherited: AWS does it. Not applicable means that the"
            " requirement has no object in this system."
        )
    if stored.decision is None:
        raise Refused("This control is not classified yet.")
    _require_no_open_request(stored)
    request = ApplicabilityDecision(
        implementation=stored,
        basis=stored.decision.basis,
        requested_by=by,
        justification=justification.strip(),
        review_by=review_by,
    )
    request.full_clean(exclude=["requested_by", "decided_by"])
    request.save(force_insert=True)
    _set_applicability(stored, Applicability.REQUESTED)
    AuditEvent.objects.append(
        about(request, "not-applicable.requested", by=by, reason=request.justification)
    )
    return request


def _require_no_open_request(stored: ControlImplementation) -> None:
    """Raise TransitionNotAllowed while an earlier request waits or holds: the newest
    counts, so a further one would end it.
    """
    last = stored.applicability_decisions.order_by("pk").last()
    if last is None:
        return
    if last.state == ExclusionState.REQUESTED:
        raise TransitionNotAllowed(f"{last.requested_by} has already asked for this.")
    holds = stored.decision and last.basis_id == stored.decision.basis_id
    if last.state == ExclusionState.APPROVED and holds:
        raise TransitionNotAllowed(
            f"It is not applicable already; look again by {last.review_by}."
        )


@transaction.atomic
def decide_not_applicable(
    request: ApplicabilityDecision,
    *,
    approve: bool,
    by: Actor,
    version: int | None = None,
) -> None:
    """Approve or refuse, by an officer other than the requester."""
    stored = _locked(request)
    refuse_decided(stored, version, by=by)
    stored.state = ExclusionState.APPROVED if approve else ExclusionState.REFUSED
    stored.decided_by = by
    stored.version = F("version") + 1
    stored.save(update_fields=["state", "decided_by", "version"])
    _set_applicability(
        stored.implementation,
        Applicability.NOT_APPLICABLE if approve else Applicability.APPLICABLE,
    )
    AuditEvent.objects.append(about(stored, f"not-applicable.{stored.state}", by=by))
    request.refresh_from_db()


@transaction.atomic
def end_not_applicable(
    request: ApplicabilityDecision,
    *,
    reason: str,
    by: Actor,
    version: int | None = None,
) -> None:
    """Let a control apply again from now on. One officer is enough: more is asked.

    Raises TransitionNotAllowed unless the request is approved, Refused without a
    reason.
    """
    stored = _locked(request)
    require_officer(stored.implementation.system, by)
    if stored.state != ExclusionState.APPROVED:
        raise TransitionNotAllowed("Only what is approved can be ended.")
    refuse_stale(stored, version)
    if not reason.strip():
        raise Refused({"reason": "Say why it applies again."})
    stored.state = ExclusionState.ENDED
    stored.version = F("version") + 1
    stored.save(update_fields=["state", "version"])
    if _is_newest(stored):
        _set_applicability(stored.implementation, Applicability.APPLICABLE)
    AuditEvent.objects.append(
        about(stored, "not-applicable.ended", by=by, reason=reason.strip())
    )
    request.refresh_from_db()


def _is_newest(stored: ApplicabilityDecision) -> bool:
    later = stored.implementation.applicability_decisions.filter(pk__gt=stored.pk)
    return not later.exists()


def _locked(request: ApplicabilityDecision) -> ApplicabilityDecision:
    """The request, locked after its control, as a new request locks them."""
    ControlImplementation.objects.select_for_update(of=("self",)).get(
        pk=request.implementation_id
    )
    locked = ApplicabilityDecision.objects.select_for_update(of=("self",))
    return locked.select_related("implementation__system").get(pk=request.pk)


def _set_applicability(
    implementation: ControlImplementation, value: Applicability
) -> None:
    implementation.applicability = value
    implementation.save(update_fields=["applicability"])
