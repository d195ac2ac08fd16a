"""Sheets with rows of records: evidence, populations and samples."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from evidence.exports.rows.readers import (
    NOT_VISIBLE,
    hidden_evidence,
    hidden_populations,
)
from evidence.exports.rows.scope import ExportScope
from evidence.exports.rows.status_rows import REMOVED
from evidence.exports.sheets import Sheet, Value, columns, words
from evidence.status.changed_facts import PEOPLE
from evidence.status.rows import Row, as_bigints, read_rows

Line = list[Value]
BATCH = 50  # controls whose evidence is in memory at once
EVIDENCE = Sheet(
    "Evidence",
    columns(
        "Control",
        ("Title of the evidence", "long", 44),
        ("State", "state"),
        ("Performed", "day", 12),
        ("About from", "day", 12),
        ("About to", "day", 12),
        ("Collected", "day", 12),
        ("Reviewed by", "text", 20),
        ("File", "text", 36),
        ("Bytes", "number", 12),
        ("sha256", "text", 66),
        ("Key", "text", 38),
    ),
)
POPULATIONS = Sheet(
    "Populations and samples",
    columns(
        "Control",
        ("Asked", "long", 36),
        ("From", "day", 12),
        ("To", "day", 12),
        ("State", "state"),
        ("Source", "text", 24),
        ("Query", "long", 36),
        ("Complete because", "long", 36),
        ("Events", "number", 9),
        ("sha256", "text", 66),
        ("Drawn by", "text", 18),
        ("Reviewed by", "text", 18),
        ("Sample", "text", 24),
        ("Sample drawn by", "text", 18),
        ("Item", "text", 20),
        ("Day of the item", "day", 12),
        ("State of the item", "state"),
        ("Deviation", "long", 36),
    ),
)
# All of a control whose proof reaches into the window or later, one row for each file.
INDEX = """
SELECT p.implementation_id, p.state, e.uuid, e.title, rev.performed_on, rev.period_from,
       rev.period_until, rev.collected_on, f.name, b.size_bytes, b.sha256,
       r.reviewer_name AS reviewer, l.uuid AS link, f.id AS file, item.key AS item
  FROM evidence_proof p
  JOIN evidence_evidencelink l ON l.id = p.link_id
  JOIN evidence_evidencerevision rev ON rev.id = l.revision_id
  JOIN {evidence} e ON e.id = rev.evidence_id
  LEFT JOIN evidence_evidencefile f ON f.revision_id = rev.id
  LEFT JOIN evidence_blob b ON b.id = f.blob_id
  LEFT JOIN evidence_sampleitem si ON si.id = l.sample_item_id
  LEFT JOIN evidence_populationitem item ON item.id = si.item_id
  LEFT JOIN LATERAL (
    SELECT reviewer_name FROM evidence_review r WHERE r.link_id = l.id AND {before}
     ORDER BY r.id DESC LIMIT 1) r ON TRUE
 WHERE p.implementation_id = ANY(%(implementations)s::bigint[])
   AND p.starts <= %(day)s AND (p.starts >= %(since)s OR p.ends >= %(since)s)
   AND {holding} AND {proof_standing}
 ORDER BY array_position(%(implementations)s::bigint[], p.implementation_id),
       p.starts DESC, p.link_id DESC, p.id, f.position, f.id
"""
POPULATION_ROWS = """
SELECT o.uuid, c.label, q.title, o.starts, o.ends, o.source, o.query, o.completeness,
       o.row_count, o.sha256, drawer.name AS drawn_by, judged.decision,
       judged.reviewer_name, s.method, s.size, s.seed, sampler.name AS sampled_by,
       item.key, item.happened_on, link.state AS item_state, d.note AS deviation
  FROM evidence_population o
  JOIN {requirement} q ON q.id = o.requirement_id
  JOIN {implementation} i ON i.id = q.implementation_id
  JOIN {control} c ON c.id = i.control_id
  LEFT JOIN {people} drawer ON drawer.id = o.drawn_by_id
  LEFT JOIN LATERAL (
    SELECT decision, reviewer_name FROM evidence_populationreview r
     WHERE r.population_id = o.id AND {before}
     ORDER BY r.id DESC LIMIT 1) judged ON TRUE
  LEFT JOIN evidence_sample s ON s.population_id = o.id AND s.known_from < %(known_at)s
  LEFT JOIN {people} sampler ON sampler.id = s.drawn_by_id
  LEFT JOIN evidence_sampleitem si ON si.sample_id = s.id
  LEFT JOIN evidence_populationitem item ON item.id = si.item_id
  LEFT JOIN LATERAL (
    SELECT p.state FROM {link} p
      JOIN evidence_sampleitem other ON other.id = p.sample_item_id
     WHERE other.item_id = si.item_id
       AND p.state IN ('accepted', 'submitted', 'rejected')
     ORDER BY p.state = 'accepted' DESC, p.state = 'submitted' DESC, p.id DESC
     LIMIT 1) link ON TRUE
  LEFT JOIN LATERAL (
    SELECT d.note FROM evidence_deviation d
      JOIN evidence_sampleitem other ON other.id = d.sample_item_id
     WHERE other.item_id = si.item_id AND d.known_from < %(known_at)s
     ORDER BY d.id LIMIT 1) d ON TRUE
 WHERE o.system_id = %(system)s AND o.known_from < %(known_at)s
   AND o.starts <= %(until)s AND o.ends >= %(since)s
   AND q.implementation_id = ANY(%(implementations)s::bigint[])
 ORDER BY c.sort_order, q.id, o.starts, o.id, s.id, item.position
