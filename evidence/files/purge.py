"""Destroying bytes whose retention has ended; what they were stays on record (AU-07).

A purge takes bytes and nothing else: titles, names, digests, sizes, days, reviews,
verdicts, rows of lists of events and the log stay. Bytes go once everything that rests
on them, evidence and lists of events of whatever system, is past its end and under no
hold; a file that was kept when a window closed, and the held file of a report, rest on
their bytes. The database refuses the rest (`controls.history.retention`).
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from django.db import connection, transaction

from controls.history.clock import knowledge_now
from controls.models import AuditEvent, System
from controls.models.audit import about
from evidence.files.held_bytes import let_go
from evidence.models import Blob, Evidence, Population
from evidence.models.blobs import PurgedFor
from evidence.storage import Store, open_store

# Files whose bytes may go, and the records that rest on them. Past its end is what was
# kept until a day before today, by the day of its system. `old` only saves work:
# nothing younger than the shortest class can have ended.
ENDED = """
WITH shortest AS (
  SELECT srm_now() - make_interval(years => least(7, min(c.years))) AS before
    FROM evidence_retentionclass c
), brought AS (
  SELECT f.blob_id, e.system_id, r.uploaded_at AS at
    FROM evidence_evidencefile f
    JOIN evidence_evidencerevision r ON r.id = f.revision_id
    JOIN evidence_evidence e ON e.id = r.evidence_id
  UNION ALL
  SELECT p.blob_id, p.system_id, p.known_from FROM evidence_population p
), old AS (
  SELECT DISTINCT brought.blob_id
    FROM brought
    JOIN evidence_blob b ON b.id = brought.blob_id
    JOIN controls_system s ON s.id = brought.system_id
   WHERE b.purged_at IS NULL
     AND brought.at < (SELECT before FROM shortest)
     AND (%(system)s::text IS NULL OR s.slug = %(system)s)
     AND (%(blobs)s::bigint[] IS NULL OR b.id = ANY(%(blobs)s))
), kept AS (
  SELECT 'evidence' AS kind, k.evidence_id AS key, f.blob_id, f.name,
         k.system_id, k.kept_until, k.years, k.held
    FROM old
    JOIN evidence_evidencefile f ON f.blob_id = old.blob_id
    JOIN evidence_evidencerevision r ON r.id = f.revision_id
    JOIN srm_retention() k ON k.evidence_id = r.evidence_id
  UNION ALL
  SELECT 'population', k.population_id, p.blob_id, 'list of events',
         k.system_id, k.kept_until, k.years, k.held
    FROM old
    JOIN evidence_population p ON p.blob_id = old.blob_id
    JOIN srm_list_retention() k ON k.population_id = p.id
), record AS MATERIALIZED (
  SELECT kept.*, b.sha256, b.size_bytes,
         held OR kept_until >= (srm_now() AT TIME ZONE s.time_zone)::date AS stays
    FROM kept
    JOIN evidence_blob b ON b.id = kept.blob_id
    JOIN controls_system s ON s.id = kept.system_id
)
SELECT DISTINCT kind, key, kept_until, years, blob_id, name, sha256, size_bytes
  FROM record AS r
 WHERE NOT EXISTS (SELECT FROM record g WHERE g.blob_id = r.blob_id AND g.stays)
   AND NOT EXISTS (SELECT FROM evidence_export x WHERE x.blob_id = r.blob_id)
   AND NOT EXISTS (
     SELECT FROM evidence_reportfile h
      WHERE h.blob_id = r.blob_id AND NOT EXISTS (
        SELECT FROM evidence_reportfileremoval m
         WHERE m.file_id = h.id AND m.state = 'approved'))
 ORDER BY kind, key, name, blob_id
