"""Leaving a control out, on its days, because it has no object here (R10)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db import transaction
from django.db.models import F

from controls.access import require_officer
from controls.approvals import known_today, refuse_decided, refuse_endless
from controls.errors import Refused, TransitionNotAllowed
from controls.models import (
    Actor,
    ApplicabilityDecision,
    AuditEvent,
    ControlImplementation,
    System,
)
from controls.models.audit import about
from controls.models.requests import ExclusionState
from controls.responsibility.decide import rest_exclusions
from controls.responsibility.exclusions import (
    DECIDED,
    decision_on,
    layers_absent,
)

REVIEW_AFTER = dt.timedelta(days=365)  # unless the request names another day
DAY = dt.timedelta(days=1)
AWS_DOES_IT = (
    "This is inherited: AWS does it. Not applicable means that the requirement has no"
    " object in this system."
)


@transaction.atomic
def request_not_applicable(
    implementation: ControlImplementation,
    *,
    justification: str,
    review_by: dt.date,
    by: Actor,
    starts_on: dt.date | None = None,
    absent_layers: Sequence[str] | None = None,
    today: dt.date | None = None,
) -> ApplicabilityDecision:
    """Ask to leave a control out from a day on; nothing changes until another officer
    approves.

    `starts_on` is the first day (None: today); `absent_layers` those whose absence it
    rests on (None, or none: all that are absent then); `today` the system's day (None:
    at the clock of knowledge). Refused with a hint where AWS does it: that is
    inherited, not inapplicable. Raises TransitionNotAllowed while a request waits, or
    on days on which it is not applicable already.
    """
    stored = locked_control(implementation)
    require_officer(stored.system, by)
    today = today or known_today(stored.system)
    first = starts_on or today
    if first < today:
        sentence = "This day is before today: ask for it as a change in retrospect."
        raise Refused({"starts_on": sentence})
    request = unsaved_request(
        stored, justification, review_by, first, absent_layers, by=by, today=today
    )
    request.save(force_insert=True)
    rest_exclusions(stored.system, today)
    AuditEvent.objects.append(
        about(
            request,
            "not-applicable.requested",
            by=by,
            reason=request.justification,
            starts_on=str(first),
            layers=request.absent_layers,
        )
    )
    return request


def unsaved_request(
    stored: ControlImplementation,
    justification: str,
    review_by: dt.date,
    first: dt.date,
    layers: Sequence[str] | None,
    *,
    by: Actor,
    today: dt.date,
) -> ApplicabilityDecision:
    """The request, checked against the control as it stands on its first day."""
    decision = decision_on(stored, first)
    if decision is None:
        raise Refused("This control is not classified yet.")
    if decision.responsibility == "inherited":
        raise Refused(AWS_DOES_IT)
    absent = layers_absent(stored, first)
    # none named is all: what rests on nothing would never be void (R10)
    chosen = sorted(set(layers)) if layers else absent
    if set(chosen) - set(absent):
        present = ", ".join(sorted(set(chosen) - set(absent)))
        raise Refused(
            {
                "absent_layers": "The system has these on"
                f" {first}, or the control is not about them: {present}."
            }
        )
    refuse_endless("review_by", first, review_by)
    _require_free_days(stored, first)
    request = ApplicabilityDecision(
        implementation=stored,
        basis=decision.basis,
        requested_by=by,
        justification=justification.strip(),
        review_by=review_by,
        starts_on=first,
        requested_on=today,
        absent_layers=chosen,
    )
    request.full_clean(exclude=["requested_by", "decided_by"])
    return request


def _require_free_days(stored: ControlImplementation, first: dt.date) -> None:
    """Raise TransitionNotAllowed while a request waits, or where an exclusion goes on
    to `first` or begins later."""
    rows = stored.applicability_decisions.select_related("requested_by")
    waiting = rows.filter(state=ExclusionState.REQUESTED).first()
    if waiting is not None:
        raise TransitionNotAllowed(
            f"{waiting.requested_by} has already asked for this."
        )
    _require_none_after(stored, first)


def _require_none_after(stored: ControlImplementation, first: dt.date) -> None:
    for row in stored.applicability_decisions.filter(state__in=DECIDED):
        if _reaches(row, stored) >= first:
            raise TransitionNotAllowed(
                "The control is marked as not applicable already, to be looked at again"
                f" by {row.review_by}."
            )


def _reaches(row: ApplicabilityDecision, stored: ControlImplementation) -> dt.date:
    """The last day on which an exclusion may hold; the first of all days for none."""
    if row.state == ExclusionState.ENDED and row.ended_on is None:
        return dt.date.min
    if row.absent_layers is None and (
        stored.decision is None or row.basis_id != stored.decision.basis_id
    ):
        return dt.date.min
    return row.last_day


@transaction.atomic
def decide_not_applicable(
    request: ApplicabilityDecision,
    *,
    approve: bool,
    by: Actor,
    version: int | None = None,
    today: dt.date | None = None,
) -> None:
    """Approve or refuse, by an officer other than the requester.

    Approved, it holds from its first day and is known from now on. Raises
    NotPermitted, StaleVersion, TransitionNotAllowed.
    """
    stored = _locked(request)
    system = stored.implementation.system
    today = today or known_today(system)
    refuse_decided(stored, version, by=by, today=today)
    if approve and stored.starts_on:
        _require_none_after(stored.implementation, stored.starts_on)
        close_earlier(stored)
    stored.state = ExclusionState.APPROVED if approve else ExclusionState.REFUSED
    stored.decided_by = by
    stored.version = F("version") + 1
    stored.save(update_fields=["state", "decided_by", "version"])
    rest_exclusions(system, today)
    AuditEvent.objects.append(about(stored, f"not-applicable.{stored.state}", by=by))
    request.refresh_from_db()


def close_earlier(request: ApplicabilityDecision) -> None:
    """End exclusions that hold no more when another begins, so that what their basis
    becomes later never lets both hold on a day."""
    stored, first = request.implementation, request.starts_on
    for row in stored.applicability_decisions.filter(state=ExclusionState.APPROVED):
        ends = max(row.last_day + DAY, row.starts_on or dt.date.min)
        row.ended_on = min(ends, first) if first else ends
        row.state = ExclusionState.ENDED
        row.version = F("version") + 1
        row.save(update_fields=["ended_on", "state", "version"])


def locked_control(implementation: ControlImplementation) -> ControlImplementation:
    """The control, locked after its system."""
    System.objects.select_for_update(of=("self",)).get(pk=implementation.system_id)
    rows = ControlImplementation.objects.select_for_update(of=("self",))
    related = "system", "control", "decision"
    return rows.select_related(*related).get(pk=implementation.pk)


def _locked(request: ApplicabilityDecision) -> ApplicabilityDecision:
    """The request, locked after its control, as a new request locks them."""
    locked_control(request.implementation)
    locked = ApplicabilityDecision.objects.select_for_update(of=("self",))
    related = "implementation__system", "implementation__decision"
    return locked.select_related(*related).get(pk=request.pk)
