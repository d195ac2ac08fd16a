"""The status report as a tagged PDF (PDF/UA-1): cover, summary, exceptions first.

What it says is gathered here as plain data; `report.typ` sets it, in a process of its
own (`typeset.py`): its memory, twice what the rest of a worker takes, goes with it.
Nothing that people typed is read as markup, no file or address is opened (IN-07).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from controls.grammar import count_of
from controls.models.engagements import EngagementKind
from controls.service_names import display_names
from evidence.charts import CLASSES, RESULTS, Segment, proof_segments
from evidence.exports.rows.answers import is_answered, response_sentences
from evidence.exports.rows.heading import Heading, heading_of
from evidence.exports.rows.scope import ExportScope, Progress
from evidence.exports.rows.status_rows import answered_documents, periods_of
from evidence.exports.sheets import Sheet, Value
from evidence.exports.sheets.after_closing import AFTER_CLOSING, after_closing_rows
from evidence.exports.sheets.after_period import AFTER_THE_PERIOD, after_period_rows
from evidence.exports.sheets.changes import CHANGES, change_rows
from evidence.exports.sheets.controls import (
    GAPS,
    ON_THE_DAY,
    STATUS,
    gap_rows,
    status_row,
    summed_exceptions,
)
from evidence.findings.item_answers import ItemAnswer, answers_by_control
from evidence.status.control_status import ControlStatus, proven_by
from evidence.status.rows import read_rows
from evidence.status.unnamed_controls import series_not_naming
from evidence.status.window_counts import results_of

TEMPLATE = Path(__file__).with_name("report.typ")
TYPESETTER = Path(__file__).with_name("typeset.py")
TYPESET_WITHIN = 600  # seconds; a report of 1,014 controls takes two
COLOURS = {
    "inherited": "#4b6ea9",
    "shared": "#7b5ea7",
    "customer": "#2f8f83",
    "proven": "#1d7a46",
    "proven-both": "#1d7a46",
    "proven-ours": "#4da36f",
    "proven-providers": "#a4d1b5",
    "complete-both": "#1d7a46",
    "complete-ours": "#4da36f",
    "complete-providers": "#a4d1b5",
    "partly": "#d99a2b",
    "running": "#d99a2b",
    "unproven": "#b3303f",
    "exceptions": "#b3303f",
}
NEUTRAL = "#9aa5b1"
MAX_NAMED = 12  # controls of one sentence of the summary
ALL_OF_THEM = " The sheet Reports of the workbook names all of them."
FAMILY = ("Control", "Title", "Responsibility", "Providers' half", "Our half",
          "Verdict", "Owner")  # fmt: skip
GAP = ("Control", "Gap", "Owner", "Next step")
WHERE = [column.title for column in GAPS.columns].index("Where")
CHANGE = ("From", "To", "What", "Control", "It says", "By", "Second person")
AFTER = ("On", "What", "Control", "It says", "State", "By")
LATER = ("Control", "What", "It says", "From", "To", "By", "Recorded")
ENGAGEMENTS = """
SELECT g.title, g.kind, g.firm, g.window_start, g.window_end FROM {engagement} g
 WHERE g.system_id = %(system)s AND g.window_start <= %(until)s
   AND g.window_end >= %(since)s
 ORDER BY g.window_start, g.id
