"""Spilled data taken out of the store: two officers, a reason, a record that stays.

One file: removals are asked for, decided and done by one rule about who holds bytes.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from celery import shared_task
from django.db import transaction
from django.db.models import F, Q, QuerySet

from controls.access import require_requester
from controls.errors import Refused, TransitionNotAllowed
from controls.models import Actor, AuditEvent, System
from controls.models.audit import Event, about
from evidence.files.held_bytes import let_go
from evidence.files.holders import (
    held_reports_on,
    holders_elsewhere,
    holders_of,
    is_held,
    is_of_closing,
)
from evidence.files.spilled_populations import withdraw_populations
from evidence.files.who_may import require_removal_decider, require_removal_requester
from evidence.jobs.kinds import Backoff, JobKind, MustWait
from evidence.jobs.leases import Lease
from evidence.jobs.wake import wake
from evidence.jobs.work import work_on
from evidence.models import (
    Blob,
    EvidenceFile,
    EvidenceLink,
    LinkState,
    Population,
    Proof,
)
from evidence.models.removals import NOT_REMOVED, RemovalState, SpillRemoval
from evidence.status.control_status import now
from evidence.storage import StoreUnreachable, open_store

STANDING = (LinkState.DRAFT, LinkState.SUBMITTED, LinkState.ACCEPTED)
KEPT = (
    "The bytes stay in the store: records of another system rest on the same ones, and"
    " its officers have not approved yet."
)
HELD = (
    "The bytes stay in the store: they are under a legal hold. They are destroyed once"
    " it is lifted."
)
OF_CLOSING = (
    "The bytes stay in the store: a file that was kept when a window closed is the same"
    " ones. Nobody opens them as this record any more."
)
HELD_AS_REPORT = (
    "The bytes stay in the store: they are also held as a provider's report."
    " They are destroyed once that is removed from the register of reports."
)
NOT_HERE_ANY_MORE = "The bytes are removed from this system already."


@transaction.atomic
def request_removal(file: EvidenceFile, *, reason: str, by: Actor) -> SpillRemoval:
    """Ask for a file's bytes to be destroyed. Officers only; another one decides.

    Raises NotPermitted, Refused without a reason, TransitionNotAllowed where they are
    removed or that is asked for already.
    """
    system = file.revision.evidence.system
    require_removal_requester(file, by)
    if not reason.strip():
        raise Refused({"reason": "Say what was spilled."})
    System.objects.select_for_update(of=("self",)).get(pk=system.pk)
    file = EvidenceFile.objects.for_opening().get(pk=file.pk)
    if file.is_removed:
        raise TransitionNotAllowed(NOT_HERE_ANY_MORE)
    if file.removals.exclude(state__in=NOT_REMOVED).exists():
        raise TransitionNotAllowed("Its removal is already asked for.")
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
    body = {"sha256": removal.blob.sha256, "reason": removal.reason}
    if removal.file:
        evidence = str(removal.file.revision.evidence.uuid)
        return {"file": removal.file.name, "evidence": evidence} | body
    return {"population": str(removal.population and removal.population.uuid)} | body


@transaction.atomic
def decide_removal(removal: SpillRemoval, *, approve: bool, by: Actor) -> None:
    """Approve or refuse, by an officer who did not ask for it, here or elsewhere.

    Approved, every link and population that rests on the same bytes in this system is
    withdrawn, nobody opens them here any more, and a worker destroys them once that is
    recorded, unless records of other systems rest on them too.
    """
    stored = _locked(removal)
    require_removal_decider(stored, by)
    _refuse_not_waiting(stored)
    stored.decided_by = by
    stored.state = RemovalState.APPROVED if approve else RemovalState.REFUSED
    stored.save(update_fields=["state", "decided_by"])
    verb = f"removal.{stored.state.value}"
    events = [about(stored, verb, by=by, **_event_body(stored))]
    if approve:
        events += withdraw_populations(stored, by=by)
        events += _withdraw_all(stored, by)
        _remove_here(stored)
        wake(destroy_spill, stored.pk)
    AuditEvent.objects.append_all(events)
    removal.refresh_from_db()


@transaction.atomic
def withdraw_removal(removal: SpillRemoval, *, by: Actor) -> None:
    """Take a removal back, as who asked for it, while nobody has decided.

    Raises NotPermitted, TransitionNotAllowed.
    """
    stored = _locked(removal)
    require_requester(stored, stored.system, by)
    _refuse_not_waiting(stored)
    stored.state = RemovalState.WITHDRAWN
    stored.save(update_fields=["state"])
    body = _event_body(stored)
    AuditEvent.objects.append(about(stored, "removal.withdrawn", by=by, **body))
    removal.refresh_from_db()


def _locked(removal: SpillRemoval) -> SpillRemoval:
    System.objects.select_for_update(of=("self",)).get(pk=removal.system_id)
    stored = (
        SpillRemoval.objects.select_for_update(of=("self",))
        .for_listing()
        .get(pk=removal.pk)
    )
    return stored


def _refuse_not_waiting(stored: SpillRemoval) -> None:
    if stored.state == RemovalState.WITHDRAWN:
        raise TransitionNotAllowed(f"{stored.asked_by} took this request back.")
    if stored.state != RemovalState.REQUESTED:
        raise TransitionNotAllowed(f"{stored.decided_by} has already decided this.")


def _withdraw_all(removal: SpillRemoval, by: Actor) -> list[Event]:
    """Withdraw what rests on the bytes in the system; the events are returned."""
    links = list(
        EvidenceLink.objects.locked().filter(
            system=removal.system_id,
            state__in=STANDING,
            revision__files__blob=removal.blob,
        )
    )
    pks = [link.pk for link in links]
    EvidenceLink.objects.filter(pk__in=pks).update(
        state=LinkState.WITHDRAWN, version=F("version") + 1
    )
    Proof.objects.follow_all(pks)
    reason = f"Spill removed: {removal.reason}"
    return [about(link, "evidence.withdrawn", by=by, reason=reason) for link in links]


def _remove_here(removal: SpillRemoval) -> Blob:
    """The locked row of the bytes; nobody opens or brings them in this system now."""
    blob = Blob.objects.select_for_update().get(pk=removal.blob.pk)
    blob.removed_in = sorted({*(blob.removed_in or ()), removal.system_id})
    blob.save(update_fields=["removed_in"])
    return blob


class RemovalJob(JobKind[SpillRemoval]):
    """Destroys the bytes of an approved removal, and records what became of them.

    Bytes on which records of another system rest as well are kept, and the record says
    so: the officers of each such system are asked, and the last one's removal ends it.
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
            return
        store, sha256 = open_store(), lease.job.blob.sha256
        try:
            let_go(store, [sha256])
            outcome = store.destroy(sha256)
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
    """Say that the bytes are gone, unless another system needs them: it is asked.

    Waits for uploads of the same bytes; those that come later find the mark.
    """
    # Before the removal, as those who decide lock them; no hold is placed meanwhile.
    concerned = System.objects.filter(pk__in=holders_of(lease.job.blob))
    list(concerned.select_for_update(of=("self",)).order_by("pk"))
    lease.lock()
    blob = _remove_here(lease.job)
    holders = holders_elsewhere(blob)
    if holders:
        _keep(lease, KEPT, *(_ask(lease.job, system, blob) for system in holders))
        return False
    if is_held(blob):
        _keep(lease, HELD)
        return False
    if is_of_closing(blob):
        _keep(lease, OF_CLOSING)
        return False
    if held_reports_on(blob):
        _keep(lease, HELD_AS_REPORT)
        return False
    if blob.purged_at is None:
        blob.purged_at = now()
        blob.save(update_fields=["purged_at"])
    return True


