"""When the reference data changes: what would become of a system's classes, then so.

Loading or editing readings changes no class by itself. An officer sees the changes
and records them as decisions like any other; as-of answers read those. Source: R8.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass

from django.db import transaction

from controls.access import require_officer
from controls.errors import NotPermitted, TransitionNotAllowed
from controls.models import (
    Actor,
    AuditEvent,
    ControlImplementation,
    ReferenceVersion,
    System,
)
from controls.models.audit import INSTANCE_CHAIN, about
from controls.responsibility.decide import pending, redecide
from controls.responsibility.rulings import PARTIES
from controls.responsibility.timelines import FIRST, LAST

EDITS = ("reading.added", "reading.changed", "reading.removed")
CHANGED = "The changes are different by now. Look again before you record them."


@dataclass(frozen=True)
class ReadingChange:
    """One control whose class or basis would change on some days.

    `start` is inclusive, `end` exclusive; None means without bound. `before` is None
    where nothing was decided.
    """

    implementation: ControlImplementation
    start: dt.date | None
    end: dt.date | None
    before: str | None
    after: str
    after_basis: str

    @property
    def basis_only(self) -> bool:
        """Whether the class stays and only its reason changes."""
        return self.before == self.after

    @property
    def takes_a_half_away(self) -> bool:
        """Whether a party that the record names would have nothing to prove."""
        held = PARTIES[self.before] if self.before else frozenset()
        return not held <= PARTIES[self.after]


def preview(system: System) -> list[ReadingChange]:
    """What the newest readings would change, in catalog order. Writes nothing."""
    with transaction.atomic():
        changes = _changes(system)
        transaction.set_rollback(True)
    return sorted(changes, key=lambda change: change.implementation.control.sort_order)


def _changes(system: System) -> list[ReadingChange]:
    return [
        ReadingChange(
            implementation=implementation,
            start=None if span.start == FIRST else span.start,
            end=None if span.end == LAST else span.end,
            before=before.responsibility if before else None,
            after=span.value.responsibility,
            after_basis=span.value.basis,
        )
        for implementation, span, before in pending(system)
    ]


def digest_of(changes: list[ReadingChange]) -> str:
    """sha256 in hex over what a person saw, whatever the order."""
    lines = sorted(
        f"{c.implementation.pk} {c.start} {c.end} {c.before} {c.after} {c.after_basis}"
        for c in changes
    )
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


@transaction.atomic
def adopt(system: System, *, by: Actor, seen: str) -> int:
    """Record the previewed changes as decisions; the number of controls changed.

    Raises NotPermitted for all but officers, and for who edited a reading that waits
    where a half would have nothing to prove any more; TransitionNotAllowed when the
    changes are no longer those with the digest `seen`.
    """
    require_officer(system, by)
    locked = System.objects.select_for_update(of=("self",)).get(pk=system.pk)
    changes = _changes(locked)
    if digest_of(changes) != seen:
        raise TransitionNotAllowed(CHANGED)
    _refuse_own_edits(locked, changes, by)
    version = ReferenceVersion.objects.newest()
    reason = f"Reference data {version} read again"
    changed = redecide(locked, by=by, reason=reason, before=None)
    AuditEvent.objects.append(
        about(
            locked,
            "responsibility.reread",
            by=by,
            reference_version=str(version),
            controls=changed,
        )
    )
    return changed


def _refuse_own_edits(system: System, changes: list[ReadingChange], by: Actor) -> None:
    """Nobody takes a half away by a reading of their own making (R32)."""
    if not any(change.takes_a_half_away for change in changes):
        return
    edits = AuditEvent.objects.filter(chain=INSTANCE_CHAIN, verb__in=EDITS, actor=by)
    last = _last_compared(system)
    if last is not None:
        edits = edits.filter(at__gt=last.at)
    if edits.exists():
        raise NotPermitted(
            "You edited readings since they were last compared, and a half would have"
            " nothing to prove any more: another officer has to record it."
        )


def _last_compared(system: System) -> AuditEvent | None:
    return (
        AuditEvent.objects.filter(
            chain=str(system.uuid),
            verb__in=["system.created", "responsibility.reread"],
        )
        .order_by("-seq")
        .first()
    )


def unreviewed_reference(system: System) -> ReferenceVersion | None:
    """Reference data loaded since an officer last compared the system with it."""
    last = _last_compared(system)
    newest = ReferenceVersion.objects.newest()
    if newest is None or last is None or newest.loaded_at <= last.at:
        return None
    return newest
