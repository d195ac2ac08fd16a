"""A second person looks at a flagged report and lets it pass (R32)."""

from __future__ import annotations

from django.db import transaction

from controls.errors import Refused, TransitionNotAllowed
from controls.models import Actor, AuditEvent
from controls.models.audit import about
from controls.reasons import refuse_long
from evidence.held_reports.who_may import require_report_clearer
from evidence.models import ReportFile, ReportFileClearance


@transaction.atomic
def clear_report(file: ReportFile, *, reason: str, by: Actor) -> ReportFileClearance:
    """Let a flagged file be opened, with what was checked.

    Raises NotPermitted for who brought it, Refused without a reason,
    TransitionNotAllowed where nothing waits to be cleared.
    """
    require_report_clearer(file, by)
    refuse_long(reason)
    if not reason.strip():
        raise Refused({"reason": "Say what you checked."})
    if not file.flags:
        raise TransitionNotAllowed("Nothing about this file was flagged.")
    clearance, made = ReportFileClearance.objects.get_or_create(
        file=file,
        defaults={
            "cleared_by_id": by.pk,
            "held_by_id": file.held_by_id,
            "reason": reason.strip(),
        },
    )
    if not made:
        raise TransitionNotAllowed(f"{clearance.cleared_by} has already cleared this.")
    AuditEvent.objects.append(
        about(
            file,
            "report-file.cleared",
            by=by,
            reason=clearance.reason,
            flags=list(file.flags),
        )
    )
    return clearance
