"""Changing what held on days before today: asked by one officer, decided by another.

Each kind of fact registers what carries its change out and what it says in plain
words. Source: rules R31 and R32.

One file: a change is asked for, decided, taken back and lapses by one set of rules.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import F, Min

from controls.access import (
    require_officer,
    require_requester,
    require_second_officer,
)
from controls.approvals import (
    MAX_DAYS_TO_DECIDE,
    last_day_to_decide,
    refuse_stale,
)
from controls.errors import Refused, TransitionNotAllowed
from controls.history.clock import knowledge_now
from controls.models import (
    Actor,
    AuditEvent,
    ProviderDocument,
    RetrospectiveChange,
    System,
)
from controls.models.audit import Event, about
from controls.models.retrospect import TWO_OFFICERS_ON_ANY_DAY, RetrospectiveState
from controls.models.statements import DocumentState
from controls.reasons import refuse_long

Fact = tuple[str, str]  # what a page shows: a label and a text


@dataclass(frozen=True)
class RetrospectiveKind:
    """A fact that can be changed in retrospect.

    `carry_out(change, by=, today=)` runs in the transaction of the approval, with
    the system and the change locked; `by` is who approves. What it raises refuses
    the approval. `explain(change)` says in plain words what is to hold.
    """

    slug: str
    name: str
    carry_out: Callable[..., None]
    explain: Callable[[RetrospectiveChange], Iterable[Fact]]


_KINDS: dict[str, RetrospectiveKind] = {}


def _texts_of_body(change: RetrospectiveChange) -> Iterable[Fact]:
    """What is to hold, where the kind has no words of its own: the body's texts."""
    body: Mapping[str, Any] = change.body
    return [
        (key.replace("_", " ").capitalize(), str(value))
        for key, value in body.items()
        if not isinstance(value, (dict, list)) and value is not None
    ]


