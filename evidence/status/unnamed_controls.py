"""Controls that cite a series whose recorded coverage names other controls (R24)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from evidence.status.rows import Moment, as_bigints, read_rows

# The same rule as `unnamed_by_coverage` of `artifacts/coverage.py`; a test compares the
# two. Of which catalog a control is never changes, so its table is read as it is.
UNNAMED = """
WITH cited AS MATERIALIZED (
  SELECT i.id AS implementation_id, n.artifact_id, n.control_id, k.catalog_id
    FROM {citation} n
    JOIN {implementation} i
      ON i.control_id = n.control_id AND i.system_id = n.system_id
    JOIN controls_control k ON k.id = n.control_id
   WHERE i.id = ANY(%(implementations)s::bigint[])),
named AS MATERIALIZED (
  SELECT DISTINCT v.artifact_id, l.control_id, k.catalog_id
    FROM {coverage_line} l
    JOIN {artifact_version} v ON v.id = l.artifact_version_id
    JOIN controls_control k ON k.id = l.control_id
   WHERE l.confirmed_by_id IS NOT NULL AND v.state <> 'withdrawn'
     AND v.artifact_id IN (SELECT artifact_id FROM cited))
SELECT cited.implementation_id, cited.artifact_id, a.title
  FROM cited JOIN {artifact} a ON a.id = cited.artifact_id
 WHERE (cited.artifact_id, cited.catalog_id)
       IN (SELECT artifact_id, catalog_id FROM named)
   AND (cited.artifact_id, cited.control_id)
       NOT IN (SELECT artifact_id, control_id FROM named)
 ORDER BY cited.implementation_id, a.title, a.id
"""


def series_not_naming(
    implementations: Iterable[int], moment: Moment
) -> dict[int, dict[int, str]]:
    """Of controls of systems, by key: the titles of series, by key, that they cite
    although what is recorded that the series speaks to names other controls of the
    catalog and not this one. It moves no state. One statement."""
    titles: defaultdict[int, dict[int, str]] = defaultdict(dict)
    keys = as_bigints(implementations)
    for row in read_rows(UNNAMED, moment, implementations=keys):
        titles[row["implementation_id"]][row["artifact_id"]] = row["title"]
    return dict(titles)