def _keep(lease: Lease[SpillRemoval], outcome: str, *requests: Event | None) -> None:
    """Let go of a removal whose bytes stay, with the reason; events come last."""
    lease.finish(outcome=outcome, kept_at=now())
    body = {**_event_body(lease.job), "outcome": outcome}
    kept = about(lease.job, "removal.kept", by=None, **body)
    AuditEvent.objects.append_all([kept, *filter(None, requests)])


def _ask(removal: SpillRemoval, system: int, blob: Blob) -> Event | None:
    """Ask the officers of another system; None where somebody asked them before.

    They are told why and about which record of theirs, and nothing of who asks.
    """
    first = removal.follows or removal
    before = SpillRemoval.objects.of_bytes(blob).filter(system=system)
    if before.filter(Q(state=RemovalState.REQUESTED) | Q(follows=first)).exists():
        return None
    files = EvidenceFile.objects.filter(blob=blob, revision__evidence__system=system)
    file = files.select_related("revision__evidence").order_by("pk").first()
    populations = Population.objects.filter(blob=blob, system=system).order_by("pk")
    follower = SpillRemoval(
        system_id=system,
        file=file,
        population=None if file else populations.first(),
        follows=first,
        reason=removal.reason,
    )
    follower.save(force_insert=True)
    return about(follower, "removal.requested", by=None, **_event_body(follower))


@transaction.atomic
def _record(lease: Lease[SpillRemoval], outcome: str) -> None:
    """Write what became of the bytes, here and where a removal waited for this one."""
    lease.finish(outcome=outcome, destroyed_at=now())
    events = [_done(lease.job, outcome), *settle_waiting(lease.job.blob, outcome)]
    AuditEvent.objects.append_all(events)


def settle_waiting(blob: Blob, outcome: str) -> list[Event]:
    """Write to removals that waited for these bytes that they are destroyed.

    Returns the events, to be written last in the caller's transaction.
    """
    waited = SpillRemoval.objects.of_bytes(blob).filter(
        state=RemovalState.APPROVED, destroyed_at=None, kept_at__isnull=False
    )
    events = []
    for removal in waited.for_listing().select_for_update(of=("self",)).order_by("pk"):
        removal.outcome, removal.destroyed_at, removal.kept_at = outcome, now(), None
        removal.save(update_fields=["outcome", "destroyed_at", "kept_at"])
        events.append(_done(removal, outcome))
    return events


def _done(removal: SpillRemoval, outcome: str) -> Event:
    body = {**_event_body(removal), "outcome": outcome}
    return about(removal, "removal.done", by=None, **body)


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
