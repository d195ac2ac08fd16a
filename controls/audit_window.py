"""The audit window of a system: other days for it, and who decides on them.

A window that leaves out days which are over would hide what was missed on them, and
one that ends sooner than it was to would be over before what is asked to its end is
due. So a second officer decides wherever days fall out of a window that has begun; the
database holds it, too. Source: rules R11, R14, R31 and R32.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.db import transaction
from django.db.models import F

from controls.access import require_officer
from controls.approvals import refuse_stale
from controls.errors import Refused, TransitionNotAllowed
from controls.models import Actor, AuditEvent, RetrospectiveChange, System
from controls.models.audit import about
from controls.retrospect import Fact, applies, request_change

KIND = "audit-window"
CHANGED = "system.window-changed"
MAX_WINDOW_DAYS = 1830  # five years: as long as a window that pages answer about


def refuse_longer(start: dt.date, end: dt.date) -> None:
    """Raise Refused for a window longer than any that is answered about: one that is
    moved on and on never ends, and nothing of it is ever an exception (R15)."""
    if (end - start).days >= MAX_WINDOW_DAYS:
        sentence = f"A window has at most {MAX_WINDOW_DAYS:,} days."
        raise Refused({"window_end": sentence})


def takes_days_out(
    system: System, start: dt.date, end: dt.date, today: dt.date
) -> bool:
    """Whether days fall out of the present window, which has begun, by start..end."""
    if system.window_start >= today:
        return False
    return start > system.window_start or end < system.window_end


@transaction.atomic
def change_audit_window(
    system: System,
    start: dt.date,
    end: dt.date,
    *,
    reason: str,
    by: Actor,
    today: dt.date,
    version: int | None = None,
) -> RetrospectiveChange | None:
    """Give a system other days for its window, both inclusive; `today` is its day.

    None where it is done. Where days fall out of a window that has begun, nothing
    changes until a second officer decides: the change that waits is returned, and
    `reason` is needed. Raises NotPermitted, StaleVersion, Refused, ValidationError for
    days in wrong order, and TransitionNotAllowed where the same waits.
    """
    locked = System.objects.select_for_update(of=("self",)).get(pk=system.pk)
    require_officer(locked, by)
    refuse_stale(locked, version)
    if (locked.window_start, locked.window_end) == (start, end):
        return None
    refuse_longer(start, end)
    if not takes_days_out(locked, start, end, today):
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
