"""Does the store hold what the records say? Everything is read; nothing is repaired.

Source: AU-08 of the requirements.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import BinaryIO

from django.db import models

from controls.models import AuditEvent
from controls.models.audit import Event
from evidence.models import Blob, EvidenceFile, ReportFile, StoreCheck
from evidence.storage import Store, StoredObject, Withheld, open_store
from evidence.storage.exclusive import CHECKING, exclusive_lock

DAY = dt.timedelta(days=1)
PIECE = 1 << 20  # bytes read at once
PAGE = 200
KEEP_EVERY = 1.0  # seconds between notes of how far it is


class Kind(models.TextChoices):
    """What can be wrong."""

    MISSING = "missing", "Recorded, not in the store"
    CORRUPT = "corrupt", "Other bytes than recorded"
    WRONG_SIZE = "wrong-size", "More or fewer bytes than recorded"
    UNREADABLE = "unreadable", "In the store, cannot be read"
    ORPHAN = "orphan", "In the store, not recorded"
    RETURNED = "returned", "Removed for good, in the store"


@dataclass(frozen=True)
class StoreFault:
    """One thing that is not as recorded, and the evidence (uuids) that rests on it."""

    kind: str
    what: str
    sha256: str = ""
    evidence: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class StoreReport:
    """What a check found; `resumed_after` is the digest an earlier one came to."""

    checked: int
    findings: list[StoreFault]
    resumed_after: str = ""

    def counts(self) -> dict[str, int]:
        """How many findings of each kind there are."""
        return dict(Counter(finding.kind for finding in self.findings))


class Pace:
    """Slows reading down to some bytes per second; None: as fast as it goes."""

    def __init__(self, per_second: float | None = None) -> None:
        self.per_second, self.started, self.read = per_second, time.monotonic(), 0

    def spend(self, count: int) -> None:
        """Wait until this many further bytes may have been read."""
        self.read += count
        if self.per_second:
            due = self.started + self.read / self.per_second
            time.sleep(max(0.0, due - time.monotonic()))


def check_store(
    *,
    instant: dt.datetime,
    resume: bool = False,
    all_ages: bool = False,
    pace: Pace | None = None,
) -> StoreReport:
    """Read everything once and compare it with the records; the result is recorded.

    With `resume` a check that broke off goes on, its findings included. What came or
    was removed within the last day is left out, as it may be under way, unless
    `all_ages`. Raises StoreUnreachable, TransitionNotAllowed while another one runs.
    """
    with exclusive_lock(CHECKING):
        progress, store = StoreCheck.objects.begun(resume=resume), open_store()
        resumed_after = progress.last_sha256
        _read_all(store, progress, pace or Pace())
        findings = [StoreFault(**row) for row in progress.findings]
        findings += unexpected(store, instant if all_ages else instant - DAY)
        report = StoreReport(progress.checked, findings, resumed_after)
        progress.delete()
        body = {"checked": report.checked, "found": report.counts()}
        AuditEvent.objects.append(
            Event("evidence.checked", subject_label="evidence store", body=body)
        )
    return report


def _read_all(store: Store, progress: StoreCheck, pace: Pace) -> None:
    """Examine every blob beyond the last one; note how far even when it breaks off."""
    noted = time.monotonic()
    try:
        for blob in _blobs(progress.last_sha256):
            finding = examine(store, blob, pace)
            progress.passed(blob, asdict(finding) if finding else None)
            if time.monotonic() - noted > KEEP_EVERY:
                progress.keep()
                noted = time.monotonic()
    finally:
        progress.keep()


def _blobs(last: str) -> Iterator[Blob]:
    """Every blob whose bytes must be there, page by page: it may take hours."""
    while page := list(Blob.objects.in_store().after(last)[:PAGE]):
        yield from page
        last = page[-1].sha256


def examine(store: Store, blob: Blob, pace: Pace) -> StoreFault | None:
    """What is wrong with the bytes of one blob, if anything."""
    try:
        with store.open(blob.sha256) as body:
            digest, size = _digest_of(body, pace)
    except FileNotFoundError:
        return _fault(blob, Kind.MISSING, "The bytes are not in the store.")
    except Withheld as refusal:
        return _fault(blob, Kind.UNREADABLE, " ".join(refusal.messages))
    except OSError as failure:
        finding_text = f"The bytes cannot be read: {failure.strerror or failure}."
        return _fault(blob, Kind.UNREADABLE, finding_text)
    if size != blob.size_bytes:
        finding_text = f"There are {size} bytes instead of {blob.size_bytes}."
        return _fault(blob, Kind.WRONG_SIZE, finding_text)
    if digest != blob.sha256:
        return _fault(blob, Kind.CORRUPT, f"The bytes have the digest {digest}.")
    return None


def _digest_of(body: BinaryIO, pace: Pace) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    while piece := body.read(PIECE):
        digest.update(piece)
        size += len(piece)
        pace.spend(len(piece))
    return digest.hexdigest(), size


def _fault(blob: Blob, kind: Kind, what: str) -> StoreFault | None:
    """None when the bytes were removed as a spill while we looked."""
    if not Blob.objects.in_store().filter(pk=blob.pk).exists():
        return None
    uuids = EvidenceFile.objects.filter(blob=blob).values_list(
        "revision__evidence__uuid", flat=True
    )
    reports = ReportFile.objects.filter(blob=blob).order_by("pk")
    for report in reports.select_related("artifact_version__artifact"):
        what += f" They are held as the file of {report.artifact_version}."
    return StoreFault(kind, what, blob.sha256, sorted({str(uuid) for uuid in uuids}))


def unexpected(store: Store, before: dt.datetime) -> Iterator[StoreFault]:
    """What lies in the store since before an instant and should not."""
    for stored, purged_at in unneeded(store.everything()):
        if purged_at and purged_at < before:
            finding_text = "They were removed or purged and lie in the store."
            yield StoreFault(Kind.RETURNED, finding_text, stored.sha256)
        elif purged_at is None and stored.since < before:
            finding_text = f"No record names “{stored.name}”."
            yield StoreFault(Kind.ORPHAN, finding_text, stored.sha256)


def unneeded(
    lying: Iterable[StoredObject],
) -> Iterator[tuple[StoredObject, dt.datetime | None]]:
    """What no record says must be there, with the instant of its removal if any."""
    rest = iter(lying)
    while page := list(islice(rest, PAGE)):
        digests = [stored.sha256 for stored in page if stored.sha256]
        rows = Blob.objects.filter(sha256__in=digests)
        recorded = dict(rows.values_list("sha256", "purged_at"))
        for stored in page:
            purged_at = recorded.get(stored.sha256)
            if stored.sha256 not in recorded or purged_at:
                yield stored, purged_at
