"""What the company said about items of the window that an auditor asks about (R36)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from evidence.exports.rows.scope import ExportScope
from evidence.exports.sheets import Sheet, Value, columns, words
from evidence.findings.item_answers import ItemAnswer
from evidence.models.responses import ItemKind
from evidence.status.changed_facts import PEOPLE
from evidence.status.rows import as_bigints, read_rows

RESPONSES = Sheet(
    "Responses",
    columns(
        "Control",
        ("Item", "text", 24),
        ("About", "long", 36),
        ("From", "day", 12),
        ("To", "day", 12),
        ("Cause", "long", 40),
        ("Effect", "long", 40),
        ("What was done", "long", 40),
        ("What stands in for it", "long", 40),
        ("Owner", "text", 18),
        ("By", "text", 18),
        ("On", "day", 12),
        ("State", "state"),
        ("Decided by", "text", 18),
        ("Decided on", "day", 12),
        ("Reason", "long", 36),
        ("Counted now", "text", 18),
        ("Answered for", "number", 12),
        ("Not answered", "long", 40),
    ),
)
# Every response to an item that touches the window, with what became of it.
RESPONSE_ROWS = """
SELECT s.uuid::text AS uuid, c.label, s.kind, s.title, s.starts, s.ends,
       s.cause, s.effect, s.measures,
       s.compensating, s.owner, coalesce(who.name, s.responder_name) AS by,
       s.responded_on, d.decision, coalesce(second.name, d.reviewer_name) AS second,
       d.decided_on, d.reason
  FROM (SELECT * FROM evidence_itemresponse WHERE {before}) s
  JOIN {implementation} i ON i.id = s.implementation_id
  JOIN {control} c ON c.id = i.control_id
  LEFT JOIN (SELECT * FROM evidence_responsedecision WHERE {before}) d
    ON d.response_id = s.id
  LEFT JOIN {people} who ON who.id = s.responded_by_id
  LEFT JOIN {people} second ON second.id = d.reviewer_id
 WHERE s.system_id = %(system)s AND s.starts <= %(until)s AND s.ends >= %(since)s
   AND s.implementation_id = ANY(%(implementations)s::bigint[])
 ORDER BY c.sort_order, s.starts, s.id
"""
STATES = {"accept": "accepted", "reject": "rejected", None: "waits for a decision"}


def response_rows(
    scope: ExportScope,
    labels: Mapping[int, str],
    answers: Mapping[int, Sequence[ItemAnswer]],
) -> Iterator[list[Value]]:
    """Responses about days of the window, refused and waiting ones too, then the items
    that none was accepted for.

    `labels` are those of the controls by key, `answers` what each is asked about.
    """
    counting = {
        str(row.accepted.uuid): row
        for of_control in answers.values()
        for row in of_control
        if row.accepted
    }
    for response in _written(scope, list(labels)):
        yield [*response[1:], *_standing(counting.get(str(response[0])))]
    for key, label in labels.items():
        for row in answers.get(key, ()):
            if row.accepted is None:
                yield _unanswered(label, row)


def _standing(row: ItemAnswer | None) -> Iterable[Value]:
    """What is counted now, and how much of it the response answers."""
    if row is None:
        return ("", None, "")
    return (row.item.extent.words, row.answered_of, row.lacking_words)


def _unanswered(label: str, row: ItemAnswer) -> list[Value]:
    item = row.item
    cells: list[Value] = [label, row.kind_name, item.title, item.starts, item.ends]
    cells += [""] * 6 + [None, "not answered", "", None, ""]
    return [*cells, item.extent.words, 0, "Not answered."]


def _written(scope: ExportScope, keys: Sequence[int]) -> Iterator[list[Value]]:
    since, until = scope.window
    for row in read_rows(
        RESPONSE_ROWS.replace("{people}", PEOPLE),
        scope.moment,
        system=scope.system.pk,
        implementations=as_bigints(keys),
        since=since,
        until=until,
    ):
        yield [
            row["uuid"],
            row["label"],
            str(ItemKind(row["kind"]).label),
            row["title"],
            row["starts"],
            row["ends"],
            row["cause"],
            row["effect"],
            row["measures"],
            row["compensating"],
            row["owner"],
            row["by"],
            row["responded_on"],
            words(STATES[row["decision"]]),
            row["second"] or "",
            row["decided_on"],
            row["reason"] or "",
        ]
