"""What stands between a file and the people who would open or rely on it."""

from __future__ import annotations

from django.db import transaction

from controls.access import is_officer
from controls.errors import Refused, TransitionNotAllowed
from controls.models import Actor, AuditEvent
from controls.models.audit import about
from evidence.files.who_may import require_clearer
from evidence.models.clearances import FileClearance
from evidence.models.files import UNSCANNED, EvidenceFile


def reason_withheld(user: Actor, file: EvidenceFile) -> str:
    """Why this person may not open a file; officers open what they have to clear."""
    obstacle = file.obstacle()
    if not obstacle or file.is_removed:
        return obstacle
    if not file.flags or file.blob.scan_state in UNSCANNED:
        return obstacle
    return "" if is_officer(user, file.revision.evidence.system) else obstacle


@transaction.atomic
def clear(file: EvidenceFile, *, by: Actor, reason: str) -> FileClearance:
    """An officer who had no hand in a flagged file looked at it and lets it pass."""
    revision = file.revision
    require_clearer(file, by)
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
