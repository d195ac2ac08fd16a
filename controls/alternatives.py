"""Meeting a control in another way than it says: asked, approved, ended (R10, R32)."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection
from dataclasses import dataclass

from django.db import transaction
from django.db.models import F

from controls.access import is_officer, require_officer
from controls.approvals import refuse_decided, refuse_stale
from controls.errors import NotPermitted, Refused, TransitionNotAllowed
from controls.models import (
    Actor,
    AlternativeImplementation,
    AuditEvent,
    ControlImplementation,
)
from controls.models.alternatives import AlternativeState
from controls.models.audit import about
from controls.reasons import refuse_long
from controls.responsibility.rulings import PARTIES
from controls.retrospect import MAX_DAYS_TO_DECIDE, first_day_of

REVIEW_AFTER = dt.timedelta(days=365)  # unless the request names another day
PEOPLE = ("requested_by", "decided_by", "end_requested_by", "ended_by")
TEXTS = ("constraint", "objective", "residual_risk")


@dataclass(frozen=True)
class AlternativeDraft:
    """What is asked for: both days inclusive, requirements of the control by uuid."""

    constraint: str
    objective: str
    residual_risk: str
    requirement_uuids: Collection[uuid.UUID]
    starts_on: dt.date
    review_by: dt.date


@transaction.atomic
def request_alternative(
    implementation: ControlImplementation,
    draft: AlternativeDraft,
    *,
    by: Actor,
    today: dt.date,
) -> AlternativeImplementation:
    """Ask to meet a control in another way; nothing changes until another officer
    approves.

    It begins on `today`, the system's day, or later; the first one of a control may
    name an earlier day of the system. Whether the requirements are the control's is
    asked by the caller. Raises NotPermitted, Refused, and TransitionNotAllowed while
    another is asked for or holds on some of its days.
    """
    stored = ControlImplementation.objects.select_for_update(of=("self",)).get(
        pk=implementation.pk
    )
    require_officer(stored.system, by)
    if "customer" not in PARTIES.get(stored.responsibility, {"customer"}):
        raise Refused("Nothing of this control is ours to implement in another way.")
    alternative = AlternativeImplementation(
        implementation=stored,
        requested_by=by,
        requirement_uuids=sorted(set(draft.requirement_uuids)),
        starts_on=draft.starts_on,
        review_by=draft.review_by,
        requested_on=today,
        **{name: _text(draft, name) for name in TEXTS},
    )
    _refuse_day(stored, draft.starts_on, today)
    _refuse_others(alternative)
    alternative.full_clean(exclude=PEOPLE)
    alternative.save(force_insert=True)
    days = {"starts_on": str(draft.starts_on), "review_by": str(draft.review_by)}
    AuditEvent.objects.append(
        about(alternative, "alternative.requested", by=by, **days)
    )
    return alternative


def _text(draft: AlternativeDraft, name: str) -> str:
    text: str = getattr(draft, name).strip()
    refuse_long(text, name)
    if not text:
        raise Refused({name: "Say it: another officer has to judge by it."})
    return text


def _refuse_day(
    stored: ControlImplementation, starts_on: dt.date, today: dt.date
) -> None:
    """Only the first statement names an earlier day than today (R31)."""
    if starts_on >= today:
        return
    if stored.alternatives.exclude(state=AlternativeState.REFUSED).exists():
        raise Refused({"starts_on": "It begins today or later: it is not the first."})
    begins = first_day_of(stored.system)
    if starts_on < begins:
        raise Refused({"starts_on": f"The system's first day is {begins}."})


def _refuse_others(alternative: AlternativeImplementation) -> None:
    """Raise TransitionNotAllowed for one that waits, or holds on a day of this one."""
    others = alternative.implementation.alternatives.exclude(pk=alternative.pk)
    for other in others.exclude(state=AlternativeState.REFUSED):
        if other.state == AlternativeState.REQUESTED:
            raise TransitionNotAllowed(
                f"{other.requested_by} has already asked for this."
            )
        if (
            other.starts_on <= alternative.review_by
            and alternative.starts_on <= other.last_day
        ):
            raise TransitionNotAllowed(
                f"One holds from {other.starts_on} to {other.last_day} already."
            )


@transaction.atomic
def decide_alternative(
    alternative: AlternativeImplementation,
    *,
    approve: bool,
    by: Actor,
    today: dt.date,
    version: int | None = None,
) -> None:
    """Approve or refuse, by an officer other than the requester.

    Approved after MAX_DAYS_TO_DECIDE days it has lapsed: TransitionNotAllowed. Raises
    NotPermitted and StaleVersion besides.
    """
    stored = _locked(alternative)
    refuse_decided(stored, version, by=by)
    if approve:
        _refuse_lapsed(stored.requested_on, today)
    stored.state = AlternativeState.APPROVED if approve else AlternativeState.REFUSED
    stored.decided_by = by
    _save(stored, "state", "decided_by")
    AuditEvent.objects.append(about(stored, f"alternative.{stored.state}", by=by))
    alternative.refresh_from_db()


def _refuse_lapsed(requested_on: dt.date, today: dt.date) -> None:
    last = requested_on + dt.timedelta(days=MAX_DAYS_TO_DECIDE)
    if today > last:
        raise TransitionNotAllowed(
            f"It lapsed: it was to be decided by {last}. Refuse it and ask again."
        )


@transaction.atomic
def request_end_of_alternative(
    alternative: AlternativeImplementation,
    *,
    reason: str,
    by: Actor,
    today: dt.date,
    ends_on: dt.date | None = None,
    version: int | None = None,
) -> None:
    """Ask that it holds no more from a day on, today unless named, or a later one.

    It goes on until another officer agrees. Raises NotPermitted, StaleVersion,
    TransitionNotAllowed unless it is approved, Refused without a reason or for an
    earlier day.
    """
    stored = _locked(alternative)
    require_officer(stored.implementation.system, by)
    if stored.state != AlternativeState.APPROVED:
        raise TransitionNotAllowed("Only what is approved can be ended.")
    refuse_stale(stored, version)
    refuse_long(reason)
    if not reason.strip():
        raise Refused({"reason": "Say why it ends."})
    first_day_without = ends_on or today
    if first_day_without < today:
        raise Refused({"ends_on": "An end never works back before today."})
    stored.state = AlternativeState.ENDING
    stored.end_requested_by = by
    stored.end_reason = reason.strip()
    stored.ended_on = first_day_without
    _save(stored, "state", "end_requested_by", "end_reason", "ended_on")
    AuditEvent.objects.append(
        about(
            stored,
            "alternative.end-requested",
            by=by,
            reason=stored.end_reason,
            ends_on=str(first_day_without),
        )
    )
    alternative.refresh_from_db()


def may_decide_end(alternative: AlternativeImplementation, by: Actor) -> bool:
    """Whether `by` is an officer who asked for neither it nor its end (R32)."""
    requesters = {alternative.requested_by_id, alternative.end_requested_by_id}
    return by.pk not in requesters and is_officer(by, alternative.implementation.system)


@transaction.atomic
def decide_end_of_alternative(
    alternative: AlternativeImplementation,
    *,
    approve: bool,
    by: Actor,
    today: dt.date,
    version: int | None = None,
) -> None:
    """End it, or let it go on, by an officer who asked for neither it nor its end.

    Raises NotPermitted, StaleVersion, TransitionNotAllowed where no end is asked for,
    or none in time.
    """
    stored = _locked(alternative)
    require_officer(stored.implementation.system, by)
    if stored.state != AlternativeState.ENDING:
        raise TransitionNotAllowed("Nobody has asked to end it.")
    if not may_decide_end(stored, by):
        raise NotPermitted("Somebody who asked for neither it nor its end decides.")
    refuse_stale(stored, version)
    if approve:
        asked_on = _end_asked_on(stored)
        _refuse_lapsed(asked_on, today)
        stored.state = AlternativeState.ENDED
        stored.ended_by = by
        _save(stored, "state", "ended_by")
    else:
        stored.state = AlternativeState.APPROVED
        stored.end_requested_by = stored.ended_on = None
        stored.end_reason = ""
        _save(stored, "state", "end_requested_by", "ended_on", "end_reason")
    done = "ended" if approve else "end-refused"
    AuditEvent.objects.append(about(stored, f"alternative.{done}", by=by))
    alternative.refresh_from_db()


def _end_asked_on(stored: AlternativeImplementation) -> dt.date:
    """The system's day of the request: nothing has changed the row since."""
    return stored.implementation.system.day_of(stored.known_from)


def _save(stored: AlternativeImplementation, *columns: str) -> None:
    stored.version = F("version") + 1
    stored.save(update_fields=[*columns, "version"])


def _locked(alternative: AlternativeImplementation) -> AlternativeImplementation:
    """The row, locked after its control, as a new request locks them."""
    ControlImplementation.objects.select_for_update(of=("self",)).get(
        pk=alternative.implementation_id
    )
    locked = AlternativeImplementation.objects.select_for_update(of=("self",))
    return locked.select_related("implementation__system").get(pk=alternative.pk)
