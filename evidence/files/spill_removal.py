"""Spilled data taken out of the store: two officers, a reason, a record that stays."""

from __future__ import annotations

import datetime as dt
from typing import Any

from celery import shared_task
from django.db import transaction
from django.db.models import F, QuerySet

from controls.errors import Refused, TransitionNotAllowed
from controls.models import Actor, AuditEvent, System
from controls.models.audit import Event, about
from evidence.files.who_may import require_removal_decider, require_removal_requester
from evidence.jobs.kinds import Backoff, JobKind, MustWait
from evidence.jobs.leases import Lease
from evidence.jobs.wake import wake
from evidence.jobs.work import work_on
from evidence.models import Blob, EvidenceFile, EvidenceLink, LinkState, Proof
from evidence.models.removals import RemovalState, SpillRemoval
from evidence.status.control_status import now
from evidence.storage import StoreUnreachable, open_store

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
        about(removal, "removal.requested", by=by, **_event_body(removal))
    )
    return removal


def _event_body(removal: SpillRemoval) -> dict[str, Any]:
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
    events = [about(stored, verb, by=by, **_event_body(stored))]
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
    return [about(link, "evidence.withdrawn", by=by, reason=reason) for link in links]


class RemovalJob(JobKind[SpillRemoval]):
    """Destroys the bytes of an approved removal, and records what became of them.

    Bytes that evidence of another system holds as well are kept, and the record says
    so: that system's officers decide about theirs.
    """

    lease = dt.timedelta(minutes=10)  # longer than a store takes to answer
    max_attempts = 5
    backoff = Backoff(dt.timedelta(minutes=1), dt.timedelta(hours=1))
    patience_backoff = Backoff(dt.timedelta(minutes=1), dt.timedelta(minutes=30))
    max_wait = dt.timedelta(days=30)

    @property
    def task(self) -> Any:
        """See `destroy_spill`."""
        return destroy_spill

    def unfinished(self) -> QuerySet[SpillRemoval]:
        """Approved ones whose bytes are there."""
        return SpillRemoval.objects.undone().for_listing()

    def perform(self, lease: Lease[SpillRemoval]) -> None:
        """Mark the bytes as gone, destroy them, record it. May run twice."""
        if not _mark_purged(lease):
            _record(lease, KEPT)
            return
        try:
            outcome = open_store().destroy(lease.job.file.blob.sha256)
        except StoreUnreachable as away:
            raise MustWait(" ".join(away.messages)) from away
        _record(lease, outcome)

    def event_of_giving_up(self, job: SpillRemoval) -> Event:
        """The officers' log keeps that the bytes are still there, and why."""
        return about(job, "removal.given-up", by=None, outcome=job.outcome)

    def event_of_beginning_anew(self, job: SpillRemoval) -> Event:
        """The officers' log keeps that it is tried again, and why it had ended."""
        return about(job, "removal.begun-anew", by=None, outcome=job.outcome)


REMOVALS = RemovalJob()


@transaction.atomic
def _mark_purged(lease: Lease[SpillRemoval]) -> bool:
    """Say that the bytes are gone, unless another system needs them.

    Waits for uploads of the same bytes; those that come later find the mark.
    """
    lease.lock()
    blob = Blob.objects.select_for_update().get(pk=lease.job.file.blob_id)
    if _held_elsewhere(lease.job):
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
def _record(lease: Lease[SpillRemoval], outcome: str) -> None:
    lease.finish(outcome=outcome, destroyed_at=now())
    body = {**_event_body(lease.job), "outcome": outcome}
    AuditEvent.objects.append(about(lease.job, "removal.done", by=None, **body))


def destroy(pk: int) -> str:
    """Destroy the bytes of an approved removal unless a worker does.

    Returns what became of them, empty before that.
    """
    work_on(REMOVALS, pk)
    return str(SpillRemoval.objects.values_list("outcome", flat=True).get(pk=pk))


# The name is fixed: messages of the version before name it so.
@shared_task(name="evidence.tasks.destroy_spill", ignore_result=True, acks_late=True)
def destroy_spill(removal_pk: int) -> None:
    """Destroy the bytes of an approved removal; may run twice."""
    work_on(REMOVALS, removal_pk)
