"""For how many years a system keeps evidence: asked by one officer, set by another.

A shorter class lets proof be destroyed earlier, so nobody decides that alone; the
longer one goes the same way, so that there is one. Source: AU-07 and R32.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.db import transaction

from controls.access import require_officer
from controls.errors import Refused, TransitionNotAllowed
from controls.models import Actor, AuditEvent, RetrospectiveChange, System
from controls.models.audit import about
from controls.reasons import refuse_long
from controls.retrospect import Fact, applies, request_change
from evidence.models import RetentionClass
from evidence.models.retention import DEFAULT_RETENTION_YEARS, MAX_RETENTION_YEARS

KIND = "retention"


def retention_years(system: System) -> int:
    """For how many years the system keeps evidence, as known now."""
    newest = system.retention_classes.order_by("-pk").first()
    return newest.years if newest else DEFAULT_RETENTION_YEARS


def shortens(change: RetrospectiveChange) -> bool:
    """Whether approving the change lets proof be destroyed earlier: far-reaching, so
    whoever approves it proves who they are again (AZ-12)."""
    if change.kind != KIND:
        return False
    return bool(change.body["years"] < retention_years(change.system))


@transaction.atomic
def change_retention(
    system: System, years: int, *, reason: str, by: Actor, today: dt.date
) -> RetrospectiveChange:
    """Ask a second officer that evidence be kept for another number of years.

    `today` is the system's day. Raises NotPermitted, Refused by field, and
    TransitionNotAllowed where that is what holds or is asked for already.
    """
    locked = System.objects.select_for_update(of=("self",)).get(pk=system.pk)
    require_officer(locked, by)
    refuse_long(reason)
    if not reason.strip():
        raise Refused({"reason": "Say why it changes."})
    if not 1 <= years <= MAX_RETENTION_YEARS:
        raise Refused(
            {"years": f"Evidence is kept for 1 to {MAX_RETENTION_YEARS} years."}
        )
    if years == retention_years(locked):
        raise TransitionNotAllowed("That is what holds already.")
    return request_change(
        locked,
        kind=KIND,
        body={"years": years},
        first_day=today,
        reason=reason,
        by=by,
        today=today,
    )


def _explain(change: RetrospectiveChange) -> Iterable[Fact]:
    yield "Evidence is kept for", str(RetentionClass(years=change.body["years"]))


@applies(KIND, name="How long evidence is kept", explain=_explain)
def _carry_out(change: RetrospectiveChange, *, by: Actor, today: dt.date) -> None:
    system = change.system
    before = retention_years(system)
    chosen = RetentionClass(system=system, change=change, years=change.body["years"])
    chosen.full_clean(exclude=["known_from"])
    chosen.save(force_insert=True)
    AuditEvent.objects.append(
        about(
            system,
            "retention.changed",
            by=by,
            reason=change.reason,
            before={"years": before},
            after={"years": chosen.years},
            change=str(change.uuid),
        )
    )
