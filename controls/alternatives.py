"""Meeting a control in another way than it says: asked for and approved (R10, R32).

`early_ends` ends it before its last day.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection
from dataclasses import dataclass

from django.db import transaction
from django.db.models import F

from controls.access import require_officer
from controls.approvals import refuse_decided, refuse_endless
from controls.errors import Refused, TransitionNotAllowed
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
from controls.retrospect import first_day_of

REVIEW_AFTER = dt.timedelta(days=365)  # unless the request names another day
PEOPLE = ("requested_by", "decided_by", "end_requested_by", "ended_by")
NEVER_HELD = (
    AlternativeState.REFUSED,
    AlternativeState.LAPSED,
    AlternativeState.WITHDRAWN,
)
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
    refuse_endless("review_by", draft.starts_on, draft.review_by)
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
        raise Refused({name: "Fill this in: another officer decides by it."})
    return text


def _refuse_day(
    stored: ControlImplementation, starts_on: dt.date, today: dt.date
) -> None:
    """Only the first statement names an earlier day than today (R31)."""
    if starts_on >= today:
        return
    if stored.alternatives.exclude(state__in=NEVER_HELD).exists():
        sentence = "Choose today or a later day: only the first one may begin earlier."
        raise Refused({"starts_on": sentence})
    begins = first_day_of(stored.system)
    if starts_on < begins:
        raise Refused({"starts_on": f"The system's first day is {begins}."})


def _refuse_others(alternative: AlternativeImplementation) -> None:
    """Raise TransitionNotAllowed for one that waits, or holds on a day of this one."""
    others = alternative.implementation.alternatives.exclude(pk=alternative.pk)
    for other in others.exclude(state__in=NEVER_HELD):
        if other.state == AlternativeState.REQUESTED:
            raise TransitionNotAllowed(
                f"{other.requested_by} has already asked for this."
            )
        if (
            other.starts_on <= alternative.review_by
            and alternative.starts_on <= other.last_day
        ):
            raise TransitionNotAllowed(
                f"An alternative holds from {other.starts_on} to {other.last_day}"
                " already."
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

    Raises NotPermitted, StaleVersion, and TransitionNotAllowed for one that is decided
    or lapsed.
    """
    stored = _locked(alternative)
    refuse_decided(stored, version, by=by, today=today)
    stored.state = AlternativeState.APPROVED if approve else AlternativeState.REFUSED
    stored.decided_by = by
    _save(stored, "state", "decided_by")
    AuditEvent.objects.append(about(stored, f"alternative.{stored.state}", by=by))
    alternative.refresh_from_db()


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
