"""Destroying bytes whose retention has ended; what they were stays on record (AU-07).

A purge takes bytes and nothing else: titles, names, digests, sizes, days, reviews,
verdicts and the log stay. Bytes go once every piece of evidence that rests on them, in
whatever system, is past its end and under no hold; no list of events may rest on them.
The database refuses the rest (`controls.history.retention`).
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.db import connection, transaction

from controls.history.clock import knowledge_now
from controls.models import AuditEvent, System
from controls.models.audit import about
from evidence.models import Blob, Evidence
from evidence.models.blobs import PurgedFor
from evidence.storage import Store, open_store

# Files whose bytes may go, and the evidence that rests on them. Past its end is what
# was kept until a day before today, by the day of its system. `old` only saves work:
# nothing younger than the shortest class can have ended.
ENDED = """
WITH old AS (
  SELECT DISTINCT f.blob_id
    FROM evidence_evidencefile f
    JOIN evidence_blob b ON b.id = f.blob_id
    JOIN evidence_evidencerevision r ON r.id = f.revision_id
    JOIN evidence_evidence e ON e.id = r.evidence_id
    JOIN controls_system s ON s.id = e.system_id
   WHERE b.purged_at IS NULL
     AND r.uploaded_at < srm_now() - make_interval(years => (
           SELECT least(7, min(c.years)) FROM evidence_retentionclass c))
     AND (%(system)s::text IS NULL OR s.slug = %(system)s)
     AND (%(blobs)s::bigint[] IS NULL OR b.id = ANY(%(blobs)s))
), file AS MATERIALIZED (
  SELECT f.name, f.blob_id, b.sha256, b.size_bytes,
         k.evidence_id, k.kept_until, k.years,
         k.held OR k.kept_until >= (srm_now() AT TIME ZONE s.time_zone)::date AS stays
    FROM old
    JOIN evidence_evidencefile f ON f.blob_id = old.blob_id
    JOIN evidence_blob b ON b.id = f.blob_id
    JOIN evidence_evidencerevision r ON r.id = f.revision_id
    JOIN srm_retention() k ON k.evidence_id = r.evidence_id
    JOIN controls_system s ON s.id = k.system_id
)
SELECT DISTINCT evidence_id, kept_until, years, blob_id, name, sha256, size_bytes
  FROM file AS f
 WHERE NOT EXISTS (SELECT FROM file g WHERE g.blob_id = f.blob_id AND g.stays)
   AND NOT EXISTS (SELECT FROM evidence_population p WHERE p.blob_id = f.blob_id)
 ORDER BY evidence_id, name, blob_id
"""


@dataclass(frozen=True)
class EndedFile:
    """A file whose bytes may go."""

    blob: int
    name: str
    sha256: str
    size_bytes: int


@dataclass
class EndedEvidence:
    """Evidence past its end: until when it was kept, and which bytes may go."""

    evidence: int
    kept_until: dt.date
    years: int
    files: list[EndedFile] = field(default_factory=list)

    @property
    def blobs(self) -> set[int]:
        """Keys of the bytes."""
        return {file.blob for file in self.files}


def ended_evidence(
    system: str | None = None, blobs: Sequence[int] | None = None
) -> list[EndedEvidence]:
    """What a purge would take, by evidence: of one system (its slug) or of all.

    Where another system's evidence rests on the same bytes it is among them: it has
    ended too. `blobs` narrows to some bytes. One statement.
    """
    chosen = {"system": system, "blobs": None if blobs is None else list(blobs)}
    by_evidence: dict[int, EndedEvidence] = {}
    with connection.cursor() as cursor:
        cursor.execute(ENDED, chosen)
        for evidence, kept_until, years, *file in cursor.fetchall():
            ended = EndedEvidence(evidence, kept_until, years)
            by_evidence.setdefault(evidence, ended).files.append(EndedFile(*file))
    return list(by_evidence.values())


def bytes_of(ended: Iterable[EndedEvidence]) -> int:
    """How many bytes would go, each file once."""
    sizes = {file.blob: file.size_bytes for piece in ended for file in piece.files}
    return sum(sizes.values())


def sharing_bytes(ended: Iterable[EndedEvidence]) -> list[list[EndedEvidence]]:
    """The same in groups that share bytes: each goes as a whole or not at all."""
    group_of: dict[int, list[EndedEvidence]] = {}
    for piece in ended:
        group = [piece]
        for blob in piece.blobs:
            other = group_of.get(blob)
            if other is not None and other is not group:
                other.extend(group)
                group = other
        for member in group:
            group_of.update(dict.fromkeys(member.blobs, group))
    groups = {id(group): group for group in group_of.values()}
    return list(groups.values())


def purge(group: Sequence[EndedEvidence]) -> dict[str, str]:
    """Destroy the bytes of a group, and record it for each evidence of it.

    Returns what became of each digest in the store: bytes in a bucket may be locked for
    longer. Empty where somebody brought, held or removed something meanwhile. Bytes
    that a crash or a store that is away leaves behind go with the daily sweep. Raises
    StoreUnreachable after it is recorded.
    """
    gone = _record(group)
    return _destroy(open_store(), gone) if gone else {}


@transaction.atomic
def _record(group: Sequence[EndedEvidence]) -> list[str]:
    """Mark the bytes as gone, with one event for each evidence; their digests."""
    rows = Evidence.objects.filter(pk__in=[piece.evidence for piece in group])
    systems = System.objects.filter(pk__in=rows.values("system")).order_by("pk")
    list(systems.select_for_update(of=("self",)))  # no hold is placed meanwhile
    blobs = {blob for piece in group for blob in piece.blobs}
    locked = Blob.objects.select_for_update().filter(pk__in=blobs).order_by("sha256")
    digests = [blob.sha256 for blob in locked]
    still = {piece.evidence: piece for piece in ended_evidence(blobs=sorted(blobs))}
    if {key: piece.blobs for key, piece in still.items()} != {
        piece.evidence: piece.blobs for piece in group
    }:
        return []
    Blob.objects.filter(pk__in=blobs).update(
        purged_at=knowledge_now(), purged_for=PurgedFor.RETENTION
    )
    by_key = rows.select_related("system").in_bulk()
    AuditEvent.objects.append_all(
        about(
            by_key[piece.evidence],
            "evidence.purged",
            by=None,
            kept_until=str(piece.kept_until),
            years=piece.years,
            files=[
                {"name": file.name, "sha256": file.sha256, "size": file.size_bytes}
                for file in piece.files
            ],
        )
        for piece in group
    )
    return digests


def _destroy(store: Store, digests: Iterable[str]) -> dict[str, str]:
    outcomes: dict[str, str] = defaultdict(str)
    for digest in digests:
        outcomes[digest] = store.destroy(digest)
    return dict(outcomes)