def applies(
    kind: str,
    *,
    name: str = "",
    explain: Callable[[RetrospectiveChange], Iterable[Fact]] = _texts_of_body,
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register the function that carries a `RetrospectiveKind` of change out.

    `name` is what people read ("Use of a component"); `explain` gives label and text
    of each thing that the change says.
    """

    def register(carry_out: Callable[..., None]) -> Callable[..., None]:
        shown = name or kind.replace("-", " ").capitalize()
        _KINDS[kind] = RetrospectiveKind(kind, shown, carry_out, explain)
        return carry_out

    return register


def kind_of(change: RetrospectiveChange) -> RetrospectiveKind:
    """The kind of a change. Raises LookupError for one that nobody registered."""
    return _KINDS[change.kind]


def first_day_of(system: System) -> dt.date:
    """The first day of which anything is said in a system.

    A system records no first day of its own: the earlier of its audit window's first
    day and the first day on which a component was in use.
    """
    used = system.components.aggregate(first=Min("used_from"))["first"]
    return min(system.window_start, used or system.window_start)


@transaction.atomic
def request_change(
    system: System,
    *,
    kind: str,
    body: Mapping[str, Any],
    first_day: dt.date,
    reason: str,
    by: Actor,
    today: dt.date,
) -> RetrospectiveChange:
    """Ask for a change on days before `today`, the system's day.

    Nothing changes until another officer approves. Raises NotPermitted, and Refused
    for a day that is not before today or lies before the system's first day, for a
    reason that is missing or too long; TransitionNotAllowed while the same waits.
    LookupError for an unknown kind.
    """
    if kind not in _KINDS:
        raise LookupError(f"Nothing carries out a change of the kind {kind}.")
    locked = System.objects.select_for_update(of=("self",)).get(pk=system.pk)
    require_officer(locked, by)
    refuse_long(reason)
    if not reason.strip():
        raise Refused({"reason": "Say why the past is to be changed."})
    if first_day >= today and kind not in TWO_OFFICERS_ON_ANY_DAY:
        raise Refused(
            {"first_day": "From today on one officer decides; nothing lies back."}
        )
    first = first_day_of(locked)
    if first_day < first:
        raise Refused({"first_day": f"The system's first day is {first}."})
    same = locked.retrospective_changes.waiting().filter(
        kind=kind,
        body=dict(body),
        requested_on__gte=today - dt.timedelta(days=MAX_DAYS_TO_DECIDE),
    )
    if waiting := same.select_related("requested_by").first():
        raise TransitionNotAllowed(
            f"{waiting.requested_by} has already asked for this."
        )
    change = RetrospectiveChange(
        system=locked,
        requested_by=by,
        kind=kind,
        body=dict(body),
        reason=reason.strip(),
        first_day=first_day,
        requested_on=today,
    )
    change.full_clean(exclude=["requested_by", "decided_by"])
    change.save(force_insert=True)
    AuditEvent.objects.append(_event(change, "requested", by=by, reason=change.reason))
    return change


def approve(
    change: RetrospectiveChange,
    *,
    by: Actor,
    today: dt.date,
    version: int | None = None,
) -> None:
    """Carry the change out, as an officer other than the requester.

    It is known from this transaction on. Raises NotPermitted, StaleVersion,
    TransitionNotAllowed for one that is decided or has lapsed, and whatever the kind
    of change refuses; then nothing is changed.
    """
    with transaction.atomic():
        stored = _to_decide(change, by=by, today=today, version=version)
        _settle(stored, RetrospectiveState.APPROVED, by)
        kind_of(stored).carry_out(stored, by=by, today=today)
        AuditEvent.objects.append(_event(stored, "approved", by=by))
    change.refresh_from_db()


def refuse(
    change: RetrospectiveChange,
    *,
    by: Actor,
    today: dt.date,
    version: int | None = None,
) -> None:
    """Leave everything as it is, as an officer other than the requester.

    Raises NotPermitted, StaleVersion, TransitionNotAllowed.
    """
    with transaction.atomic():
        stored = _to_decide(change, by=by, today=today, version=version)
        _settle(stored, RetrospectiveState.REFUSED, by)
        AuditEvent.objects.append(_event(stored, "refused", by=by))
    change.refresh_from_db()


def withdraw(
    change: RetrospectiveChange,
    *,
    by: Actor,
    today: dt.date,
    version: int | None = None,
) -> None:
    """Take the request back, as who made it, while nobody has decided.

    Raises NotPermitted, StaleVersion, TransitionNotAllowed.
    """
    with transaction.atomic():
        stored = _locked(change)
        require_requester(stored, stored.system, by)
        _refuse_not_waiting(stored, today, version)
        _settle(stored, RetrospectiveState.WITHDRAWN, None)
        AuditEvent.objects.append(_event(stored, "withdrawn", by=by))
    change.refresh_from_db()


@transaction.atomic
def lapse_undecided(system: System, today: dt.date) -> int:
    """Let requests lapse that nobody decided in time; returns how many.

    `today` is the system's day.
    """
    System.objects.select_for_update(of=("self",)).get(pk=system.pk)
    last = today - dt.timedelta(days=MAX_DAYS_TO_DECIDE)
    overdue = list(
        system.retrospective_changes.waiting()
        .filter(requested_on__lt=last)
        .select_for_update(of=("self",))
        .order_by("pk")
    )
    for stored in overdue:
        _settle(stored, RetrospectiveState.LAPSED, None)
    AuditEvent.objects.append_all(
        [_event(stored, "lapsed", by=None) for stored in overdue]
    )
    return len(overdue)


def _to_decide(
    change: RetrospectiveChange, *, by: Actor, today: dt.date, version: int | None
) -> RetrospectiveChange:
    """The change, locked after its system, where `by` may decide it today."""
    stored = _locked(change)
    require_second_officer(stored, stored.system, by)
    _refuse_not_waiting(stored, today, version)
    return stored


def _locked(change: RetrospectiveChange) -> RetrospectiveChange:
    """The change, locked after its system."""
    system = System.objects.select_for_update(of=("self",)).get(pk=change.system_id)
    stored = RetrospectiveChange.objects.select_for_update(of=("self",)).get(
        pk=change.pk
    )
    stored.system = system
    return stored


def _refuse_not_waiting(
    stored: RetrospectiveChange, today: dt.date, version: int | None
) -> None:
    """Raise TransitionNotAllowed unless the locked change waits, StaleVersion."""
    if stored.state == RetrospectiveState.LAPSED or (
        stored.state == RetrospectiveState.REQUESTED
        and today > last_day_to_decide(stored.requested_on)
    ):
        last = last_day_to_decide(stored.requested_on)
        raise TransitionNotAllowed(
            f"This request lapsed: it was to be decided by {last}. Ask for it again."
        )
    if stored.state == RetrospectiveState.WITHDRAWN:
        raise TransitionNotAllowed(f"{stored.requested_by} took this request back.")
    if stored.state != RetrospectiveState.REQUESTED:
        raise TransitionNotAllowed(f"{stored.decided_by} has already decided this.")
    refuse_stale(stored, version)


def _settle(
    stored: RetrospectiveChange, state: RetrospectiveState, by: Actor | None
) -> None:
    stored.state = state
    stored.decided_by = by
    stored.decided_at = knowledge_now()
    stored.version = F("version") + 1
    stored.save(update_fields=["state", "decided_by", "decided_at", "version"])
    if state != RetrospectiveState.APPROVED:
        waiting = ProviderDocument.objects.waiting().filter(change=stored.pk)
        waiting.update(state=DocumentState.REFUSED)


def _event(
    change: RetrospectiveChange, what: str, *, by: Actor | None, **body: Any
) -> Event:
    return about(
        change,
        f"retrospective-change.{what}",
        by=by,
        kind=change.kind,
        first_day=str(change.first_day),
        change=change.body,
        **body,
    )
