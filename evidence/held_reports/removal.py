"""The file of a report taken away: two persons, a reason, a record that stays."""

from __future__ import annotations

import datetime as dt
from typing import Any

from celery import shared_task
from django.db import transaction
from django.db.models import QuerySet

from controls.errors import NotPermitted, Refused, TransitionNotAllowed
from controls.history.clock import knowledge_now
from controls.models import Actor, AuditEvent
from controls.models.audit import Event, about
from controls.reasons import refuse_long
from evidence.files.held_bytes import let_go
from evidence.files.holders import (
    held_reports_on,
    holders_elsewhere,
    is_held,
    is_of_closing,
)
from evidence.files.spill_removal import settle_waiting
from evidence.held_reports.who_may import is_keeper, require_keeper
from evidence.jobs.kinds import Backoff, JobKind, MustWait
from evidence.jobs.leases import Lease
from evidence.jobs.wake import wake
from evidence.jobs.work import work_on
from evidence.models import Blob, ReportFile, ReportFileRemoval
from evidence.models.removals import RemovalState
from evidence.storage import StoreUnreachable, open_store

KEPT = (
    "Nobody opens it as a report any more. The bytes stay in the store: other records"
    " rest on the same ones."
)


@transaction.atomic
def request_report_removal(
    file: ReportFile, *, reason: str, by: Actor
) -> ReportFileRemoval:
    """Ask that the file be taken away; another keeper decides.

    Raises NotPermitted, Refused without a reason, TransitionNotAllowed where that is
    asked for, or done, already.
    """
    locked = ReportFile.objects.locked(file.pk)
    require_keeper(locked.artifact_version, by)
    refuse_long(reason)
    if not reason.strip():
        raise Refused({"reason": "Say why it has to go."})
    if locked.is_removed:
        raise TransitionNotAllowed("It is removed already.")
    if locked.removals.filter(state=RemovalState.REQUESTED).exists():
        raise TransitionNotAllowed("Its removal is already asked for.")
    removal = ReportFileRemoval(
        file=locked, requested_by_id=by.pk, reason=reason.strip()
    )
    removal.full_clean(exclude=["requested_by", "decided_by", "known_from"])
    removal.save(force_insert=True)
    AuditEvent.objects.append(
        about(file, "report-file.removal-requested", by=by, **_body(removal))
    )
    return removal


def _body(removal: ReportFileRemoval) -> dict[str, Any]:
    return {"sha256": removal.file.sha256, "reason": removal.reason}


def may_decide_report_removal(removal: ReportFileRemoval, by: Actor) -> bool:
    """Whether `by` is a keeper who did not ask for it (R32)."""
    is_other = removal.requested_by_id != by.pk
    return is_other and is_keeper(removal.file.artifact_version, by)


@transaction.atomic
def decide_report_removal(
    removal: ReportFileRemoval, *, approve: bool, by: Actor
) -> None:
    """Approve or refuse. Approved, nobody opens it any more, and a worker destroys the
    bytes, unless other records rest on them.

    Raises NotPermitted for who asked, TransitionNotAllowed where it is decided.
    """
    stored = _locked(removal, by)
    if stored.requested_by_id == by.pk:
        raise NotPermitted("You asked for this removal; somebody else must decide it.")
    _refuse_not_waiting(stored)
    stored.decided_by_id = by.pk
    stored.state = RemovalState.APPROVED if approve else RemovalState.REFUSED
    stored.save(update_fields=["state", "decided_by"])
    verb = f"report-file.removal-{stored.state.value}"
    AuditEvent.objects.append(about(stored.file, verb, by=by, **_body(stored)))
    if approve:
        wake(destroy_report, stored.pk)
    removal.refresh_from_db()


@transaction.atomic
def withdraw_report_removal(removal: ReportFileRemoval, *, by: Actor) -> None:
    """Take a removal back, as who asked for it, while nobody has decided.

    Raises NotPermitted, TransitionNotAllowed.
    """
    stored = _locked(removal, by)
    if stored.requested_by_id != by.pk:
        raise NotPermitted("Only whoever asked for this removal takes it back.")
    _refuse_not_waiting(stored)
    stored.state = RemovalState.WITHDRAWN
    stored.save(update_fields=["state"])
    AuditEvent.objects.append(
        about(stored.file, "report-file.removal-withdrawn", by=by, **_body(stored))
    )
    removal.refresh_from_db()


