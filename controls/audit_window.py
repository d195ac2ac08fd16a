"""The audit window of a system: other days for it, and who decides on them.

A window that leaves out days which are over would hide what was missed on them, so a
second officer decides on it. Source: rules R11, R31 and R32.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.db import transaction
from django.db.models import F

from controls.access import require_officer
from controls.errors import TransitionNotAllowed
from controls.models import Actor, AuditEvent, RetrospectiveChange, System
from controls.models.audit import about
from controls.retrospect import Fact, applies, request_change

KIND = "audit-window"
CHANGED = "system.window-changed"
DAY = dt.timedelta(days=1)


def leaves_out_past_days(
    system: System, start: dt.date, end: dt.date, today: dt.date
) -> bool:
    """Whether days of the present window that are over are in no window start..end."""
    last = min(system.window_end, today - DAY)
    if last < system.window_start:
        return False
    return start > system.window_start or end < last


@transaction.atomic
def change_audit_window(
    system: System,
    start: dt.date,
    end: dt.date,
    *,
    reason: str,
    by: Actor,
    today: dt.date,
) -> RetrospectiveChange | None:
    """Give a system other days for its window, both inclusive; `today` is its day.

    None where it is done. Where days that are over fall out of it, nothing changes
    until a second officer decides: the change that waits is returned, and `reason` is
    needed. Raises NotPermitted, Refused, and ValidationError for days in wrong order.
    """
    locked = System.objects.select_for_update(of=("self",)).get(pk=system.pk)
    require_officer(locked, by)
    if (locked.window_start, locked.window_end) == (start, end):
        return None
    if not leaves_out_past_days(locked, start, end, today):
        _write(locked, start, end, by=by, change=None)
        return None
    System(window_start=start, window_end=end).validate_constraints()
    return request_change(
        locked,
        kind=KIND,
        body={
            "window_start": str(start),
            "window_end": str(end),
            "before": [str(locked.window_start), str(locked.window_end)],
        },
        first_day=locked.window_start,
        reason=reason,
        by=by,
        today=today,
    )


def _explain(change: RetrospectiveChange) -> Iterable[Fact]:
    """The days of the window, before and after."""
    yield "Audit window now", " to ".join(change.body["before"])
    yield (
        "Audit window then",
        f"{change.body['window_start']} to {change.body['window_end']}",
    )


@applies(KIND, name="Days of the audit window", explain=_explain)
def _carry_out(change: RetrospectiveChange, *, by: Actor, today: dt.date) -> None:
    locked = System.objects.select_for_update(of=("self",)).get(pk=change.system_id)
    if change.body["before"] != [str(locked.window_start), str(locked.window_end)]:
        raise TransitionNotAllowed(
            "The audit window was changed since this was requested. Ask for it again."
        )
    start, end = (
        dt.date.fromisoformat(change.body[name])
        for name in ("window_start", "window_end")
    )
    _write(locked, start, end, by=by, change=change)


def _write(
    system: System,
    start: dt.date,
    end: dt.date,
    *,
    by: Actor,
    change: RetrospectiveChange | None,
) -> None:
    """Write the window of a locked system, with its event."""
    before = [str(system.window_start), str(system.window_end)]
    system.window_start, system.window_end = start, end
    system.validate_constraints()
    system.version = F("version") + 1
    system.save(update_fields=["window_start", "window_end", "version"])
    AuditEvent.objects.append(
        about(
            system,
            CHANGED,
            by=by,
            before=before,
            after=[str(start), str(end)],
            change=str(change.uuid) if change else None,
        )
    )
