"""The sheet of the reports that controls cite: facts about them, never their text."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Mapping

from evidence.exports.rows.scope import ExportScope
from evidence.exports.sheets import Sheet, Value, columns, words
from evidence.status.rows import as_bigints, read_rows
from evidence.status.unnamed_controls import series_not_naming

Line = list[Value]
REPORTS = Sheet(
    "Reports",
    columns(
        ("Report", "long", 36),
        ("Provider", "text", 18),
        ("Series", "text", 16),
        ("Version", "text", 20),
        ("From", "day", 12),
        ("To", "day", 12),
        ("Issued", "day", 12),
        ("Opinion", "text", 16),
        ("State", "state"),
        ("Counts no more from", "day", 12),
        ("Relied on", "text", 24),
        ("Reviewed by", "text", 20),
        ("Reviewed", "day", 12),
        ("Letters", "long", 40),
        ("Controls it is cited for", "number", 12),
        ("Cited for, but not in its recorded coverage", "long", 36),
        ("sha256 of what is held", "text", 66),
    ),
)
REPORT_ROWS = """
SELECT a.id AS artifact, a.title, a.provider, a.series, v.label, v.starts, v.until,
       v.issued_on, v.opinion, v.state, v.ended_on, relied.conclusion,
       relied.reviewer_name, relied.reviewed_on, cited.controls,
       letters.days AS letters, held.digests AS held
  FROM {artifact_version} v
  JOIN {artifact} a ON a.id = v.artifact_id
  JOIN (SELECT n.artifact_id, count(*) AS controls FROM {citation} n
          JOIN {implementation} i
            ON i.control_id = n.control_id AND i.system_id = n.system_id
         WHERE n.system_id = %(system)s
           AND i.id = ANY(%(implementations)s::bigint[])
         GROUP BY n.artifact_id) cited ON cited.artifact_id = a.id
  LEFT JOIN LATERAL (
    SELECT conclusion, reviewer_name, reviewed_on FROM evidence_reliancereview r
     WHERE r.artifact_version_id = v.id AND r.system_id = %(system)s AND {before}
     ORDER BY r.id DESC LIMIT 1) relied ON TRUE
  LEFT JOIN LATERAL (
    SELECT string_agg(format('%%s to %%s, issued %%s', k.starts, k.until - 1,
                             k.issued_on), '; ' ORDER BY k.issued_on, k.id) AS days
      FROM {letter} k WHERE k.artifact_version_id = v.id) letters ON TRUE
  LEFT JOIN LATERAL (
    SELECT string_agg(h.sha256, ' ' ORDER BY h.id) AS digests
      FROM evidence_reportfile h
     WHERE h.artifact_version_id = v.id AND h.known_from < %(known_at)s) held ON TRUE
 ORDER BY a.title, a.id, v.starts, v.id
"""


def report_rows(scope: ExportScope, labels: Mapping[int, str]) -> Iterator[Line]:
    """Reports of the series that some of the controls cite, every version of them; of
    files that are held the hashes alone, also once a file was removed (R27). `labels`
    are the controls' by their keys, in the order of the sheet."""
    unnamed: defaultdict[int, list[str]] = defaultdict(list)
    series = series_not_naming(labels, scope.moment)
    for key, label in labels.items():
        for artifact in series.get(key, ()):
            unnamed[artifact].append(label)
    rows = read_rows(
        REPORT_ROWS,
        scope.moment,
        system=scope.system.pk,
        implementations=as_bigints(labels),
    )
    for row in rows:
        last_day = row["until"] - dt.timedelta(days=1) if row["until"] else None
        yield [
            row["title"],
            row["provider"],
            row["series"],
            row["label"],
            row["starts"],
            last_day,
            row["issued_on"],
            row["opinion"],
            words(row["state"]),
            row["ended_on"],
            words(row["conclusion"] or "not yet reviewed").replace("-", " "),
            row["reviewer_name"] or "",
            row["reviewed_on"],
            row["letters"] or "",
            row["controls"],
            ", ".join(unnamed[row["artifact"]]),
            row["held"] or "",
        ]
