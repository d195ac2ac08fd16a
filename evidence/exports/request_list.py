"""The requests of an engagement as a workbook: the auditor's list with what became of
each, and the same as an empty list to fill in.

The columns of the list that comes in stand first under the same headings, so that the
file may be sent again: what is asked already is asked once.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections import defaultdict
from collections.abc import Iterator
from typing import BinaryIO

from django.db.models import Prefetch

from controls.grammar import count_of
from controls.models import Actor, Engagement
from evidence.exports.formats.xlsx import new_workbook
from evidence.exports.rows.cells import EXCEL_MARK, inert
from evidence.exports.sheets import Sheet, Value, columns
from evidence.models import Evidence, EvidenceRequest, RequestAnswer, RequestJudgement
from evidence.requests.list_rows import TITLES

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
    engagement: Engagement, file: BinaryIO, *, reader: Actor, now: dt.datetime
) -> None:
    """The requests that the reader may see, in order of their numbers.

    A constant number of statements. Raises StoreFull.
    """
    with new_workbook(file, f"Requests of {engagement.title}", now) as book:
        system = engagement.system
        window = f"{engagement.window_start} to {engagement.window_end}"
        book.facts(
            [
                ("", "Requests for evidence"),
                ("System", f"{system.name} ({system.slug})"),
                ("Engagement", f"{engagement.title}, {engagement.firm}"),
                ("Audit window", window),
                ("As of", now.astimezone(dt.UTC).isoformat()),
                ("For", str(reader)),
                ("", ""),
                *NOTES,
            ]
        )
        book.begin(REQUESTS)
        for row in _rows(engagement, reader, system.day_of(now)):
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
    engagement: Engagement, reader: Actor, today: dt.date
) -> Iterator[list[Value]]:
    answers = RequestAnswer.objects.select_related("revision", "answered_by")
    mine = EvidenceRequest.objects.visible_to(reader).filter(engagement=engagement)
    requests = list(
        mine.for_listing()
        .prefetch_related(Prefetch("answers", answers), "judgements")
        .order_by("pk")
    )
    shown = dict(
        Evidence.objects.visible_to(reader)
        .filter(revisions__answers__request__in=requests)
        .values_list("pk", "title")
    )
    for request in requests:
        yield _row(request, shown, today)


def _row(
    request: EvidenceRequest, shown: dict[int, str], today: dt.date
) -> list[Value]:
    answers = list(request.answers.all())
    titles: defaultdict[bool, list[str]] = defaultdict(list)
    for answer in answers:
        title = shown.get(answer.revision.evidence_id)
        titles[title is None].append(title or "")
    evidence = [*dict.fromkeys(titles[False])]
    if hidden := len(titles[True]):
        evidence.append(f"{count_of(hidden, 'piece')} that you may not see")
    return [
        request.number,
        request.title,
        request.what,
        ", ".join(row.control.label for row in request.controls.all()),
        request.team.name,
        request.due_on,
        request.state,
        "overdue" if request.overdue_on(today) else "",
        str(request.asked_by),
        request.system.day_of(request.asked_at),
        str(request.person) if request.person else "",
        "\n".join(evidence),
        "\n".join(dict.fromkeys(str(answer.answered_by) for answer in answers)),
        request.system.day_of(answers[-1].known_from) if answers else None,
        "\n".join(answer.note for answer in answers if answer.note),
        "\n".join(_became(judgement) for judgement in request.judgements.all()),
    ]


def _became(judgement: RequestJudgement) -> str:
    became = str(judgement.get_became_display())
    return f"{became}: {judgement.reason}" if judgement.reason else became
