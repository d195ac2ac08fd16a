"""What stands between a file and the people who would open or rely on it."""

from __future__ import annotations

from django.db import transaction

from controls.access import is_officer, require_officer
from controls.errors import NotPermitted, Refused, TransitionNotAllowed
from controls.models import Actor, AuditEvent
from controls.models.audit import about
from evidence.models.clearances import FileClearance
from evidence.models.evidence import UNSCANNED, EvidenceFile


def reason_withheld(user: Actor, file: EvidenceFile) -> str:
    """Why this person may not open a file; officers open what they have to clear."""
    obstacle = file.obstacle()
    if not obstacle or not file.flags or file.blob.scan_state in UNSCANNED:
        return obstacle
    return "" if is_officer(user, file.revision.evidence.system) else obstacle


@transaction.atomic
def clear(file: EvidenceFile, *, by: Actor, reason: str) -> FileClearance:
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
