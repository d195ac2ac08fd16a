"""Requests that nobody decided in time lapse, once a day (R31)."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import transaction
from django.db.models import F

from controls.approvals import MAX_DAYS_TO_DECIDE
from controls.models import (
    AlternativeImplementation,
    ApplicabilityDecision,
    AuditEvent,
    EndRequest,
    ResponsibilityOverride,
    System,
)
from controls.models.audit import Event, about
from controls.models.requests import ApprovalState
from controls.responsibility.exclusions import show_exclusions
from controls.retrospect import lapse_undecided

# Those from before requests had a day wait on.
REQUESTS: tuple[tuple[type[Any], str], ...] = (
    (ResponsibilityOverride, "override.lapsed"),
    (ApplicabilityDecision, "not-applicable.lapsed"),
    (EndRequest, "end.lapsed"),
    (AlternativeImplementation, "alternative.lapsed"),
)


@transaction.atomic
def lapse_requests(system: System, today: dt.date) -> int:
    """Let requests of a system lapse; returns how many. `today` is the system's day."""
    System.objects.select_for_update(of=("self",)).get(pk=system.pk)
    last = today - dt.timedelta(days=MAX_DAYS_TO_DECIDE)
    events: list[Event] = []
    for model, verb in REQUESTS:
        overdue = model.objects.select_for_update(of=("self",)).filter(
            implementation__system=system,
            state=ApprovalState.REQUESTED,
            requested_on__lt=last,
        )
        for row in overdue.order_by("pk"):
            row.state = ApprovalState.LAPSED
            row.version = F("version") + 1
            row.save(update_fields=["state", "version"])
            events.append(about(row, verb, by=None))
    show_exclusions(system, today)
    AuditEvent.objects.append_all(events)
    return len(events) + lapse_undecided(system, today)
