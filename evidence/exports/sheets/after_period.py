"""What was performed, withdrawn or found after a window's end, to the day of the file.

R36. It changes nothing of the window: auditors read it as events after the period.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping

from evidence.exports.rows.scope import ExportScope
from evidence.exports.sheets import Sheet, Value, columns, words
from evidence.status.changed_facts import PEOPLE
from evidence.status.rows import as_bigints, read_rows

Row = list[Value]
ONE_DAY = dt.timedelta(days=1)
AFTER_THE_PERIOD = Sheet(
    "After the period",
    columns(
        ("On", "day", 12),
        ("What", "text", 28),
        "Control",
        ("It says", "long", 60),
        ("About from", "day", 12),
        ("About to", "day", 12),
        ("State", "state"),
        ("By", "text", 20),
        ("Recorded", "day", 12),
    ),
)
# Days are the system's: %(ended)s is the first instant after the window's last day.
LATER = """
SELECT rev.performed_on AS on_day, 'performed' AS what, l.implementation_id,
       e.title AS text, rev.period_from AS starts, rev.period_until AS until,
       l.state, who.name AS by, rev.known_from AS recorded, l.id
  FROM {link} l
  JOIN evidence_evidencerevision rev ON rev.id = l.revision_id
  JOIN {evidence} e ON e.id = rev.evidence_id
  LEFT JOIN {people} who ON who.id = l.submitted_by_id
 WHERE l.system_id = %(system)s AND l.state NOT IN ('draft', 'withdrawn', 'void')
   AND rev.performed_on > %(last)s AND rev.performed_on <= %(day)s
UNION ALL
SELECT (l.known_from AT TIME ZONE %(zone)s)::date, 'evidence withdrawn',
       l.implementation_id, e.title, rev.period_from, rev.period_until, l.state,
       act.actor_name, l.known_from, l.id
  FROM {link} l
  JOIN evidence_evidencerevision rev ON rev.id = l.revision_id
  JOIN {evidence} e ON e.id = rev.evidence_id
  LEFT JOIN LATERAL (
    SELECT a.actor_name FROM controls_auditevent a
     WHERE a.subject_uuid = l.uuid AND a.verb = 'evidence.withdrawn'
     ORDER BY a.seq DESC LIMIT 1) act ON TRUE
 WHERE l.system_id = %(system)s AND l.state = 'withdrawn'
   AND l.known_from >= %(ended)s AND l.known_from < %(day_ended)s
UNION ALL
SELECT n.found_on, 'finding', n.implementation_id, n.title, NULL, NULL, n.severity,
       n.recorder_name, n.known_from, n.id
  FROM evidence_finding n
 WHERE n.system_id = %(system)s AND n.known_from < %(known_at)s
   AND n.found_on > %(last)s AND n.found_on <= %(day)s
UNION ALL
SELECT v.observed_on, 'failing observation', v.implementation_id, v.text, NULL, NULL,
       '', v.recorder_name, v.known_from, v.id
  FROM evidence_failingobservation v
 WHERE v.system_id = %(system)s AND v.known_from < %(known_at)s
   AND v.observed_on > %(last)s AND v.observed_on <= %(day)s
"""
IN_ORDER = """
SELECT x.*, c.label FROM ({later}) x
  JOIN {implementation} i ON i.id = x.implementation_id
  JOIN {control} c ON c.id = i.control_id
 WHERE x.implementation_id = ANY(%(implementations)s::bigint[])
 ORDER BY x.on_day, x.what, c.sort_order, x.recorded, x.id
"""


def after_period_rows(scope: ExportScope, labels: Mapping[int, str]) -> Iterator[Row]:
    """The same for some controls, `labels` by their keys; none before the window has
    ended. One statement."""
    system, last, day = scope.system, scope.window[1], scope.moment.on
    if day <= last:
        return
    statement = IN_ORDER.replace("{later}", LATER).replace("{people}", PEOPLE)
    rows = read_rows(
        statement,
        scope.moment,
        system=system.pk,
        implementations=as_bigints(labels),
        last=last,
        ended=system.end_of_day(last),
        day_ended=system.end_of_day(day),
        zone=system.time_zone,
    )
    for row in rows:
        yield [
            row["on_day"],
            row["what"],
            labels[row["implementation_id"]],
            row["text"],
            row["starts"],
            row["until"] - ONE_DAY if row["until"] else None,
            words(row["state"]),
            row["by"] or "",
            system.day_of(row["recorded"]),
        ]
