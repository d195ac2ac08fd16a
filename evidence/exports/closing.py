"""Closing the window of an engagement: an officer asks, an auditor confirms (R32).

What was recorded before that instant belongs to the closed window. The exports of the
window are made of it and kept with their hashes: they do not expire, and nobody deletes
them. `evidence.status.after_closing` tells what became otherwise since.
"""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from controls.access import require_officer
from controls.approvals import refuse_stale
from controls.engagement_scope import scope_of_engagement
from controls.errors import Refused, StaleVersion, TransitionNotAllowed
from controls.history.clock import knowledge_now
from controls.models import Actor, AuditEvent, Engagement
from controls.models.audit import Event, about
from controls.reasons import refuse_long
from evidence.engagements.who_may import locked_for_marking
from evidence.exports.jobs import make_export, queue_export, require_owner
from evidence.jobs.leases import LET_GO
from evidence.jobs.wake import wake
from evidence.models import ClosingState, Export, ExportState, WindowClosing

KEPT_FORMATS = ("csv", "xlsx", "pdf")  # made at each closing


@transaction.atomic
def request_closing(
    engagement: Engagement, *, note: str = "", by: Actor, now: dt.datetime
) -> WindowClosing:
    """Say that the company has shown all that it will show of the window.

    Raises NotPermitted (no officer), TransitionNotAllowed where the engagement has
    ended, the window has not, or somebody asked already.
    """
    rows = Engagement.objects.select_for_update(of=("self",)).select_related("system")
    stored: Engagement = rows.get(pk=engagement.pk)
    require_officer(stored.system, by)
    if stored.ended_at is not None:
        raise TransitionNotAllowed("This engagement has ended: nobody closes it now.")
    if stored.window_end >= stored.system.day_of(now):
        raise TransitionNotAllowed(
            f"The window runs to {stored.window_end}: close it from the next day on."
        )
    refuse_long(note, "note")
    held = stored.closings.filter(
        state__in=[ClosingState.REQUESTED, ClosingState.CLOSED]
    ).first()
    if held is not None:
        raise TransitionNotAllowed(
            "This window is closed already."
            if held.state == ClosingState.CLOSED
            else "Somebody asked for it already: an auditor has to decide."
        )
    closing = WindowClosing(
        system=stored.system,
        engagement=stored,
        requested_by=by,
        note=note.strip(),
        requested_at=now,
    )
    closing.full_clean(exclude=["known_from"])
    closing.save(force_insert=True)
    window = {"from": str(stored.window_start), "to": str(stored.window_end)}
    event = about(closing, "closing.requested", by=by, window=window, note=closing.note)
    AuditEvent.objects.append(event)
    return closing


@transaction.atomic
def confirm_closing(
    closing: WindowClosing,
    *,
    by: Actor,
    now: dt.datetime,
    version: int | None = None,
) -> WindowClosing:
    """Close the window now; its exports are queued, and kept once they are made.

    Raises NotPermitted for anybody but an auditor of the engagement,
    TransitionNotAllowed (it ended, or is decided), StaleVersion.
    """
    stored = _waiting(closing, by, version)
    engagement, closed_at = stored.engagement, knowledge_now()
    _decided(stored, ClosingState.CLOSED, by, now, closed_at=closed_at)
    events: list[Event] = []
    chosen = scope_of_engagement(engagement).chosen
    filters = {"engagement": str(engagement.uuid)} if chosen else None
    for name in KEPT_FORMATS:
        _, event = queue_export(
            stored.system,
            by=by,
            on=stored.system.day_of(closed_at),
            known_at=closed_at,
            key=f"closing:{stored.uuid}:{name}",
            format_name=name,
            window=(engagement.window_start, engagement.window_end),
            filters=filters,
            closing=stored,
        )
        events.append(event)
    closed = about(stored, "closing.confirmed", by=by, closed_at=closed_at.isoformat())
    AuditEvent.objects.append_all([*events, closed])
    return stored


@transaction.atomic
def refuse_closing(
    closing: WindowClosing,
    *,
    reason: str,
    by: Actor,
    now: dt.datetime,
    version: int | None = None,
) -> WindowClosing:
    """Leave the window open, with the reason. Raises as `confirm_closing`, Refused
    without a reason."""
    stored = _waiting(closing, by, version)
    if not reason.strip():
        raise Refused({"reason": "Say what is lacking."})
    refuse_long(reason, "reason")
    _decided(stored, ClosingState.REFUSED, by, now, reason=reason.strip())
    event = about(stored, "closing.refused", by=by, reason=stored.reason)
    AuditEvent.objects.append(event)
    return stored


