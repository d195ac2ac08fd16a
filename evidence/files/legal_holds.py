"""Legal holds: one officer says what must be kept, another that it need not (AU-07)."""

from __future__ import annotations

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from controls.access import is_officer, require_officer
from controls.errors import NotPermitted, Refused, TransitionNotAllowed
from controls.history.clock import knowledge_now
from controls.models import Actor, AuditEvent, System
from controls.models.audit import about
from controls.reasons import refuse_long
from evidence.files.held_bytes import set_legal_holds
from evidence.files.spill_removal import HELD, destroy_spill
from evidence.jobs.wake import wake
from evidence.models import (
    Evidence,
    EvidenceFile,
    LegalHold,
    Population,
    SpillRemoval,
)

ANOTHER_LIFTS = "Another officer must lift this: you placed it."


@transaction.atomic
def place_hold(
    system: System, *, evidence: Evidence | None = None, reason: str, by: Actor
) -> LegalHold:
    """From now on nobody destroys the bytes of one piece of evidence, or of all.

    Raises NotPermitted, Refused without a reason or for evidence of another system.
    """
    locked = System.objects.select_for_update(of=("self",)).get(pk=system.pk)
    require_officer(locked, by)
    refuse_long(reason)
    if not reason.strip():
        raise Refused({"reason": "Say why it must be kept."})
    if evidence is not None and evidence.system_id != locked.pk:
        raise Refused({"evidence": "That is evidence of another system."})
    hold = LegalHold(
        system=locked,
        evidence=evidence,
        placed_by=by,
        reason=reason.strip(),
        placed_at=knowledge_now(),
    )
    hold.save(force_insert=True)
    AuditEvent.objects.append(
        about(hold, "legal-hold.placed", by=by, reason=hold.reason, **_of(hold))
    )
    _wake_for(hold)
    return hold


@transaction.atomic
def lift_hold(hold: LegalHold, *, reason: str, by: Actor) -> None:
    """Let retention decide again; spills that waited for this are destroyed.

    Raises NotPermitted for whoever placed it and for all but officers, Refused without
    a reason, TransitionNotAllowed for one that is lifted.
    """
    System.objects.select_for_update(of=("self",)).get(pk=hold.system_id)
    stored = (
        LegalHold.objects.select_for_update(of=("self",))
        .select_related("system", "evidence", "lifted_by")
        .get(pk=hold.pk)
    )
    require_lifter(stored, by)
    refuse_long(reason)
    if stored.lifted_by is not None:
        raise TransitionNotAllowed(f"{stored.lifted_by} has already lifted this.")
    if not reason.strip():
        raise Refused({"reason": "Say why it need not be kept any longer."})
    stored.lifted_by, stored.lift_reason = by, reason.strip()
    stored.lifted_at = knowledge_now()
    stored.save(update_fields=["lifted_by", "lift_reason", "lifted_at"])
    woken = _destroy_what_was_held(stored)
    AuditEvent.objects.append(
        about(
            stored,
            "legal-hold.lifted",
            by=by,
            reason=stored.lift_reason,
            removals_that_waited=woken,
            **_of(stored),
        )
    )
    _wake_for(stored)
    hold.refresh_from_db()


def _wake_for(hold: LegalHold) -> None:
    """Have the bucket told after commit, where it keeps holds too."""
    if settings.EVIDENCE_S3_LEGAL_HOLD:
        wake(set_legal_holds, hold.pk)


def _destroy_what_was_held(hold: LegalHold) -> int:
    """Wake the removals that waited for a hold that is lifted; returns how many.

    Where another hold stands over the same bytes they wait on.
    """
    files = EvidenceFile.objects.filter(revision__evidence__system=hold.system_id)
    if hold.evidence_id is not None:
        files = files.filter(revision__evidence=hold.evidence_id)
    bytes_held = Q(file__blob__in=files.order_by().values("blob"))
    bytes_held |= Q(population__blob__in=files.order_by().values("blob"))
    if hold.evidence_id is None:
        bytes_held |= Q(
            population__blob__in=Population.objects.filter(system=hold.system_id)
            .order_by()
            .values("blob")
        )
    waiting = SpillRemoval.objects.filter(
        bytes_held, destroyed_at=None, kept_at__isnull=False, outcome=HELD
    )
    keys = list(waiting.order_by("pk").values_list("pk", flat=True))
    SpillRemoval.objects.filter(pk__in=keys).update(kept_at=None, attempts=0)
    for key in keys:
        wake(destroy_spill, key)
    return len(keys)


def may_lift(hold: LegalHold, by: Actor) -> bool:
    """Whether `by` is an officer who did not place the hold (R32)."""
    return hold.placed_by_id != by.pk and is_officer(by, hold.system)


def require_lifter(hold: LegalHold, by: Actor) -> None:
    """Raise NotPermitted unless `by` may lift the hold."""
    require_officer(hold.system, by)
    if not may_lift(hold, by):
        raise NotPermitted(ANOTHER_LIFTS)


def _of(hold: LegalHold) -> dict[str, str]:
    """What it stands over, for its events."""
    if hold.evidence is None:
        return {"over": "all evidence of the system"}
    return {"over": hold.evidence.title, "evidence": str(hold.evidence.uuid)}
