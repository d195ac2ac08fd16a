"""Viruses: each new file waits for clamd, and counts for nothing before it is clean.

Without CLAMAV_URL nothing is scanned, and pages say so. Source: UP-10.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any, BinaryIO

from celery import shared_task
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from controls.models import AuditEvent
from controls.models.audit import Event
from evidence.files.clamd import Clamd, LongerThanTaken, ScannerFailed
from evidence.jobs.kinds import AttemptFailed, Backoff, CannotBeDone, JobKind, MustWait
from evidence.jobs.leases import Lease, revive
from evidence.jobs.wake import wake
from evidence.jobs.work import work_on
from evidence.models.blobs import Blob, ScanState
from evidence.status.control_status import now
from evidence.storage import StoreUnreachable, open_store

TIMEOUT = 120  # seconds without an answer
WAITING = (ScanState.PENDING, ScanState.ERROR)
PIECE = 64 * 1024  # bytes
TOO_LONG = "Longer than the scanner takes: raise StreamMaxLength of clamd."


def scanning() -> bool:
    """Whether uploads are scanned here."""
    return bool(settings.CLAMAV_URL)


def first_state() -> str:
    """The state of bytes that nobody has looked at."""
    return ScanState.PENDING if scanning() else ScanState.NOT_SCANNED


def ask_for_scan(blob: Blob) -> None:
    """Have a worker scan it after commit.

    Bytes from before the scanner as well, and bytes on which it gave up before.
    """
    if not scanning() or blob.scan_state in {ScanState.CLEAN, ScanState.INFECTED}:
        return
    rows = Blob.objects.filter(pk=blob.pk)
    rows.filter(scan_state=ScanState.NOT_SCANNED).update(scan_state=ScanState.PENDING)
    revive(SCANS, blob.pk)
    wake(scan_blob, blob.pk)


class ScanJob(JobKind[Blob]):
    """Asks clamd about the bytes, outside any transaction, and records the answer."""

    lease = dt.timedelta(minutes=5)  # longer than clamd may be silent
    max_attempts = 5
    backoff = Backoff(dt.timedelta(minutes=1), dt.timedelta(minutes=30))
    patience_backoff = Backoff(dt.timedelta(minutes=1), dt.timedelta(minutes=30))
    max_wait = dt.timedelta(days=30)
    while_waiting = {"scan_state": ScanState.ERROR, "scanned_at": Now()}
    after_failure = while_waiting
    when_given_up = while_waiting

    @property
    def task(self) -> Any:
        """See `scan_blob`."""
        return scan_blob

    def unfinished(self) -> QuerySet[Blob]:
        """What should be scanned and lies in the store; nothing without a scanner."""
        if not scanning():
            return Blob.objects.none()
        return Blob.objects.filter(scan_state__in=WAITING, purged_at=None)

    def perform(self, lease: Lease[Blob]) -> None:
        """Scan one blob: clean, or infected and recorded."""
        state, detail = _answer_of_clamd(lease)
        _record(lease, state, detail)


SCANS = ScanJob()


def _pieces(body: BinaryIO, lease: Lease[Blob]) -> Iterator[bytes]:
    """Bytes on their way to clamd, which renew the lease. Raises LeaseLost."""
    while True:
        lease.renew_at_half()
        piece = body.read(PIECE)
        if not piece:
            return
        yield piece


def _answer_of_clamd(lease: Lease[Blob]) -> tuple[str, str]:
    """Clean or infected, and what was found. Raises what a job may raise.

    Only a scanner that does not answer at all is waited for: one that breaks off in
    the middle may do so because of the bytes. Whether it answers is asked from the
    second attempt on, so that most files cost one conversation.
    """
    client = _client()
    if lease.job.attempts > 1:
        _require_answer(client)
    try:
        with _opened(lease.job.sha256) as body:
            virus = client.scan(_pieces(body, lease))
    except StoreUnreachable as away:
        raise MustWait(" ".join(away.messages)) from away
    except LongerThanTaken as too_long:
        raise CannotBeDone(TOO_LONG) from too_long
    except (ScannerFailed, OSError) as failure:
        raise AttemptFailed(f"The scanner gave no answer: {failure}") from failure
    return (ScanState.CLEAN, "") if virus is None else (ScanState.INFECTED, virus)


def _opened(sha256: str) -> BinaryIO:
    """The bytes; that a scanner's socket is not there is another matter."""
    try:
        return open_store().open(sha256)
    except FileNotFoundError as missing:
        raise CannotBeDone("The bytes are not in the store.") from missing


def _require_answer(client: Clamd) -> None:
    """Raise MustWait unless clamd answers at all."""
    try:
        client.ping()
    except (ScannerFailed, OSError) as away:
        raise MustWait(f"The scanner did not answer: {away}") from away


def _client() -> Clamd:
    return Clamd(settings.CLAMAV_URL, timeout=TIMEOUT)


@transaction.atomic
def _record(lease: Lease[Blob], state: str, detail: str) -> None:
    lease.finish(scan_state=state, scan_detail=detail[:300], scanned_at=now())
    if state == ScanState.INFECTED:
        sha256 = lease.job.sha256
        body = {"sha256": sha256, "found": detail}
        AuditEvent.objects.append(
            Event("file.infected", subject_label=sha256[:12], body=body)
        )


def scan(pk: int) -> str:
    """Scan one blob unless somebody else does; returns its state afterwards."""
    work_on(SCANS, pk)
    return str(Blob.objects.values_list("scan_state", flat=True).get(pk=pk))


# The name is fixed: messages of the version before name it so.
@shared_task(name="evidence.tasks.scan_blob", ignore_result=True, acks_late=True)
def scan_blob(blob_pk: int) -> None:
    """Scan one file for viruses; may run twice."""
    work_on(SCANS, blob_pk)
