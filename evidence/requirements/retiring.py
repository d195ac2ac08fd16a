"""What is asked of our halves, ended by officers.

From today or a later day one officer decides. An earlier day, and the end of a half's
last ask, wait for a second one. Source: rules R11, R31 and R32.
"""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import F

from controls.errors import Refused, TransitionNotAllowed
from controls.models import Actor, AuditEvent, RetrospectiveChange
from controls.models.audit import about
from controls.responsibility.rulings import PARTIES
from evidence.models import RequirementControl
from evidence.models.asks import Cadence, Purpose
from evidence.models.requirements import expected_by_a_report
from evidence.requirements.odp_frequency import less_frequent
from evidence.requirements.row_steps import (
    locked_row,
    refuse_stale,
    request_for_row,
)

RETIRE, RETIRE_LAST = "retire", "retire-last"  # kinds that two officers decide


@transaction.atomic
def retire_requirement(
    requirement: RequirementControl,
    *,
    until: dt.date,
    reason: str,
    by: Actor,
    today: dt.date,
    version: int | None = None,
) -> RetrospectiveChange | None:
    """Stop asking from `until` on (the first day it is no longer asked).

    What was asked before stays asked for those days. A day before `today`, and an ask
    of a required half that leaves none as frequent, wait for a second officer: it is
    returned, None where it is done. Raises as `change_requirement` does.
    """
    stored = locked_row(requirement, by)
    if not reason.strip():
        raise Refused({"reason": "Say why it is no longer asked."})
    if stored.operates_until is not None:
        raise TransitionNotAllowed(f"This already ends on {stored.operates_until}.")
    refuse_stale(stored, version)
    stored.operates_until = until
    stored.full_clean(exclude=["system", "implementation", "ask", "version"])
    kind = ""
    if leaves_less(stored, until):
        kind = RETIRE_LAST
    elif until < today:
        kind = RETIRE
    if kind:
        return request_for_row(
            stored, kind, first_day=until, reason=reason, by=by, today=today
        )
    carry_out_end(stored, until=until, reason=reason, by=by)
    return None


def carry_out_end(
    stored: RequirementControl,
    *,
    until: dt.date,
    reason: str,
    by: Actor,
    change: RetrospectiveChange | None = None,
) -> None:
    """Write the end of a locked row."""
    stored.operates_until = until
    stored.version = F("version") + 1
    stored.save(update_fields=["operates_until", "version"])
    AuditEvent.objects.append(
        about(
            stored,
            "requirement.retired",
            by=by,
            reason=reason.strip(),
            until=str(until),
            change=str(change.uuid) if change else None,
        )
    )


def leaves_less(stored: RequirementControl, until: dt.date) -> bool:
    """Whether nothing else asks as much of a half of ours that is required then (R11).

    What is asked less often, or only of the design, is less: a lapse would end by
    leaving the rarer ask alone. An inherited half is required by what a provider's
    report expects of us (R26), and ends with the last such ask.
    """
    implementation = stored.implementation
    parties = PARTIES.get(implementation.responsibility, frozenset())
    of_class = "customer" in parties
    is_required = of_class or stored.is_expected_of_us()
    if not is_required or implementation.applicability == "not-applicable":
        return False
    others = implementation.requirements.filter(operates_from__lte=until)
    others = others.exclude(pk=stored.pk)
    if not of_class:  # what a report expects is all that makes our half required
        others = others.filter(expected_by_a_report())
    # one that ends later leaves nothing from then on: the order of two ends is no way
    remaining = others.filter(operates_until=None)
    return not any(asks_as_much(other, stored) for other in remaining)


def asks_as_much(other: RequirementControl, as_row: RequirementControl) -> bool:
    """Whether another ask is at least as frequent, and of operation where that is."""
    if as_row.purpose == Purpose.OPERATION != other.purpose:
        return False
    if Cadence.PER_EVENT in (other.cadence, as_row.cadence):
        return other.cadence == as_row.cadence and not less_frequent(
            other.population_cadence, as_row.population_cadence
        )
    return not less_frequent(other.cadence, as_row.cadence)
