"""Facts whose days begin or end inside the window, with who and the second person.

R36. Of a fact that was replaced since, what it said as known then stands here.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from evidence.exports.rows.scope import ExportScope
from evidence.exports.sheets import Sheet, Value, columns
from evidence.status.changed_facts import FACTS, PEOPLE, says
from evidence.status.rows import as_bigints, read_rows

Row = list[Value]
CHANGES = Sheet(
    "Changes",
    columns(
        ("From", "day", 12),
        ("To", "day", 12),
        ("What", "text", 24),
        "Control",
        ("It says", "long", 60),
        ("Because", "long", 50),
        ("By", "text", 20),
        ("Second person", "text", 20),
        ("Recorded", "day", 12),
        ("In retrospect", "text", 12),
    ),
)
CHANGED = """
SELECT f.what, f.starts, f.until, f.code, f.text, f.reason, c.label,
       who.name AS by, second.name AS second, f.known_from, f.change_id,
       asked.name AS change_by, decided.name AS change_second, ch.reason AS change_why
  FROM ({facts}) f
  LEFT JOIN {implementation} i ON i.id = f.implementation_id
  LEFT JOIN {control} c ON c.id = i.control_id
  LEFT JOIN {people} who ON who.id = f.by
  LEFT JOIN {people} second ON second.id = f.second
  LEFT JOIN {change} ch ON ch.id = f.change_id
  LEFT JOIN {people} asked ON asked.id = ch.requested_by_id
  LEFT JOIN {people} decided ON decided.id = ch.decided_by_id
 WHERE (f.implementation_id IS NULL
        OR f.implementation_id = ANY(%(implementations)s::bigint[]))
   AND (f.starts BETWEEN %(since)s AND %(last)s
        OR f.until - 1 BETWEEN %(since)s AND %(last)s)
 ORDER BY coalesce(f.starts, f.until), f.what, c.sort_order, f.known_from, f.id
"""


def change_rows(scope: ExportScope, keys: Sequence[int]) -> Iterator[Row]:
    """Facts of the system and of some controls that changed inside the window."""
    statement = CHANGED.replace("{facts}", FACTS).replace("{people}", PEOPLE)
    rows = read_rows(
        statement,
        scope.moment,
        system=scope.system.pk,
        implementations=as_bigints(keys),
        since=scope.window[0],
        last=scope.window[1],
    )
    for row in rows:
        last_day = row["until"] - dt.timedelta(days=1) if row["until"] else None
        by, second = _people(row)
        yield [
            row["starts"],
            last_day,
            row["what"],
            row["label"] or "",
            says(row["what"], row["code"], row["text"]),
            row["reason"] or row["change_why"] or "",
            by,
            second,
            scope.system.day_of(row["known_from"]),
            "yes" if row["change_id"] else "",
        ]


def _people(row: Mapping[str, Any]) -> tuple[str, str]:
    """Who asked for a fact and the second person, both of one act: of the change in
    retrospect where one brought it, whose approval wrote the fact down."""
    if row["change_by"]:
        return row["change_by"], row["change_second"] or ""
    return row["by"] or "", row["second"] or ""
