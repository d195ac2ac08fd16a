"""Whose records rest on bytes, whether a legal hold stands over one of them, and
whether the bytes are those of a file that was kept when a window closed."""

from __future__ import annotations

from django.db.models import Q

from evidence.models import (
    Blob,
    EvidenceFile,
    Export,
    LegalHold,
    Population,
    ReportFile,
)
from evidence.models.removals import RemovalState


def holders_of(blob: Blob) -> set[int]:
    """Systems (keys) whose records rest on the bytes."""
    files = EvidenceFile.objects.filter(blob=blob).order_by()
    populations = Population.objects.filter(blob=blob).order_by()
    holding = set(files.values_list("revision__evidence__system", flat=True))
    return holding | set(populations.values_list("system", flat=True))


def holders_elsewhere(blob: Blob) -> list[int]:
    """Systems (keys) whose records rest on the bytes and that have not removed them."""
    return sorted(holders_of(blob) - set(blob.removed_in or ()))


def is_held(blob: Blob) -> bool:
    """Whether a legal hold stands over a record of any system that rests on them."""
    files = EvidenceFile.objects.filter(blob=blob).order_by()
    evidence = files.values("revision__evidence")
    over = Q(evidence__in=evidence) | Q(evidence=None, system__in=holders_of(blob))
    return bool(LegalHold.objects.standing().filter(over).exists())


def is_of_closing(blob: Blob) -> bool:
    """Whether a file that was kept when a window closed has the same bytes: it does not
    end, whatever becomes of other records."""
    return bool(Export.objects.filter(blob=blob).exists())


def held_reports_on(blob: Blob) -> bool:
    """Whether the file of a provider's report, not removed, rests on the bytes."""
    rows = ReportFile.objects.filter(blob=blob).order_by()
    return bool(rows.exclude(removals__state=RemovalState.APPROVED).exists())
