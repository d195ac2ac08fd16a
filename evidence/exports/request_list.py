"""The requests of an engagement as a workbook: the auditor's list with what became of
each, and the same as an empty list to fill in.

The columns of the list that comes in stand first under the same headings, so that the
file may be sent again: what is asked already is asked once.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterator, Sequence, Set
from typing import BinaryIO

from controls.grammar import count_of
from controls.models import Actor, Engagement, System
from evidence.exports.formats.xlsx import new_workbook
from evidence.exports.rows.cells import EXCEL_MARK, inert
from evidence.exports.sheets import Sheet, Value, columns
from evidence.models import Evidence, EvidenceRequest
from evidence.models.requests import UNANSWERED, EvidenceRequestState
from evidence.requests.list_rows import TITLES
from evidence.status.changed_facts import PEOPLE
from evidence.status.clock_parameters import Window
from evidence.status.rows import Moment, Row, as_bigints, grouped, read_rows

ASKED = """
SELECT r.id, r.number, r.title, r.what, r.due_on, r.state, r.asked_at, t.name AS team,
       asker.name AS asked_by, person.name AS person,
       (SELECT string_agg(c.label, ', ' ORDER BY c.sort_order, c.id)
          FROM evidence_evidencerequest_controls rc
          JOIN {implementation} i ON i.id = rc.controlimplementation_id
          JOIN {control} c ON c.id = i.control_id
         WHERE rc.evidencerequest_id = r.id) AS controls
  FROM {request} r JOIN {team} t ON t.id = r.team_id
  LEFT JOIN {people} asker ON asker.id = r.asked_by_id
  LEFT JOIN {people} person ON person.id = r.person_id
 WHERE r.id = ANY(%(requests)s::bigint[])
 ORDER BY r.id
"""
ANSWERS = """
SELECT a.request_id, a.note, a.known_from, e.id AS evidence_id, e.title,
       answerer.name AS answered_by
  FROM evidence_requestanswer a
  JOIN evidence_evidencerevision v ON v.id = a.revision_id
  JOIN {evidence} e ON e.id = v.evidence_id
  LEFT JOIN {people} answerer ON answerer.id = a.answered_by_id
 WHERE a.request_id = ANY(%(requests)s::bigint[])
   AND (%(known_at)s::timestamptz IS NULL OR a.known_from < %(known_at)s)
 ORDER BY a.request_id, a.id
"""
JUDGEMENTS = """
SELECT j.request_id, j.became, j.reason FROM evidence_requestjudgement j
 WHERE j.request_id = ANY(%(requests)s::bigint[])
   AND (%(known_at)s::timestamptz IS NULL OR j.known_from < %(known_at)s)
 ORDER BY j.request_id, j.id