"""
EVIDENCE, POPULATION = "evidence", "population"


class RecordKey(NamedTuple):
    """Which record rests on bytes: EVIDENCE or POPULATION, and its key."""

    kind: str
    pk: int


@dataclass(frozen=True)
class EndedFile:
    """A file whose bytes may go."""

    blob: int
    name: str
    sha256: str
    size_bytes: int


@dataclass
class EndedRecord:
    """A record past its end: until when it was kept, and which bytes may go."""

    key: RecordKey
    kept_until: dt.date
    years: int
    files: list[EndedFile] = field(default_factory=list)

    @property
    def blobs(self) -> set[int]:
        """Keys of the bytes."""
        return {file.blob for file in self.files}


def ended_records(
    system: str | None = None, blobs: Sequence[int] | None = None
) -> list[EndedRecord]:
    """What a purge would take, by record: of one system (its slug) or of all.

    Where another system's record rests on the same bytes it is among them: it has
    ended too. `blobs` narrows to some bytes. One statement.
    """
    chosen = {"system": system, "blobs": None if blobs is None else list(blobs)}
    by_key: dict[RecordKey, EndedRecord] = {}
    with connection.cursor() as cursor:
        cursor.execute(ENDED, chosen)
        for kind, pk, kept_until, years, *file in cursor.fetchall():
            ended = EndedRecord(RecordKey(kind, pk), kept_until, years)
            by_key.setdefault(ended.key, ended).files.append(EndedFile(*file))
    return list(by_key.values())


def rows_of(
    ended: Iterable[EndedRecord],
) -> dict[RecordKey, Evidence | Population]:
    """The rows of records, each with its system. Two statements."""
    keys = [piece.key for piece in ended]
    rows: dict[RecordKey, Evidence | Population] = {}
    evidence = [key.pk for key in keys if key.kind == EVIDENCE]
    for pk, row in Evidence.objects.select_related("system").in_bulk(evidence).items():
        rows[RecordKey(EVIDENCE, pk)] = row
    lists = [key.pk for key in keys if key.kind == POPULATION]
    for pk, listed in Population.objects.for_listing().in_bulk(lists).items():
        rows[RecordKey(POPULATION, pk)] = listed
    return rows


def bytes_of(ended: Iterable[EndedRecord]) -> int:
    """How many bytes would go, each file once."""
    sizes = {file.blob: file.size_bytes for piece in ended for file in piece.files}
    return sum(sizes.values())


def sharing_bytes(ended: Iterable[EndedRecord]) -> list[list[EndedRecord]]:
    """The same in groups that share bytes: each goes as a whole or not at all."""
    group_of: dict[int, list[EndedRecord]] = {}
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


def purge(group: Sequence[EndedRecord]) -> dict[str, str]:
    """Destroy the bytes of a group, and record it for each record of it.

    Returns what became of each digest in the store: bytes in a bucket may be locked for
    longer. Empty where somebody brought, held or removed something meanwhile. Bytes
    that a crash or a store that is away leaves behind go with the daily sweep. Raises
    StoreUnreachable after it is recorded.
    """
    gone = _record(group)
    if not gone:
        return {}
    store = open_store()
    let_go(store, gone)
    return _destroy(store, gone)


@transaction.atomic
def _record(group: Sequence[EndedRecord]) -> list[str]:
    """Mark the bytes as gone, with one event for each record; their digests."""
    rows = rows_of(group)
    concerned = {row.system_id for row in rows.values()}
    systems = System.objects.filter(pk__in=concerned).order_by("pk")
    list(systems.select_for_update(of=("self",)))  # no hold is placed meanwhile
    blobs = {blob for piece in group for blob in piece.blobs}
    locked = Blob.objects.select_for_update().filter(pk__in=blobs).order_by("sha256")
    digests = [blob.sha256 for blob in locked]
    still = ended_records(blobs=sorted(blobs))
    if {piece.key: piece.blobs for piece in still} != {
        piece.key: piece.blobs for piece in group
    }:
        return []
    Blob.objects.filter(pk__in=blobs).update(
        purged_at=knowledge_now(), purged_for=PurgedFor.RETENTION
    )
    AuditEvent.objects.append_all(
        about(
            rows[piece.key],
            f"{piece.key.kind}.purged",
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