"""


def evidence_rows(scope: ExportScope, labels: Mapping[int, str]) -> Iterator[Line]:
    """Each file of the evidence of the window, by control; `labels` are the controls'
    by their keys, in the order of the sheet."""
    keys = list(labels)
    for start in range(0, len(keys), BATCH):
        some = keys[start : start + BATCH]
        for row in index_rows(scope, some):
            yield [*_evidence(row, labels), row["name"], row["size_bytes"],
                   row["sha256"], str(row["uuid"])]  # fmt: skip
        removed = read_rows(
            REMOVED, scope.moment, system=scope.system.pk, implementations=some
        )
        for row in removed:
            for sha256 in row["sha256"]:
                yield [*_evidence(row, labels), "", None, sha256, row["uuid"]]


def index_rows(scope: ExportScope, keys: Sequence[int]) -> list[Row]:
    """What INDEX says of some controls; without names and sizes of files, and items of
    samples, where another team's evidence is not for the reader."""
    rows = read_rows(
        INDEX,
        scope.moment,
        implementations=as_bigints(keys),
        since=scope.window[0],
    )
    hidden = hidden_evidence(scope, (row["uuid"] for row in rows))
    nothing = {"name": "", "size_bytes": None, "item": None}
    return [{**row, **nothing} if str(row["uuid"]) in hidden else row for row in rows]


def _evidence(row: Mapping[str, Any], labels: Mapping[int, str]) -> Line:
    return [
        labels[row["implementation_id"]],
        row["title"],
        words(row["state"]),
        row["performed_on"],
        row["period_from"],
        row["period_until"] - dt.timedelta(days=1),
        row["collected_on"],
        row["reviewer"] or "",
    ]


def population_rows(scope: ExportScope, keys: Sequence[int]) -> Iterator[Line]:
    """Populations about days of the window, one row for each sampled item; of another
    team's, where its page is not for the reader, one row that says it is there."""
    rows = read_rows(
        POPULATION_ROWS.replace("{people}", PEOPLE),
        scope.moment,
        system=scope.system.pk,
        implementations=as_bigints(keys),
        since=scope.window[0],
        until=scope.window[1],
    )
    hidden = hidden_populations(scope, {row["uuid"] for row in rows})
    announced: set[Any] = set()
    for row in rows:
        if str(row["uuid"]) in hidden:
            if row["uuid"] not in announced:
                yield _hidden_population(row)
            announced.add(row["uuid"])
            continue
        sample = ""
        if row["method"]:
            seed = f", seed {row['seed']}" if row["seed"] else ""
            sample = f"{row['size']} by {words(row['method'])}{seed}"
        state = "deviation" if row["deviation"] else row["item_state"] or "open"
        yield [
            row["label"],
            row["title"],
            row["starts"],
            row["ends"],
            words(row["decision"] or "submitted"),
            row["source"],
            row["query"],
            row["completeness"],
            row["row_count"],
            row["sha256"],
            row["drawn_by"],
            row["reviewer_name"] or "",
            sample,
            row["sampled_by"] or "",
            row["key"] or "",
            row["happened_on"],
            state if row["key"] else "",
            row["deviation"] or "",
        ]


def _hidden_population(row: Mapping[str, Any]) -> Line:
    """What the page of the control says of it to everybody."""
    shown: dict[str, Value] = {
        "Control": row["label"],
        "Asked": row["title"],
        "From": row["starts"],
        "To": row["ends"],
        "State": words(row["decision"] or "submitted"),
        "Source": NOT_VISIBLE,
    }
    return [shown.get(column.title, "") for column in POPULATIONS.columns]
