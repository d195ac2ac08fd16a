"""What waits of held files for one person: removals to decide, flagged ones to clear.

`who_may` lets the same people act (R32). Nothing is asked of a person's rights where
nothing waits.
"""

from __future__ import annotations

from django.db.models import Q, QuerySet

from controls.access import may_keep_register
from controls.models import Actor, System
from evidence.models import Citation, ReportFile, ReportFileRemoval
from evidence.models.removals import RemovalState


def report_removals_to_decide(user: Actor) -> list[ReportFileRemoval]:
    """Removals that another keeper asked for, oldest first; at most three
    statements."""
    waiting = ReportFileRemoval.objects.filter(state=RemovalState.REQUESTED)
    others = waiting.exclude(requested_by=user.pk)
    if not others.exists():
        return []
    rows = others.for_listing().select_related("requested_by")
    if may_keep_register(user):
        return list(rows)
    return list(rows.filter(file__artifact_version__artifact__in=_kept_by(user)))


def reports_to_clear(user: Actor) -> list[ReportFile]:
    """Flagged files whose bytes another keeper brought, oldest first. Three statements
    at most, and one for removals of them."""
    flagged = ReportFile.objects.exclude(flags=[]).filter(clearance=None)
    brought = ReportFile.objects.filter(held_by=user.pk).order_by()
    others = flagged.exclude(Q(held_by=user.pk) | Q(blob__in=brought.values("blob")))
    if not others.exists():
        return []
    rows = others.for_opening()
    if not may_keep_register(user):
        rows = rows.filter(artifact_version__artifact__in=_kept_by(user))
    return [file for file in rows if not file.is_removed]


def _kept_by(user: Actor) -> QuerySet[Citation, int]:
    """Series (keys) that systems cite of which the person is an officer."""
    officered = System.objects.officered_by(user)
    citing = Citation.objects.filter(system__in=officered).order_by()
    return citing.values_list("artifact_id", flat=True)
