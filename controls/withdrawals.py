"""Requests that wait for a second officer, taken back by who made them (R32).

The row stays, with its state and its history; the same may be asked for anew.
"""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import F

from controls.access import require_requester
from controls.applicability import locked_control
from controls.approvals import refuse_not_waiting
from controls.models import (
    Actor,
    AlternativeImplementation,
    ApplicabilityDecision,
    AuditEvent,
    EndRequest,
    ResponsibilityOverride,
)
from controls.models.audit import about
from controls.models.requests import ApprovalState
from controls.responsibility.exclusions import show_exclusions

Request = (
    ResponsibilityOverride
    | ApplicabilityDecision
    | AlternativeImplementation
    | EndRequest
)
VERBS: dict[type[Request], str] = {
    ResponsibilityOverride: "override.withdrawn",
    ApplicabilityDecision: "not-applicable.withdrawn",
    AlternativeImplementation: "alternative.withdrawn",
    EndRequest: "end.withdrawn",
}


@transaction.atomic
def withdraw_request(
    request: Request, *, by: Actor, today: dt.date, version: int | None = None
) -> None:
    """Take a request about a control back, while nobody has decided.

    `today` is the system's day. Raises NotPermitted for others than who made it,
    StaleVersion, TransitionNotAllowed for one that is decided, lapsed or taken back.
    """
    if not isinstance(request, ResponsibilityOverride):  # which locks its row alone
        locked_control(request.implementation)
    rows = type(request).objects.select_for_update(of=("self",))
    stored = rows.select_related("implementation__system").get(pk=request.pk)
    system = stored.implementation.system
    require_requester(stored, system, by)
    refuse_not_waiting(stored, version, today=today)
    stored.state = ApprovalState.WITHDRAWN
    stored.version = F("version") + 1
    stored.save(update_fields=["state", "version"])
    if isinstance(stored, ApplicabilityDecision):
        show_exclusions(system, today)
    AuditEvent.objects.append(about(stored, VERBS[type(request)], by=by))
    request.refresh_from_db()
