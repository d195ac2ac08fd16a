"""The proof table is worth what its links are: recomputed from them and compared.

Status reads the table; links, reviews and terms are what people said. A row that says
otherwise (a restore of one table, an edit by hand, a fault of ours) would turn a
control green or red, and nobody could see why (AC-08).
"""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from controls.history.clock import knowledge_now
from controls.models import AuditEvent, System
from controls.models.audit import about
from evidence.models.proof import COLUMNS, NO_END, ROWS_BY_LINK

MAX_LINES_KEPT = 200  # of one repair, in the log
# Days before the performance prove nothing, and rejected links prove on no day: their
# rows are compared for what they say of a day that counts.
_CONTENT = """
SELECT p.link_id, p.implementation_id, p.requirement_id, p.half, p.state, p.starts,
       CASE p.state WHEN 'rejected' THEN NULL ELSE p.ends END AS ends,
       p.occurrence, p.occurrence_ends,
       CASE p.state WHEN 'rejected' THEN NULL ELSE range_agg(
         daterange(greatest(p.holds_from, p.starts), p.holds_until)) END AS days
  FROM ({rows}) AS p
 WHERE p.system_id = %(system)s AND p.holds_until > p.starts
 GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9
"""
_RECORDED = "SELECT * FROM evidence_proof WHERE known_until IS NULL"
DIFFERENCES = f"""
WITH recorded AS ({_CONTENT.format(rows=_RECORDED)}),
     by_link AS ({_CONTENT.format(rows=ROWS_BY_LINK)}),
     differing AS (
       (SELECT FALSE AS expected, * FROM recorded
        EXCEPT ALL SELECT FALSE, * FROM by_link)
       UNION ALL
       (SELECT TRUE, * FROM by_link EXCEPT ALL SELECT TRUE, * FROM recorded))
SELECT d.link_id, l.uuid, c.label, d.expected, d.state, d.starts, d.ends,
       lower(d.days)
  FROM differing d JOIN evidence_evidencelink l ON l.id = d.link_id
  JOIN controls_controlimplementation i ON i.id = d.implementation_id
  JOIN controls_control c ON c.id = i.control_id
 ORDER BY c.sort_order, d.link_id, d.expected, d.starts, d.ends
"""
CLOSE_NOW = """
UPDATE evidence_proof SET known_until = %(now)s
 WHERE known_until IS NULL AND link_id = ANY(%(links)s)
"""
OPEN_NOW = f"""
INSERT INTO evidence_proof ({COLUMNS})
SELECT p.system_id, p.implementation_id, p.requirement_id, p.link_id, p.half, p.state,
       p.starts, p.ends, p.occurrence, p.occurrence_ends, %(now)s, p.holds_from,
       p.holds_until
  FROM ({ROWS_BY_LINK}) AS p WHERE p.link_id = ANY(%(links)s)
"""


@dataclass(frozen=True)
class ProofDifference:
    """One row that is recorded and should not be, or should be and is not.

    `ends` is inclusive, None where the row proves on no day or has no end; `from_day`
    is the first day asked about of which it speaks.
    """

    link_id: int
    link: uuid.UUID
    control: str
    expected: bool
    state: str
    starts: dt.date
    ends: dt.date | None
    from_day: dt.date | None

    def __str__(self) -> str:
        end = f" to {self.ends}" if self.ends and self.ends != NO_END else ""
        later = self.from_day and self.from_day > self.starts
        days = f", for days from {self.from_day}" if later else ""
        verb = "missing" if self.expected else "recorded"
        return f"{verb}: {self.state}, {self.starts}{end}{days}"


def proof_differences(system: System) -> list[ProofDifference]:
    """Where the current rows of a system differ from what its links say. One statement.

    What was known before is not compared: links keep what they are now.
    """
    with connection.cursor() as cursor:
        cursor.execute(DIFFERENCES, {"system": system.pk})
        return [ProofDifference(*row) for row in cursor.fetchall()]


@transaction.atomic
def repair_proof(system: System) -> list[ProofDifference]:
    """Write the rows of each link that differs anew; returns what differed.

    The wrong rows are closed, not changed: what was known before stays as it was
    answered then. For the owner role only.
    """
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE evidence_proof IN SHARE ROW EXCLUSIVE MODE")
    differences = proof_differences(system)
    links = sorted({difference.link_id for difference in differences})
    if links:
        written: dict[str, Any] = {"now": knowledge_now(), "links": links}
        with connection.cursor() as cursor:
            cursor.execute(CLOSE_NOW, written)
            cursor.execute(OPEN_NOW, written)
        lines = [
            f"{row.control} {row.link} {row}" for row in differences[:MAX_LINES_KEPT]
        ]
        event = about(system, "proof.repaired", by=None, links=len(links), rows=lines)
        AuditEvent.objects.append(event)
    return differences