def _locked(removal: ReportFileRemoval, by: Actor) -> ReportFileRemoval:
    """The removal, locked after its file, for a keeper. Raises NotPermitted."""
    ReportFile.objects.locked(removal.file_id)
    rows = ReportFileRemoval.objects.select_for_update(of=("self",))
    stored: ReportFileRemoval = rows.for_listing().get(pk=removal.pk)
    require_keeper(stored.file.artifact_version, by)
    return stored


def _refuse_not_waiting(stored: ReportFileRemoval) -> None:
    if stored.state == RemovalState.WITHDRAWN:
        raise TransitionNotAllowed(f"{stored.requested_by} took this request back.")
    if stored.state != RemovalState.REQUESTED:
        raise TransitionNotAllowed(f"{stored.decided_by} has already decided this.")


class ReportRemovalJob(JobKind[ReportFileRemoval]):
    """Destroys the bytes of a report that was removed; records what became of them."""

    lease = dt.timedelta(minutes=10)  # longer than a store takes to answer
    max_attempts = 5
    backoff = Backoff(dt.timedelta(minutes=1), dt.timedelta(hours=1))
    patience_backoff = Backoff(dt.timedelta(minutes=1), dt.timedelta(minutes=30))
    max_wait = dt.timedelta(days=30)

    @property
    def task(self) -> Any:
        """See `destroy_report`."""
        return destroy_report

    def unfinished(self) -> QuerySet[ReportFileRemoval]:
        """Approved ones whose outcome is not written."""
        rows: QuerySet[ReportFileRemoval] = ReportFileRemoval.objects.filter(
            state=RemovalState.APPROVED, ended_at=None
        )
        return rows.select_related("file__blob", "file__artifact_version")

    def perform(self, lease: Lease[ReportFileRemoval]) -> None:
        """Mark the bytes as gone, destroy them, record it. May run twice."""
        if not _mark_purged(lease):
            return
        try:
            store, sha256 = open_store(), lease.job.file.sha256
            let_go(store, [sha256])
            outcome = store.destroy(sha256)
        except StoreUnreachable as away:
            raise MustWait(" ".join(away.messages)) from away
        _end(lease, outcome)

    def event_of_giving_up(self, job: ReportFileRemoval) -> Event:
        """The log keeps that the bytes are still there, and why."""
        return about(
            job.file, "report-file.removal-given-up", by=None, outcome=job.outcome
        )

    def event_of_beginning_anew(self, job: ReportFileRemoval) -> Event:
        """The log keeps that it is tried again."""
        return about(
            job.file, "report-file.removal-begun-anew", by=None, outcome=job.outcome
        )


REPORT_REMOVALS = ReportRemovalJob()


@transaction.atomic
def _mark_purged(lease: Lease[ReportFileRemoval]) -> bool:
    """Say that the bytes are gone; False where other records rest on the same ones."""
    lease.lock()
    blob = Blob.objects.select_for_update().get(pk=lease.job.file.blob_id)
    is_needed = held_reports_on(blob) or holders_elsewhere(blob)
    if is_needed or is_held(blob) or is_of_closing(blob):
        _finish(lease, KEPT)
        return False
    if blob.purged_at is None:
        blob.purged_at = knowledge_now()
        blob.save(update_fields=["purged_at"])
    return True


@transaction.atomic
def _end(lease: Lease[ReportFileRemoval], outcome: str) -> None:
    _finish(lease, outcome, *settle_waiting(lease.job.file.blob, outcome))


def _finish(lease: Lease[ReportFileRemoval], outcome: str, *events: Event) -> None:
    lease.finish(outcome=outcome, ended_at=knowledge_now())
    body = _body(lease.job) | {"outcome": outcome}
    removed = about(lease.job.file, "report-file.removed", by=None, **body)
    AuditEvent.objects.append_all([removed, *events])


@shared_task(name="evidence.tasks.destroy_report", ignore_result=True, acks_late=True)
def destroy_report(removal_pk: int) -> None:
    """Destroy the bytes of a removed report; may run twice."""
    work_on(REPORT_REMOVALS, removal_pk)
