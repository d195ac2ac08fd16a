"""The plan of action and milestones: findings, what was asked of them, and by when.

A finding here is a weakness that somebody has to mend, not an assessor's word on a
control: it stands as an item with its risk and what was observed, and the document
holds no `findings` (R29). What of the window an auditor will ask about is observed
beside them, with the company's answers (R36).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import BinaryIO

from evidence.exports.formats.oscal.head import DocumentHead, head_of
from evidence.exports.formats.oscal.items import item_observations
from evidence.exports.formats.oscal.results import chosen_controls
from evidence.exports.formats.oscal.system import this_system
from evidence.exports.formats.oscal.texts import lines, one_line, prop
from evidence.exports.formats.oscal.writing import (
    Node,
    end_of,
    start_of,
    write_document,
)
from evidence.exports.rows.scope import ExportScope, NotWhole, Progress
from evidence.models import DispositionKind
from evidence.status.facts import FindingFacts
from evidence.status.findings_from_rows import findings_of
from evidence.status.rows import Row, grouped, read_rows

NOTHING_FOUND = (
    "No finding of this system was recorded by then, so there is no plan of action to"
    " write: OSCAL has none without an item."
)
ITEMS = """
SELECT f.uuid::text AS uuid, f.implementation_id, f.part, f.title, f.text, f.source
  FROM evidence_finding f WHERE f.uuid = ANY(%(findings)s::uuid[])
"""
# What was asked of them, with what a second person made of it.
DISPOSITIONS = """
SELECT f.uuid::text AS finding, q.uuid::text AS uuid, q.kind, q.text, q.requested_on,
       d.decision, d.decided_on, d.reason
  FROM (SELECT * FROM evidence_disposition WHERE {before}) q
  JOIN evidence_finding f ON f.id = q.finding_id
  LEFT JOIN (SELECT * FROM evidence_dispositiondecision WHERE {before}) d
    ON d.disposition_id = q.id
 WHERE f.uuid = ANY(%(findings)s::uuid[])
 ORDER BY q.id
"""
DEVIATIONS = frozenset({DispositionKind.RISK_ADJUSTMENT, DispositionKind.OPERATIONAL})


class NothingFound(NotWhole):
    """There is no finding, and OSCAL has no plan of action without an item."""


def write(scope: ExportScope, file: BinaryIO, progress: Progress) -> None:
    """The whole document. Raises NothingFound."""
    head = head_of(scope)
    controls = chosen_controls(scope)
    by_control = findings_of(list(controls), scope.moment.on, scope.moment)
    facts = [fact for key in controls for fact in by_control[key].findings]
    if not facts:
        raise NothingFound(NOTHING_FOUND)
    chosen = {"findings": [fact.uuid for fact in facts]}
    rows = {row["uuid"]: row for row in read_rows(ITEMS, scope.moment, **chosen)}
    dispositions = grouped(read_rows(DISPOSITIONS, scope.moment, **chosen), "finding")
    weaknesses = [
        _Weakness(
            head,
            controls[rows[fact.uuid]["implementation_id"]],
            fact,
            rows[fact.uuid],
            dispositions[fact.uuid],
        )
        for fact in facts
    ]
    document: Node = {
        "uuid": head.document("plan-of-action-and-milestones"),
        "metadata": head.metadata("Plan of action and milestones", []),
        "system-id": {
            "identifier-type": "https://ietf.org/rfc/rfc4122",
            "id": str(scope.system.uuid),
        },
        "local-definitions": {"components": [this_system(head)]},
        "observations": chain(
            [weakness.observation() for weakness in weaknesses],
            item_observations(head, controls),
        ),
        "risks": [weakness.risk() for weakness in weaknesses],
        "poam-items": [weakness.item() for weakness in weaknesses],
    }
    write_document(file, "plan-of-action-and-milestones", document)
    progress(len(controls), len(controls))


@dataclass(frozen=True)
class _Weakness:
    """One finding, its standing on the day, and what was asked of it."""

    head: DocumentHead
    control: str
    fact: FindingFacts
    row: Row
    dispositions: Sequence[Row]

    def _named(self, what: str) -> str:
        return self.head.names.of(what, self.fact.uuid)

    def _start(self, day: dt.date) -> str:
        return start_of(self.head.scope.system, day)

    def observation(self) -> Node:
        """What was seen, where, on which day."""
        return {
            "uuid": self._named("found"),
            "description": lines(self.row["text"]),
            "props": [
                prop("control-id", self.control),
                prop("statement-id", self.row["part"]),
                prop("source", self.row["source"]),
            ],
            "methods": ["UNKNOWN"],
            "types": ["finding"],
            "subjects": [
                {
                    "subject-uuid": self.head.names.of("component", "this-system"),
                    "type": "component",
                }
            ],
            "collected": self._start(self.fact.found_on),
        }

    def risk(self) -> Node:
        """How grave it is, how it stands and by when it has to be mended."""
        due = self.fact.due_on
        title = one_line(self.row["title"])
        return {
            "uuid": self._named("risk"),
            "title": title,
            "description": lines(self.row["text"]),
            "statement": f"{self.control.upper()}: {title}",
            "props": [prop("severity", self.fact.severity)],
            "status": self._status(),
            "deadline": end_of(self.head.scope.system, due) if due else "",
            "risk-log": {"entries": [self._entry(row) for row in self.dispositions]},
            "related-observations": [{"observation-uuid": self._named("found")}],
        }

    def _status(self) -> str:
        closed_on = self.fact.closed_on
        if closed_on is not None and closed_on <= self.head.scope.moment.on:
            return "closed"
        deviations = [row for row in self.dispositions if row["kind"] in DEVIATIONS]
        if any(row["decision"] == "accept" for row in deviations):
            return "deviation-approved"
        waiting = [row for row in self.dispositions if row["decision"] is None]
        if any(row["kind"] != DispositionKind.CLOSURE for row in waiting):
            return "deviation-requested"
        return "remediating" if waiting else "open"

    def _entry(self, row: Row) -> Node:
        """What was asked, and what a second person made of it."""
        decided = {"accept": "Accepted", "reject": "Rejected"}.get(row["decision"], "")
        made = (
            f"{decided} on {row['decided_on']}" if decided else "Waits for a decision"
        )
        return {
            "uuid": self.head.names.of("disposition", row["uuid"]),
            "title": str(DispositionKind(row["kind"]).label),
            "description": lines(row["text"]),
            "start": self._start(row["requested_on"]),
            "remarks": lines(f"{made}. {row['reason'] or ''}"),
        }

    def item(self) -> Node:
        """The item of the plan."""
        return {
            "uuid": self._named("item"),
            "title": one_line(self.row["title"]),
            "description": lines(self.row["text"]),
            "props": [
                prop("control-id", self.control),
                prop("statement-id", self.row["part"]),
                prop("severity", self.fact.severity),
                prop("found-on", self.fact.found_on),
                prop("due-on", self.fact.due_on or ""),
                prop("closed-on", self.fact.closed_on or ""),
            ],
            "related-observations": [{"observation-uuid": self._named("found")}],
            "related-risks": [{"risk-uuid": self._named("risk")}],
        }
