"""Viruses: each new file waits for clamd, and counts for nothing before it is clean.

Without CLAMAV_URL nothing is scanned, and pages say so. Source: UP-10.
"""

from __future__ import annotations

import datetime as dt
from urllib.parse import urlsplit

from celery import shared_task
from clamav_client.clamd import (
    BufferTooLongError,
    ClamdError,
    ClamdNetworkSocket,
    ClamdUnixSocket,
)
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet

from controls.models import AuditEvent
from controls.models.audit import Event
from evidence.jobs.wake import wake
from evidence.models.blobs import Blob, ScanState
from evidence.status.control_status import now
from evidence.storage import StoreUnreachable, open_store

LEASE = dt.timedelta(minutes=5)  # longer than the longest scan
TIMEOUT = 120  # seconds without an answer
AGAIN, LATER, PATIENCE = dt.timedelta(minutes=1), dt.timedelta(minutes=30), 5
WAITING = (ScanState.PENDING, ScanState.ERROR)
TOO_LONG = "Longer than the scanner takes: raise StreamMaxLength of clamd."


def scanning() -> bool:
    """Whether uploads are scanned here."""
    return bool(settings.CLAMAV_URL)


def first_state() -> str:
    """The state of bytes that nobody has looked at."""
    return ScanState.PENDING if scanning() else ScanState.NOT_SCANNED


def ask_for_scan(blob: Blob) -> None:
    """Have a worker scan it after commit; bytes from before the scanner as well."""

    if not scanning() or blob.scan_state in {ScanState.CLEAN, ScanState.INFECTED}:
        return
    if blob.scan_state == ScanState.NOT_SCANNED:
        Blob.objects.filter(pk=blob.pk).update(scan_state=ScanState.PENDING)
    wake(scan_blob, blob.pk)


def waiting() -> QuerySet[Blob]:
    """What should be scanned and is in nobody's hands.

    After a failure it waits a minute, after five of them half an hour.
    """
    instant = now()
    free = Q(scan_leased_until=None) | Q(scan_leased_until__lt=instant)
    due = (
        Q(scanned_at=None)
        | Q(scan_attempts__lt=PATIENCE, scanned_at__lte=instant - AGAIN)
        | Q(scanned_at__lte=instant - LATER)
    )
    return Blob.objects.filter(free, due, scan_state__in=WAITING, purged_at=None)


def sweep() -> int:
    """Wake what nobody scans; returns how many. Called every 30 s by beat."""

    if not scanning():
        return 0
    found = list(waiting().exclude(scan_detail=TOO_LONG).order_by("pk")[:100])
    for blob in found:
        wake(scan_blob, blob.pk)
    return len(found)


def scan(pk: int) -> str:
    """Scan one blob unless somebody else does; returns its state afterwards.

    Takes a lease, asks clamd outside any transaction, then records the answer. When
    clamd cannot be reached the state is `error` and the sweep tries again.
    """
    leased = waiting().filter(pk=pk).update(scan_leased_until=now() + LEASE)
    blob = Blob.objects.get(pk=pk)
    if not leased:
        return blob.scan_state
    state, detail = _asked(blob.sha256)
    _record(blob, state, detail)
    return state


def _asked(sha256: str) -> tuple[str, str]:
    """What clamd says about the bytes."""
    try:
        with open_store().open(sha256) as body:
            said = _client().instream(body)["stream"]
    except FileNotFoundError:
        return ScanState.ERROR, "The bytes are not in the store."
    except StoreUnreachable as away:
        return ScanState.ERROR, " ".join(away.messages)[:300]
    except BufferTooLongError:
        return ScanState.ERROR, TOO_LONG
    except (ClamdError, OSError) as failure:
        return ScanState.ERROR, f"The scanner did not answer: {failure}"[:300]
    status, name = said
    if status == "OK":
        return ScanState.CLEAN, ""
    if status == "FOUND":
        return ScanState.INFECTED, str(name)[:300]
    return ScanState.ERROR, str(name or "The scanner gave no answer.")[:300]


def _client() -> ClamdNetworkSocket | ClamdUnixSocket:
    """`tcp://host:port` or `unix:///path` as clamd listens."""
    parts = urlsplit(settings.CLAMAV_URL)
    if parts.scheme == "unix":
        return ClamdUnixSocket(path=parts.path, timeout=TIMEOUT)
    host = parts.hostname or "127.0.0.1"
    return ClamdNetworkSocket(host=host, port=parts.port or 3310, timeout=TIMEOUT)


@transaction.atomic
def _record(blob: Blob, state: str, detail: str) -> None:
    Blob.objects.filter(pk=blob.pk).update(
        scan_state=state,
        scan_detail=detail,
        scanned_at=now(),
        scan_leased_until=None,
        scan_attempts=F("scan_attempts") + 1,
    )
    if state == ScanState.INFECTED:
        said = {"sha256": blob.sha256, "found": detail}
        AuditEvent.objects.append(
            Event("file.infected", subject_label=blob.sha256[:12], body=said)
        )


# The name is fixed: messages of the version before name it so.
@shared_task(name="evidence.tasks.scan_blob", ignore_result=True, acks_late=True)
def scan_blob(blob_pk: int) -> None:
    """Scan one file for viruses; may run twice."""
    scan(blob_pk)