@transaction.atomic
def withdraw_closing(
    closing: WindowClosing,
    *,
    by: Actor,
    now: dt.datetime,
    version: int | None = None,
) -> WindowClosing:
    """Take the request back: any officer of the system, while nobody has decided.

    Raises NotPermitted, TransitionNotAllowed, StaleVersion.
    """
    stored = _locked(closing)
    require_officer(stored.system, by)
    _refuse_decided(stored, version)
    _decided(stored, ClosingState.WITHDRAWN, by, now)
    AuditEvent.objects.append(about(stored, "closing.withdrawn", by=by))
    return stored


def _locked(closing: WindowClosing) -> WindowClosing:
    rows = WindowClosing.objects.select_for_update(of=("self",))
    return rows.select_related("system", "engagement__system").get(pk=closing.pk)


def _waiting(closing: WindowClosing, by: Actor, version: int | None) -> WindowClosing:
    """The locked row, its engagement locked first, for one of its auditors."""
    locked_for_marking(closing.engagement, by=by)
    stored = _locked(closing)
    _refuse_decided(stored, version)
    return stored


def _refuse_decided(stored: WindowClosing, version: int | None) -> None:
    refuse_stale(stored, version)
    if stored.state != ClosingState.REQUESTED:
        raise TransitionNotAllowed(
            f"This closing is {stored.get_state_display().lower()} already."
        )


def _decided(
    stored: WindowClosing,
    state: ClosingState,
    by: Actor,
    now: dt.datetime,
    *,
    reason: str = "",
    closed_at: dt.datetime | None = None,
) -> None:
    stored.state, stored.decided_by, stored.decided_at = state, by, now
    stored.reason, stored.closed_at = reason, closed_at
    stored.version += 1  # under the row's lock
    fields = ["state", "decided_by", "decided_at", "reason", "closed_at", "version"]
    stored.save(update_fields=fields)


@transaction.atomic
def make_again(export: Export, *, by: Actor, given_up_at: dt.datetime | None) -> Export:
    """Have a file of a closing made that could not be made then, of the same clocks.

    `given_up_at` names the attempt that was seen to have failed: who looked at an
    earlier one begins nothing. Raises NotPermitted for anybody but officers of the
    system and auditors of the engagement, TransitionNotAllowed unless it failed,
    StaleVersion where it failed again since.
    """
    require_owner(export, by)
    rows = Export.objects.select_for_update(of=("self",)).select_related("closing")
    stored = rows.get(pk=export.pk)
    if stored.closing is None:
        raise TransitionNotAllowed("Only what is kept at a closing is made again.")
    if stored.state != ExportState.FAILED:
        raise TransitionNotAllowed(
            f"This export is {stored.get_state_display().lower()}: only one that failed"
            " is made again."
        )
    if stored.given_up_at != given_up_at:
        raise StaleVersion("It was tried again since you opened this. Look again.")
    Export.objects.filter(pk=stored.pk).update(
        **LET_GO,
        state=ExportState.QUEUED,
        attempts=0,
        given_up_at=None,
        finished_at=None,
        failure="",
    )
    wake(make_export, stored.pk)
    why = {"closing": str(stored.closing.uuid), "reason": stored.failure}
    event = about(stored, "export.requested-again", by=by, **why)
    AuditEvent.objects.append(event)
    stored.refresh_from_db()
    return stored


def closing_of(engagement: Engagement) -> WindowClosing | None:
    """The closing that stands or waits, else the newest that was refused or taken
    back."""
    rows = list(engagement.closings.for_listing())
    live = [
        row
        for row in rows
        if row.state in (ClosingState.REQUESTED, ClosingState.CLOSED)
    ]
    return next(iter([*live, *rows]), None)


def closed_at_of(engagement: Engagement) -> dt.datetime | None:
    """When its window was closed; None while it is open."""
    rows = engagement.closings.filter(state=ClosingState.CLOSED)
    closed_at: dt.datetime | None = rows.values_list("closed_at", flat=True).first()
    return closed_at
