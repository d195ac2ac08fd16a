"""Control by control: the evidence files, a page to read, and rows of the index."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.template.loader import render_to_string

from controls.service_names import display_names
from evidence.exports.package.files import Files, Placed
from evidence.exports.package.names import folder_name
from evidence.exports.package.piece_rows import piece_rows
from evidence.exports.rows.answers import item_lines
from evidence.exports.rows.scope import ExportScope, Progress
from evidence.exports.rows.status_rows import (
    REMOVED,
    answered_documents,
    periods_of,
)
from evidence.exports.sheets import words
from evidence.exports.sheets.controls import PERIOD, STATUS, matrix_rows, period_row
from evidence.exports.sheets.controls import status_row as status_row_of
from evidence.exports.sheets.records import (
    BATCH,
    POPULATIONS,
    index_rows,
    population_rows,
)
from evidence.findings.item_answers import ItemAnswer, answers_by_control
from evidence.status.control_status import ControlStatus
from evidence.status.reasons import Reason
from evidence.status.rows import grouped, read_rows
from evidence.status.unnamed_controls import series_not_naming
from evidence.status.window_words import notes_of

DAY = dt.timedelta(days=1)
INDEX_COLUMNS = (
    "control", "evidence", "state", "performed_on", "about_from", "about_to",
    "collected_on", "reviewed_by", "sampled_item", "name", "bytes", "sha256", "file",
    "withheld", "evidence_uuid", "link_uuid",
)  # fmt: skip
REMOVED_BYTES = "Removed as a spill; its digest and record remain."


@dataclass(frozen=True)
class Piece:
    """One file of one piece of evidence for one control, and where it lies."""

    row: Mapping[str, Any]
    placed: Placed

    @property
    def state(self) -> str:
        """As people read it."""
        return words(self.row["state"])

    @property
    def about_to(self) -> dt.date:
        """The last day it is about."""
        last: dt.date = self.row["period_until"] - DAY
        return last

    def cells(self, label: str) -> list[str]:
        """Its row of the index; see INDEX_COLUMNS."""
        row = self.row
        texts = [label, row["title"], self.state, row["performed_on"]]
        texts += [row["period_from"], self.about_to, row["collected_on"]]
        texts += [row["reviewer"], row.get("item"), row.get("name")]
        texts += [row.get("size_bytes"), row["sha256"], self.placed.path]
        texts += [self.placed.withheld, row["uuid"], row["link"]]
        return ["" if text is None else str(text) for text in texts]


@dataclass(frozen=True)
class IndexLine:
    """A control in the table of contents."""

    label: str
    title: str
    page: str
    responsibility: str
    provider_half: str
    customer_half: str
    verdict: str
    result: str
    files: int


@dataclass
class Controls:
    """Writes them in their order; `lines` and `index` are filled on the way."""

    scope: ExportScope
    files: Files
    heading: Any
    lines: list[IndexLine] = field(default_factory=list)
    index: list[list[str]] = field(default_factory=list)
    labels: dict[int, str] = field(default_factory=dict)
    answers: Mapping[int, Sequence[ItemAnswer]] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=display_names)  # of services
    # Of the batch: series cited whose recorded coverage names other controls.
    unnamed: Mapping[int, Mapping[int, str]] = field(default_factory=dict)

    @property
    def keys(self) -> list[int]:
        """The keys of the controls written so far."""
        return list(self.labels)

    def write(self, progress: Progress) -> None:
        """Every control that the scope means. The progress counts them."""
        total, documents = answered_documents(self.scope)
        periods = periods_of(self.scope.answers())
        self.answers = answers_by_control(periods, self.scope.moment, self.names)
        batch: list[tuple[dict[str, Any], ControlStatus]] = []
        for document, answer in documents:
            batch.append((document, answer))
            if len(batch) == BATCH:
                self._write(batch)
                progress(len(self.lines), total)
                batch = []
        self._write(batch)
        progress(total, total)

    def _write(self, batch: Sequence[tuple[dict[str, Any], ControlStatus]]) -> None:
        keys = [answer.implementation["id"] for _, answer in batch]
        self.unnamed = series_not_naming(keys, self.scope.moment)
        pieces = self._pieces(keys)
        drawn = defaultdict(list)
        for cells in population_rows(self.scope, keys):
            row = {c.title: v for c, v in zip(POPULATIONS.columns, cells, strict=True)}
            drawn[row["Control"]].append(row)
        placed = self.files.place(_folders(batch, pieces))
        for document, answer in batch:
            key, label = answer.implementation["id"], document["label"]
            shown = [Piece(row, _placed(row, placed)) for row in pieces[key]]
            self.index += [piece.cells(label) for piece in shown]
            self.labels[key] = label
            self._page(document, answer, shown, drawn[label])

    def _pieces(self, keys: Sequence[int]) -> Mapping[int, list[Mapping[str, Any]]]:
        rows = index_rows(self.scope, keys)
        removed = read_rows(
            REMOVED,
            self.scope.moment,
            system=self.scope.system.pk,
            implementations=list(keys),
        )
        return grouped([*rows, *_one_for_each_digest(removed)], "implementation_id")

    def _page(
        self,
        document: Mapping[str, Any],
        answer: ControlStatus,
        pieces: Sequence[Piece],
        populations: Sequence[Mapping[str, Any]],
    ) -> None:
        names = self.names
        status = _named(STATUS, status_row_of(document, answer, names))
        period = _named(PERIOD, period_row(document, answer, names))
        by_item = defaultdict(list)
        for piece in pieces:
            if piece.row.get("item"):
                by_item[piece.row["item"]].append(piece)
        page = f"controls/{folder_name(document['label'])}.html"
        text = render_to_string(
            "evidence/package/control.html",
            {
                "heading": self.heading,
                "label": document["label"],
                "title": document["title"],
                "status": status,
                "period": [(name, value) for name, value in period.items() if value],
                "reasons": _sentences(answer.status.reasons, names),
                "providers": document["providers"],
                "unnamed": self.unnamed.get(answer.implementation["id"], {}).values(),
                "layers": list(matrix_rows(document, names)),
                "occurrences": _occurrences(answer),
                "items": item_lines(self.answers.get(answer.implementation["id"], ())),
                "pieces": pieces,
                "piece_rows": piece_rows(pieces),
                "samples": [
                    (row, by_item.get(str(row["Item"]), ())) for row in populations
                ],
            },
        )
        self.files.archive.add(f"data/{page}", [text.encode()])
        self.lines.append(
            IndexLine(
                document["label"],
                document["title"],
                page,
                str(status["Responsibility"]),
                str(status["Providers' half"]),
                str(status["Our half"]),
                str(status["Verdict"]),
                str(period.get("Result") or ""),
                sum(bool(piece.placed.path) for piece in pieces),
            )
        )


def _folders(
    batch: Sequence[tuple[dict[str, Any], ControlStatus]],
    pieces: Mapping[int, list[Mapping[str, Any]]],
) -> dict[int, str]:
    """The folder of each file by its key: its first control's."""
    folders: dict[int, str] = {}
    for document, answer in batch:
        folder = f"data/evidence/{folder_name(document['label'])}"
        for row in pieces[answer.implementation["id"]]:
            if row.get("file"):
                folders.setdefault(row["file"], folder)
    return folders


def _named(sheet: Any, cells: Sequence[Any]) -> dict[str, Any]:
    """A row by its headings; a short row has no more."""
    return dict(zip((c.title for c in sheet.columns), cells, strict=False))


def _placed(row: Mapping[str, Any], placed: Mapping[int, Placed]) -> Placed:
    if row["state"] == "removed":
        return Placed("", REMOVED_BYTES)
    return placed.get(row["file"], Placed(""))


def _one_for_each_digest(
    rows: Sequence[Mapping[str, Any]],
) -> Iterator[dict[str, Any]]:
    for row in rows:
        for sha256 in row["sha256"]:
            yield {**row, "sha256": sha256}


def _sentences(
    reasons: Sequence[Reason], names: Mapping[str, str]
) -> list[tuple[str, str]]:
    """Why it stands so, each with what to do."""
    both = [(reason.sentence_with(names), reason.next_step) for reason in reasons]
    return list(dict.fromkeys(both))


def _occurrences(answer: ControlStatus) -> list[tuple[Any, str]]:
    """The timeline of the window: each period that was asked and what became of it."""
    if answer.period is None:
        return []
    return [
        (result, ", ".join((words(result.outcome), *notes_of(result))))
        for result in answer.period.occurrences.results
    ]
