"""Requests for evidence in a package, with their answers as known then."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from evidence.exports.package.files import Files, Placed
from evidence.exports.rows.scope import ExportScope
from evidence.exports.sheets import words
from evidence.models import EvidenceRequest
from evidence.status.changed_facts import PEOPLE
from evidence.status.rows import as_bigints, grouped, read_rows

FOLDER = "data/evidence/answers"
# `number` counts the requests of the system in the order in which they were asked.
REQUESTS = """
SELECT q.*, asker.name AS asked_by, g.title AS engagement,
       (SELECT string_agg(c.label, ', ' ORDER BY c.sort_order)
          FROM evidence_evidencerequest_controls rc
          JOIN {implementation} i ON i.id = rc.controlimplementation_id
          JOIN {control} c ON c.id = i.control_id
         WHERE rc.evidencerequest_id = q.id) AS controls
  FROM (SELECT r.id, r.uuid, r.title, r.what, r.due_on, r.state, r.asked_by_id,
               r.engagement_id, row_number() OVER (ORDER BY r.id) AS number
          FROM {request} r WHERE r.system_id = %(system)s) q
  LEFT JOIN {people} asker ON asker.id = q.asked_by_id
  LEFT JOIN {engagement} g ON g.id = q.engagement_id
 WHERE q.id = ANY(%(requests)s::bigint[])
 ORDER BY q.id
"""
ANSWERS = """
SELECT a.request_id, a.note, e.title, f.id AS file, f.name, b.sha256,
       answerer.name AS answered_by
  FROM evidence_requestanswer a
  JOIN evidence_evidencerevision rev ON rev.id = a.revision_id
  JOIN {evidence} e ON e.id = rev.evidence_id
  LEFT JOIN evidence_evidencefile f ON f.revision_id = rev.id
  LEFT JOIN evidence_blob b ON b.id = f.blob_id
  LEFT JOIN {people} answerer ON answerer.id = a.answered_by_id
 WHERE a.request_id = ANY(%(requests)s::bigint[]) AND a.known_from < %(known_at)s
 ORDER BY a.request_id, a.id, f.position, f.id
"""
COLUMNS = (
    "number", "request", "what", "controls", "engagement", "asked_by", "due", "state",
    "answer", "answered_by", "note", "file", "sha256", "withheld",
)  # fmt: skip


@dataclass(frozen=True)
class PackagedAnswer:
    """One file of an answer, or an answer without files."""

    title: str
    answered_by: str
    note: str
    sha256: str
    placed: Placed


@dataclass(frozen=True)
class PackagedRequest:
    """A request as it was known then."""

    row: Any
    state: str
    answers: tuple[PackagedAnswer, ...]

    def cells(self) -> list[list[str]]:
        """Its rows of the CSV, one for each file of its answers; see COLUMNS."""
        row = self.row
        head = [str(row["number"]), row["title"], row["what"], row["controls"] or ""]
        head += [row["engagement"] or "", row["asked_by"] or "", str(row["due_on"])]
        head.append(self.state)
        empty = [""] * (len(COLUMNS) - len(head))
        return [
            [
                *head,
                *(answer.title, answer.answered_by, answer.note),
                *(answer.placed.path, answer.sha256, answer.placed.withheld),
            ]
            for answer in self.answers
        ] or [[*head, *empty]]


def requests_of(scope: ExportScope, files: Files) -> list[PackagedRequest]:
    """Requests of the system, or of the audit whose scope it is, that the reader may
    see; files of answers are placed."""
    seen = EvidenceRequest.objects.filter(system=scope.system)
    if engagement := scope.filters.get("engagement"):
        seen = seen.filter(engagement__uuid=engagement)
    if scope.reader is not None:
        seen = seen.visible_to(scope.reader)
    keys = as_bigints(seen.order_by().values_list("pk", flat=True).distinct())
    named = {"system": scope.system.pk, "requests": keys}
    rows = read_rows(_people(REQUESTS), scope.moment, **named)
    answers = read_rows(_people(ANSWERS), scope.moment, requests=keys)
    placed = files.place({row["file"]: FOLDER for row in answers if row["file"]})
    by_request = grouped(answers, "request_id")
    return [
        PackagedRequest(
            row,
            words(row["state"]),
            tuple(
                PackagedAnswer(
                    answer["title"],
                    answer["answered_by"] or "",
                    answer["note"],
                    answer["sha256"] or "",
                    placed.get(answer["file"], Placed("")),
                )
                for answer in by_request[row["id"]]
            ),
        )
        for row in rows
    ]


def _people(statement: str) -> str:
    return statement.replace("{people}", PEOPLE)
