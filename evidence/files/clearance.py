"""What stands between a file and the people who would open or rely on it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.db import transaction

from controls.errors import NotPermitted, Refused, TransitionNotAllowed
from controls.models import AuditEvent
from controls.models.audit import about
from controls.responsibility.decide import is_officer, require_officer
from evidence.files.checks import FLAGS
from evidence.models.blobs import ScanState
from evidence.models.clearances import FileClearance
from evidence.models.evidence import EvidenceFile, EvidenceRevision

SCANS = {
    ScanState.PENDING: "waits for the virus scanner",
    ScanState.INFECTED: "carries a virus",
    ScanState.ERROR: "could not be scanned for viruses yet",
}


def obstacle(file: EvidenceFile) -> str:
    """Why nobody may open or rely on a file, as a sentence; empty where all may.

    A file of an earlier time without a scan waits only while a scanner is set up.
    """
    state = file.blob.scan_state
    if file.blob.purged_at or any(r.state == "approved" for r in file.removals.all()):
        said = "was removed as a spill; its digest and record remain."
        return f"“{file.name}” {said}"
    if state == ScanState.NOT_SCANNED and settings.CLAMAV_URL:
        state = ScanState.PENDING
    if state in SCANS and (settings.CLAMAV_URL or state == ScanState.INFECTED):
        return f"“{file.name}” {SCANS[ScanState(state)]}."
    if file.flags and not hasattr(file, "clearance"):
        said = " and ".join(FLAGS[flag] for flag in file.flags)
        return f"“{file.name}” {said}: an officer must clear it first."
    return ""


def withheld_from(user: Any, file: EvidenceFile) -> str:
    """Why this person may not open a file; officers open what they have to clear."""
    said = obstacle(file)
    if not said or not file.flags or file.blob.scan_state in SCANS:
        return said
    return "" if is_officer(user, file.revision.evidence.system) else said


def files_of(revision: EvidenceRevision) -> Iterable[EvidenceFile]:
    """A revision's files with all that `obstacle` reads."""
    found = revision.files.select_related("blob", "clearance")
    return found.prefetch_related("removals")


def refuse_unsafe(revision: EvidenceRevision) -> None:
    """Raise TransitionNotAllowed while some file must not be relied on."""
    found = [said for file in files_of(revision) if (said := obstacle(file))]
    if found:
        raise TransitionNotAllowed(found)


@transaction.atomic
def clear(file: EvidenceFile, *, by: Any, reason: str) -> FileClearance:
    """An officer who did not upload it looked at a flagged file and lets it pass."""
    revision = file.revision
    system = revision.evidence.system
    require_officer(system, by)
    if by.pk == revision.uploaded_by_id:
        raise NotPermitted("Somebody other than the uploader must clear this file.")
    if not reason.strip():
        raise Refused({"reason": "Say what you checked."})
    if not file.flags:
        raise TransitionNotAllowed("Nothing about this file was flagged.")
    clearance, made = FileClearance.objects.get_or_create(
        file=file,
        defaults={
            "officer": by,
            "uploader_id": revision.uploaded_by_id,
            "reason": reason.strip(),
        },
    )
    if not made:
        raise TransitionNotAllowed(f"{clearance.officer} has already cleared this.")
    AuditEvent.objects.append(
        about(
            revision.evidence,
            "file.cleared",
            by=by,
            reason=clearance.reason,
            file=file.name,
            flags=list(file.flags),
        )
    )
    return clearance
