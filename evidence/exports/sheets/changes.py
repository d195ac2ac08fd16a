"""Facts whose days begin or end inside the window, with who and the second person.

R36. Of a fact that was replaced since, what it said as known then stands here.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence

from controls.display_names import IMPLEMENTATION_STATUSES, REGIMES
from evidence.exports.rows.scope import ExportScope
from evidence.exports.sheets import Sheet, Value, columns, words
from evidence.exports.sheets.records import PEOPLE
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
# Each fact as: what, control, first day, day after the last, text, reason, who, second.
FACTS = """
SELECT 'class' AS what, d.implementation_id, lower(d.effective) AS starts,
       upper(d.effective) AS until, d.responsibility AS code, '' AS text,
       d.reason, d.decided_by_id AS by, d.approved_by_id AS second, d.known_from,
       d.change_id, d.id
  FROM controls_responsibilitydecision d
 WHERE d.known_from < %(known_at)s
UNION ALL
SELECT 'implementation status', s.implementation_id, lower(s.days), upper(s.days),
       s.status, '', '', s.stated_by_id, NULL, s.known_from, s.change_id, s.id
  FROM {statement} s
UNION ALL
SELECT 'not applicable', a.implementation_id, a.starts_on,
       least(a.ended_on, a.voided_from, a.review_by + 1), a.state, '',
       a.justification, a.requested_by_id, a.decided_by_id, a.known_from,
       a.change_id, a.id
  FROM {applicability} a WHERE a.state IN ('approved', 'ended')
UNION ALL
SELECT 'alternative', x.implementation_id, x.starts_on,
       least(x.ended_on, x.review_by + 1), x.state, x.objective, x.constraint,
       x.requested_by_id, x.decided_by_id, x.known_from, NULL, x.id
  FROM {alternative} x WHERE x.state IN ('approved', 'ending', 'ended')
UNION ALL
SELECT 'override', o.implementation_id, o.starts_on, o.ends_on + 1,
       o.responsibility, '', o.reason, o.requested_by_id, o.decided_by_id,
       o.known_from, o.change_id, o.id
  FROM controls_responsibilityoverride_versions o
 WHERE o.known_from < %(known_at)s
   AND (o.known_until IS NULL OR o.known_until >= %(known_at)s)
   AND o.state = 'approved'
UNION ALL
SELECT 'ask', q.implementation_id, lower(t.days), upper(t.days), t.cadence,
       t.title || ', grace ' || t.grace_days || ' days', '', NULL, NULL,
       t.known_from, t.change_id, t.id
  FROM {terms} t JOIN {requirement} q ON q.ask_id = t.ask_id
UNION ALL
SELECT 'component', NULL, c.used_from, c.used_until, v.slug,
       concat_ws(' ', sv.name, nullif(c.name, ''), array_to_string(c.regions, ', ')),
       '', NULL, NULL, c.known_from, c.change_id, c.id
  FROM {component} c
  JOIN controls_servicevariant v ON v.id = c.variant_id
  JOIN controls_service sv ON sv.id = v.service_id
 WHERE c.system_id = %(system)s
UNION ALL
SELECT 'terms of the system', NULL, lower(t.days), upper(t.days), t.regime,
       t.impact_level || ' impact, currency ' || t.currency_days || ' days', '',
       t.stated_by_id, NULL, t.known_from, t.change_id, t.id
  FROM {system_terms} t WHERE t.system_id = %(system)s
"""
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
        yield [
            row["starts"],
            last_day,
            row["what"],
            row["label"] or "",
            _says(row["what"], row["code"], row["text"]),
            row["reason"] or row["change_why"] or "",
            row["by"] or row["change_by"] or "",
            row["second"] or row["change_second"] or "",
            scope.system.day_of(row["known_from"]),
            "yes" if row["change_id"] else "",
        ]


def _says(what: str, code: str, text: str) -> str:
    if what == "ask":
        return f"{text}, {code}"
    if what == "implementation status":
        return IMPLEMENTATION_STATUSES.get(code, code)
    if what == "terms of the system":
        return f"{REGIMES.get(code, code)}, {text}"
    if what == "component":
        return text
    return f"{words(code)}: {text}" if text else words(code)