"""


def write(scope: ExportScope, file: BinaryIO, progress: Progress) -> None:
    """The whole report; its own date is the instant of the scope."""
    total, documents = answered_documents(scope)
    names = display_names()
    report = _Report()
    periods = periods_of(scope.answers())
    responses = answers_by_control(periods, scope.moment, names)
    for document, answer in documents:
        items = responses.get(answer.implementation["id"], [])
        report.add(document, answer, names, items)
        progress(len(report.labels), total)
    heading = heading_of(scope)
    data = report.data(scope, heading)
    text = json.dumps(data, sort_keys=True, ensure_ascii=False)
    data["sha256"] = hashlib.sha256(text.encode()).hexdigest()
    shown = json.dumps(data, ensure_ascii=False)
    file.write(_typeset(shown.encode(), int(scope.known_at.timestamp())))


def _typeset(shown: bytes, timestamp: int) -> bytes:
    """The PDF. Raises CalledProcessError, TimeoutExpired."""
    done = subprocess.run(  # noqa: S603 - our own script and template
        [sys.executable, "-I", str(TYPESETTER), str(TEMPLATE), str(timestamp)],
        input=shown,
        stdout=subprocess.PIPE,
        env={},
        cwd="/",
        timeout=TYPESET_WITHIN,
        check=True,
    )
    return done.stdout


class _Report:
    """What the controls say, gathered one after the other."""

    def __init__(self) -> None:
        self.labels: dict[int, str] = {}  # by the control's key
        self.families: dict[str, tuple[str, list[list[Value]]]] = {}
        self.gaps: list[list[Value]] = []
        self.exceptions: list[dict[str, Any]] = []
        self.classes: Counter[str] = Counter()
        self.verdicts: Counter[str] = Counter()
        self.proven: Counter[str] = Counter()
        self.results: Counter[str] = Counter()
        self.complete: list[int] = []

    def add(
        self,
        document: Mapping[str, Any],
        answer: ControlStatus,
        names: Mapping[str, str],
        items: Collection[ItemAnswer],
    ) -> None:
        """One control more, with the items that the company answers."""
        row = answer.implementation
        self.labels[row["id"]] = document["label"]
        _, rows = self.families.setdefault(row["family"], (row["family"], []))
        rows.append(status_row(document, answer, names))
        self.classes[answer.facts.responsibility] += 1
        self.verdicts[answer.status.verdict] += 1
        if share := proven_by(answer):
            self.proven[share] += 1
        gaps = gap_rows(document, answer, names)
        self.gaps += [gap for gap in gaps if gap[WHERE] == ON_THE_DAY]
        if answer.period is None:
            return
        if answer.period.result == "complete":
            self.complete.append(row["id"])
        else:
            self.results[answer.period.result] += 1
        if answer.period.result == "exceptions":
            entries = summed_exceptions(answer, names)
            answered = ", answered" if is_answered("exceptions", items) else ""
            title = f"{document['label']} {document['title']}{answered}"
            replies = response_sentences(items)
            self.exceptions.append(
                {"title": title, "entries": entries, "responses": replies}
            )

    def data(self, scope: ExportScope, heading: Heading) -> dict[str, Any]:
        """All that `report.typ` shows, as plain data."""
        engagements = _engagements(scope)
        whose = results_of(scope.system, self.complete, scope.moment, scope.window)
        self.results += Counter(codes[-1] for codes in whose.values())
        window = f"{heading.window_start} to {heading.window_end}"
        return {
            "title": f"Status of controls of {heading.system}",
            "system": heading.system,
            "kind": "; ".join(engagements) or "No audit is recorded for this window",
            "window": window,
            "clocks": f"on {heading.on}, known at {heading.known_at},"
            f" rules {heading.rules}",
            "marks": heading.marks,
            "heading": heading.lines(),
            "charts": self._charts(),
            "sentences": [*self._sentences(), *self._unnamed(scope)],
            "exceptions": self.exceptions,
            "families": [
                {"title": name.upper(), "sheet": _sheet(STATUS, FAMILY, rows)}
                for name, rows in self.families.values()
            ],
            "gaps": _sheet(GAPS, GAP, self.gaps),
            "changes": _sheet(CHANGES, CHANGE, change_rows(scope, list(self.labels))),
            "ended": scope.moment.on > scope.window[1],
            "after": _sheet(
                AFTER_THE_PERIOD, AFTER, after_period_rows(scope, self.labels)
            ),
            "closed": list(heading.closings),
            "later": _sheet(
                AFTER_CLOSING, LATER, after_closing_rows(scope, self.labels)
            ),
        }

    def _charts(self) -> list[dict[str, Any]]:
        classes = [Segment(c, title, self.classes[c]) for c, title, _ in CLASSES]
        results = [Segment(c, title, self.results[c]) for c, title, _ in RESULTS]
        return [
            _chart("Who answers for the controls", classes),
            _chart("On the day", proof_segments(self.verdicts, self.proven)),
            _chart("Over the window", results),
        ]

    def _sentences(self) -> list[str]:
        exceptions = count_of(len(self.exceptions), "control", "has")
        gaps = count_of(len(self.gaps), "gap", "is")
        return [
            f"{exceptions} exceptions over the window; they stand first.",
            f"{gaps} known on the day, with what to do.",
        ]

    def _unnamed(self, scope: ExportScope) -> Iterator[str]:
        """A sentence for each series that is cited beyond its recorded coverage; all of
        the controls stand in the workbook."""
        controls: dict[tuple[str, int], list[str]] = {}
        series = series_not_naming(self.labels, scope.moment)
        for key, label in self.labels.items():
            for artifact, title in series.get(key, {}).items():
                controls.setdefault((title, artifact), []).append(label)
        for (title, _), labels in sorted(controls.items()):
            named = ", ".join(labels[:MAX_NAMED])
            rest = len(labels) - MAX_NAMED
            more = (
                f" and {count_of(rest, 'more control,more controls')}"
                if rest > 0
                else ""
            )
            yield (
                f"{title} is cited for {count_of(len(labels), 'control')} that its"
                f" recorded coverage does not name: {named}{more}."
                f"{ALL_OF_THEM if more else ''}"
            )


def _engagements(scope: ExportScope) -> list[str]:
    since, until = scope.window
    rows = read_rows(
        ENGAGEMENTS,
        scope.moment,
        system=scope.system.pk,
        since=since,
        until=until,
    )
    return [
        f"{EngagementKind(row['kind']).label}, {row['firm']}"
        f" ({row['window_start']} to {row['window_end']})"
        for row in rows
    ]


def _chart(title: str, parts: Iterable[Segment]) -> dict[str, Any]:
    return {
        "title": title,
        "parts": [
            {
                "name": part.title,
                "count": part.count,
                "colour": COLOURS.get(part.code, NEUTRAL),
            }
            for part in parts
        ],
    }


def _sheet(
    sheet: Sheet, chosen: Sequence[str], rows: Iterable[list[Value]]
) -> dict[str, Any]:
    """Some columns of a sheet with their rows as texts, for a page of paper."""
    titles = [column.title for column in sheet.columns]
    places = [titles.index(title) for title in chosen]
    used = [sheet.columns[place] for place in places]
    return {
        "columns": list(chosen),
        "kinds": [column.kind for column in used],
        "widths": [column.width if column.kind == "long" else 0 for column in used],
        "rows": [[_text(row, place) for place in places] for row in rows],
    }


def _text(row: list[Value], place: int) -> str:
    value = row[place] if place < len(row) else None
    if isinstance(value, dt.date):
        return value.isoformat()
    return "" if value is None else str(value)