"""
PEOPLE_NOW = """(
SELECT id, coalesce(nullif(name, ''), email) AS name FROM controls_user)"""
OF_THE_LIST = columns(
    (TITLES["number"], "text", 12),
    (TITLES["title"], "long", 40),
    (TITLES["what"], "long", 40),
    (TITLES["controls"], "long", 20),
    (TITLES["team"], "text", 18),
    (TITLES["due_on"], "day", 12),
)
TO_FILL_IN = Sheet("Requests", OF_THE_LIST)
REQUESTS = Sheet(
    "Requests",
    (
        *OF_THE_LIST,
        *columns(
            ("State", "state", 12),
            ("Overdue", "text", 10),
            ("Asked by", "text", 20),
            ("Asked on", "day", 12),
            ("Asked of person", "text", 20),
            ("Evidence", "long", 50),
            ("Answered by", "long", 20),
            ("Answered on", "day", 12),
            ("Remarks", "long", 40),
            ("What became of it", "long", 40),
        ),
    ),
)
NOTES = (
    ("Number", "the auditor's own"),
    ("Evidence", "titles of what answers it; what you may not see is counted"),
    ("State", "open, answered, returned, accepted or cancelled"),
)


def write_request_list(
    engagement: Engagement,
    file: BinaryIO,
    *,
    reader: Actor,
    moment: Moment,
    window: Window,
    now: dt.datetime,
) -> None:
    """The requests that the reader may see, as known at a moment, in the order in which
    they were asked; what was asked after its day is not among them.

    The same moment with an instant gives the same bytes. A constant number of
    statements. Raises StoreFull.
    """
    instant = moment.known_at or now
    with new_workbook(file, f"Requests of {engagement.title}", instant) as book:
        system = engagement.system
        first, last = window
        book.facts(
            [
                ("", "Requests for evidence"),
                ("System", f"{system.name} ({system.slug})"),
                ("Engagement", f"{engagement.title}, {engagement.firm}"),
                ("Audit window", f"{first} to {last}"),
                ("About the day", f"{moment.on} ({system.time_zone})"),
                ("Known at", instant.astimezone(dt.UTC).isoformat()),
                ("For", str(reader)),
                ("", ""),
                *NOTES,
            ]
        )
        book.begin(REQUESTS)
        for row in _rows(engagement, reader, moment):
            book.add(REQUESTS, row)
        book.end(REQUESTS)


def write_template(engagement: Engagement, file: BinaryIO, *, now: dt.datetime) -> None:
    """A list to fill in, as a workbook. Raises StoreFull."""
    title = f"Requests of {engagement.title}"
    with new_workbook(file, title, now) as book:
        book.begin(TO_FILL_IN)
        book.end(TO_FILL_IN)


def template_csv() -> str:
    """A list to fill in, as CSV."""
    out = io.StringIO()
    out.write(EXCEL_MARK)
    csv.writer(out).writerow([inert(title) for title in TITLES.values()])
    return out.getvalue()


def _rows(
    engagement: Engagement, reader: Actor, moment: Moment
) -> Iterator[list[Value]]:
    mine = EvidenceRequest.objects.visible_to(reader).filter(engagement=engagement)
    keys = list(mine.order_by().values_list("pk", flat=True).distinct())
    requests, answers, judgements = (
        read_rows(_people(statement, moment), moment, requests=as_bigints(keys))
        for statement in (ASKED, ANSWERS, JUDGEMENTS)
    )
    answers_of = grouped(answers, "request_id")
    became_of = grouped(judgements, "request_id")
    met = {row["evidence_id"] for row in answers}
    seen = Evidence.objects.visible_to(reader).filter(pk__in=met)
    shown = set(seen.order_by().values_list("pk", flat=True))
    for request in requests:
        if engagement.system.day_of(request["asked_at"]) <= moment.on:
            yield _row(
                engagement.system,
                request,
                answers_of[request["id"]],
                became_of[request["id"]],
                shown,
                moment.on,
            )


def _row(
    system: System,
    request: Row,
    answers: Sequence[Row],
    judgements: Sequence[Row],
    shown: Set[int],
    day: dt.date,
) -> list[Value]:
    titles = [row["title"] for row in answers if row["evidence_id"] in shown]
    evidence = [*dict.fromkeys(titles)]
    if hidden := len(answers) - len(titles):
        evidence.append(f"{count_of(hidden, 'piece')} that you may not see")
    overdue = request["state"] in UNANSWERED and request["due_on"] < day
    return [
        request["number"],
        request["title"],
        request["what"],
        request["controls"] or "",
        request["team"],
        request["due_on"],
        request["state"],
        "overdue" if overdue else "",
        request["asked_by"] or "",
        system.day_of(request["asked_at"]),
        request["person"] or "",
        "\n".join(evidence),
        "\n".join(dict.fromkeys(row["answered_by"] or "" for row in answers)),
        system.day_of(answers[-1]["known_from"]) if answers else None,
        "\n".join(row["note"] for row in answers if row["note"]),
        "\n".join(map(_became, judgements)),
    ]


def _became(judgement: Row) -> str:
    became = str(EvidenceRequestState(judgement["became"]).label)
    return f"{became}: {judgement['reason']}" if judgement["reason"] else became


def _people(statement: str, moment: Moment) -> str:
    people = PEOPLE if moment.known_at else PEOPLE_NOW
    return statement.replace("{people}", people)
