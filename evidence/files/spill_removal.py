"""Spilled data taken out of the store: two officers, a reason, a record that stays."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from django.db import transaction
from django.db.models import F

from controls.errors import Refused, TransitionNotAllowed
from controls.models import Actor, AuditEvent, System
from controls.models.audit import Event, about
from evidence.files.who_may import require_removal_decider, require_removal_requester
from evidence.jobs.wake import wake
from evidence.models import Blob, EvidenceFile, EvidenceLink, LinkState, Proof
from evidence.models.removals import RemovalState, SpillRemoval
from evidence.status.control_status import now
from evidence.storage import open_store

STANDING = (LinkState.DRAFT, LinkState.SUBMITTED, LinkState.ACCEPTED)
KEPT = "The bytes stay: evidence of another system holds the same ones."


@transaction.atomic
def request_removal(file: EvidenceFile, *, reason: str, by: Actor) -> SpillRemoval:
    """Ask for a file's bytes to be destroyed. Officers only; another one decides."""
    system = file.revision.evidence.system
    require_removal_requester(file, by)
    if not reason.strip():
        raise Refused({"reason": "Say what was spilled."})
    removal = SpillRemoval(
        system=system, file=file, requested_by=by, reason=reason.strip()
    )
    removal.full_clean(exclude=["requested_by", "decided_by", "known_from"])
    removal.save(force_insert=True)
    AuditEvent.objects.append(
        about(removal, "removal.requested", by=by, **_said(removal))
    )
    return removal


def _said(removal: SpillRemoval) -> dict[str, Any]:
    file = removal.file
    return {
        "file": file.name,
        "sha256": file.blob.sha256,
        "evidence": str(file.revision.evidence.uuid),
        "reason": removal.reason,
    }


@transaction.atomic
def decide_removal(removal: SpillRemoval, *, approve: bool, by: Actor) -> None:
    """Approve or refuse, by an officer who did not ask for it.

    Approved, every link that rests on the same bytes in this system is withdrawn, and
    a worker destroys the bytes once that is recorded.
    """
    stored = _locked(removal, by)
    stored.decided_by = by
    stored.state = RemovalState.APPROVED if approve else RemovalState.REFUSED
    stored.save(update_fields=["state", "decided_by"])
    verb = f"removal.{stored.state.value}"
    events = [about(stored, verb, by=by, **_said(stored))]
    if approve:
        events += _withdraw_all(stored, by)

        wake(destroy_spill, stored.pk)
    AuditEvent.objects.append_all(events)
    removal.refresh_from_db()


def _locked(removal: SpillRemoval, by: Actor) -> SpillRemoval:
    System.objects.select_for_update(of=("self",)).get(pk=removal.system_id)
    stored = (
        SpillRemoval.objects.select_for_update(of=("self",))
        .for_listing()
        .get(pk=removal.pk)
    )
    require_removal_decider(stored, by)
    if stored.state != RemovalState.REQUESTED:
        raise TransitionNotAllowed(f"{stored.decided_by} has already decided this.")
    return stored


def _withdraw_all(removal: SpillRemoval, by: Actor) -> list[Event]:
    """Withdraw what rests on the bytes in the system; the events are returned."""
    links = list(
        EvidenceLink.objects.locked().filter(
            system=removal.system_id,
            state__in=STANDING,
            revision__files__blob=removal.file.blob_id,
        )
    )
    pks = [link.pk for link in links]
    EvidenceLink.objects.filter(pk__in=pks).update(
        state=LinkState.WITHDRAWN, version=F("version") + 1
    )
    Proof.objects.follow_all(pks)
    reason = f"Spill removed: {removal.reason}"
    return [about(each, "evidence.withdrawn", by=by, reason=reason) for each in links]


def sweep() -> int:
    """Wake what is approved and not destroyed yet. Called every 30 s by beat."""

    found = list(SpillRemoval.objects.undone().order_by("pk")[:50])
    for removal in found:
        wake(destroy_spill, removal.pk)
    return len(found)


def destroy(pk: int) -> str:
    """Destroy the bytes of an approved removal, and record what became of them.

    May run twice. Bytes that evidence of another system holds as well are kept, and
    the record says so: that system's officers decide about theirs.
    """
    removal = SpillRemoval.objects.for_listing().get(pk=pk)
    if removal.state != RemovalState.APPROVED or removal.destroyed_at:
        return removal.outcome
    if not _mark_purged(removal):
        return _done(removal, KEPT)
    return _done(removal, open_store().destroy(removal.file.blob.sha256))


@transaction.atomic
def _mark_purged(removal: SpillRemoval) -> bool:
    """Say that the bytes are gone, unless another system needs them.

    Waits for uploads of the same bytes; those that come later find the mark.
    """
    blob = Blob.objects.select_for_update().get(pk=removal.file.blob_id)
    if _held_elsewhere(removal):
        return False
    if blob.purged_at is None:
        blob.purged_at = now()
        blob.save(update_fields=["purged_at"])
    return True


def _held_elsewhere(removal: SpillRemoval) -> bool:
    """Whether evidence of another system rests on the same bytes, not removed there."""
    others = EvidenceFile.objects.filter(blob=removal.file.blob_id).exclude(
        revision__evidence__system=removal.system_id
    )
    return others.exclude(removals__state=RemovalState.APPROVED).exists()


@transaction.atomic
def _done(removal: SpillRemoval, outcome: str) -> str:
    marked = SpillRemoval.objects.filter(pk=removal.pk, destroyed_at=None)
    if marked.update(outcome=outcome, destroyed_at=now()):
        said = {**_said(removal), "outcome": outcome}
        AuditEvent.objects.append(about(removal, "removal.done", by=None, **said))
    return outcome


# The name is fixed: messages of the version before name it so.
@shared_task(name="evidence.tasks.destroy_spill", ignore_result=True, acks_late=True)
def destroy_spill(removal_pk: int) -> None:
    """Destroy the bytes of an approved removal; may run twice."""
    destroy(removal_pk)
