"""An auditor marks controls, one by one or several in one act (R29).

Marks change no verdict and no count of ours. Each version of a row is kept; who saw an
older one is told so and overwrites nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import transaction

from controls.errors import Refused, StaleVersion
from controls.grammar import count_of
from controls.models import Actor, AuditEvent, ControlImplementation, Engagement
from controls.models.audit import Event, about
from controls.reasons import refuse_long
from evidence.engagements.scope import refuse_out_of_scope
from evidence.engagements.who_may import locked_for_marking
from evidence.models import ControlMark
from evidence.models.marks import MarkState

MAX_AT_ONCE = 200  # controls marked in one act
NO_VERSION = 0  # of a control that nobody has marked


@dataclass(frozen=True)
class MarkDraft:
    """What an auditor says of a control."""

    state: str
    methods: tuple[str, ...] = ()
    reference: str = ""
    note: str = ""


@dataclass(frozen=True)
class SeenState:
    """A state to set, and the version of the mark that it was chosen on."""

    state: str
    version: int


@transaction.atomic
def mark_control(
    engagement: Engagement,
    implementation: ControlImplementation,
    draft: MarkDraft,
    *,
    by: Actor,
    now: dt.datetime,
    version: int | None = None,
) -> ControlMark:
    """Say how far one control is, how it was looked at, and what about it.

    `version` is that of the mark that was seen, 0 for none. Raises NotPermitted,
    TransitionNotAllowed (the engagement has ended), StaleVersion, Refused by field.
    """
    stored = locked_for_marking(engagement, by=by)
    _refuse_other_system(stored, implementation)
    refuse_out_of_scope(stored, [implementation])
    refuse_long(draft.note, "note")
    mark = _row(stored, implementation)
    _refuse_stale([mark], {implementation.pk: version})
    mark.state = draft.state
    mark.methods = sorted(set(draft.methods))
    mark.reference, mark.note = draft.reference.strip(), draft.note.strip()
    event = _saved(mark, by, now)
    AuditEvent.objects.append(event)
    return mark


@transaction.atomic
def mark_several(
    engagement: Engagement,
    seen: Mapping[ControlImplementation, SeenState],
    *,
    by: Actor,
    now: dt.datetime,
) -> int:
    """Set the state of several controls; what else their marks say stays.

    All or none. Returns how many were changed. Raises as `mark_control`.
    """
    stored = locked_for_marking(engagement, by=by)
    if len(seen) > MAX_AT_ONCE:
        most = count_of(MAX_AT_ONCE, "control")
        raise Refused(f"Mark at most {most} at a time.")
    for implementation in seen:
        _refuse_other_system(stored, implementation)
    refuse_out_of_scope(stored, list(seen))
    there = {
        mark.implementation_id: mark
        for mark in ControlMark.objects.select_for_update(of=("self",))
        .select_related("implementation__control", "system")
        .filter(engagement=stored, implementation__in=list(seen))
        .order_by("pk")
    }
    marks = [there.get(one.pk) or _new(stored, one) for one in seen]
    _refuse_stale(marks, {one.pk: state.version for one, state in seen.items()})
    states = {one.pk: state.state for one, state in seen.items()}
    events = []
    for mark in marks:
        mark.state = states[mark.implementation_id]
        events.append(_saved(mark, by, now))
    AuditEvent.objects.append_all(events)
    return len(events)


def _refuse_other_system(
    engagement: Engagement, implementation: ControlImplementation
) -> None:
    if implementation.system_id != engagement.system_id:
        raise Refused("This control is of another system.")


def _row(engagement: Engagement, implementation: ControlImplementation) -> ControlMark:
    rows = ControlMark.objects.select_for_update(of=("self",)).select_related(
        "implementation__control", "system"
    )
    mark = rows.filter(engagement=engagement, implementation=implementation).first()
    return mark or _new(engagement, implementation)


def _new(engagement: Engagement, implementation: ControlImplementation) -> ControlMark:
    return ControlMark(
        system=engagement.system,
        engagement=engagement,
        implementation=implementation,
        state=MarkState.NOT_STARTED,
        version=NO_VERSION,
    )


def _refuse_stale(marks: list[ControlMark], seen: Mapping[int, int | None]) -> None:
    """Raise StaleVersion naming the controls that somebody else marked meanwhile."""
    stale = [
        mark.implementation.control.label
        for mark in marks
        if seen[mark.implementation_id] not in (None, mark.version)
    ]
    if stale:
        raise StaleVersion(
            "Somebody else has marked these since you opened the page:"
            f" {', '.join(stale)}. Nothing was saved. Look again."
        )


def _saved(mark: ControlMark, by: Actor, now: dt.datetime) -> Event:
    """The row one version on, and its event, to be written last."""
    mark.marked_by, mark.marked_at = by, now
    mark.version += 1  # under the engagement's lock: nobody else counts meanwhile
    try:
        mark.full_clean(exclude=["known_from"], validate_unique=False)
    except ValidationError as refusal:
        raise Refused(refusal) from None
    mark.save()
    return about(
        mark,
        "control.marked",
        by=by,
        engagement=str(mark.engagement.uuid),
        control=mark.implementation.control.label,
        state=mark.state,
        methods=mark.methods,
        reference=mark.reference,
        note=mark.note,
    )
