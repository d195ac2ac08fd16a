"""Flagged files of evidence that wait for one person to let them pass (R32)."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q

from controls.models import Actor, System
from evidence.models import (
    EvidenceFile,
    EvidenceLink,
    EvidenceRevision,
    LinkState,
    Population,
)
from evidence.models.files import UNSCANNED
from evidence.models.revisions import MAX_COMMON_BYTES

LISTED = 200
WAITING = (LinkState.SUBMITTED, LinkState.ACCEPTED)


def files_to_clear(user: Actor) -> list[EvidenceFile]:
    """Flagged files of what was submitted, oldest first, that the person may clear as
    an officer without a hand in it: the same rule as `may_clear`, for many. Not those
    whose bytes are gone or that nobody may open. One statement, a second one where any
    is flagged."""
    submitted = EvidenceLink.objects.filter(
        revision=OuterRef("revision"), state__in=WAITING
    )
    flagged = (
        EvidenceFile.objects.exclude(flags=[])
        .filter(Exists(submitted), clearance=None)
        .filter(revision__evidence__system__in=System.objects.officered_by(user))
    )
    if not flagged.exists():
        return []
    rows = flagged.exclude(_brought_by(user)).for_opening().order_by("pk")[:LISTED]
    return [
        file
        for file in rows.select_related("revision__uploaded_by")
        if not file.is_removed and file.blob.scan_state not in UNSCANNED
    ]


def _brought_by(user: Actor) -> Q:
    """Whose evidence, or whose bytes in the same system, are the person's own."""
    authored = EvidenceRevision.objects.by_author(user).order_by()
    same_system = OuterRef("revision__evidence__system")
    copies = EvidenceFile.objects.filter(
        blob=OuterRef("blob"),
        revision__evidence__system=same_system,
        revision__in=authored.values("pk"),
    )
    drawn = Population.objects.filter(
        drawn_by=user.pk, blob=OuterRef("blob"), system=same_system
    )
    return Q(revision__evidence__in=authored.values("evidence")) | (
        Q(blob__size_bytes__gt=MAX_COMMON_BYTES) & (Exists(copies) | Exists(drawn))
    )
