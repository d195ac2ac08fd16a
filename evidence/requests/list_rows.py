"""A list of requests as auditors send it: its rows as text, each with its place.

Auditors have lists of their own: columns are found by their headings, in whatever order
and sheet. What is not read is named in a note, never left out in silence.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO

from controls.errors import Refused
from controls.spreadsheets import Limits, Line, Place, lines_of

MAX_BYTES = 5_000_000
MAX_ROWS = 500
HEADER_WITHIN = 20  # lines of a sheet in which its headings are looked for
LIMITS = Limits(max_bytes=MAX_BYTES, max_lines=MAX_ROWS + 1000)
# The columns of the template and of the list that goes out, by what they hold.
TITLES = {
    "number": "Number",
    "title": "Request",
    "what": "Details",
    "controls": "Controls",
    "team": "Team",
    "due_on": "Due",
}
NEEDED = ("number", "title", "controls")
# What such columns are called in lists of auditors, without signs and in small letters.
HEADINGS = {
    "number": (
        "number", "no", "nr", "#", "ref", "reference", "id", "item no", "item number",
        "request no", "request number", "request id", "request ref", "pbc", "pbc no",
        "pbc number", "pbc ref",
    ),
    "title": (
        "request", "title", "what", "requested", "request title", "item requested",
        "evidence request", "evidence requested", "documents requested",
        "what you want to see",
    ),
    "what": (
        "details", "description", "request description", "in more words", "comments",
        "notes",
    ),
    "controls": (
        "controls", "control", "control id", "control ids", "control no",
        "control number", "control ref", "criteria", "criterion", "about the controls",
    ),
    "team": (
        "team", "asked of", "owner", "owner team", "responsible", "assigned to",
    ),
    "due_on": ("due", "due date", "due on", "date due", "by", "needed by", "deadline"),
}  # fmt: skip
SIGNS = re.compile(r"[^a-z0-9#]+")
NO_HEADING = (
    "No line names the columns: “Number”, “Request” and “Controls” are looked for in"
    f" the first {HEADER_WITHIN} lines of each sheet."
)


@dataclass(frozen=True)
class RowFault:
    """What is wrong with one line, and in which column."""

    place: Place
    message: str

    def __str__(self) -> str:
        return f"{_at_the_start(self.place)}: {self.message}"


@dataclass(frozen=True)
class ListedRow:
    """One line of the list: its texts by what they hold, and where each stands."""

    line: Line
    columns: Mapping[str, int]

    def text(self, name: str) -> str:
        """The text of a column; empty where the list has no such."""
        return self.line.cell(self.columns.get(name))

    def place(self, name: str = "") -> Place:
        """The line, or its cell in a column that the list has."""
        return self.line.place(self.columns.get(name))


@dataclass
class RequestFile:
    """A list as read: its rows, and what of it is not read."""

    rows: list[ListedRow] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read_upload(file: BinaryIO, name: str) -> RequestFile:
    """The rows of a CSV or XLSX file that somebody sent. Raises Refused."""
    return read_lines(lines_of(file.read(MAX_BYTES + 1), name, LIMITS))


def read_lines(lines: Iterable[Line]) -> RequestFile:
    """The rows of all sheets that have the columns.

    Raises Refused where none has, for two columns that are called the same, and for
    more than MAX_ROWS rows.
    """
    read = RequestFile()
    sheets: dict[str, _ListReader] = {}
    for line in lines:
        sheet = sheets.setdefault(
            line.sheet, _ListReader(line.sheet, hidden=line.hidden)
        )
        row = sheet.take(line)
        if row is not None:
            read.rows.append(row)
        if len(read.rows) > MAX_ROWS:
            raise Refused(f"The list has more than {MAX_ROWS} rows: send it in parts.")
    if not any(sheet.columns for sheet in sheets.values()):
        raise Refused(NO_HEADING, code="header_missing")
    read.notes = [note for sheet in sheets.values() for note in sheet.notes()]
    return read


def several(text: str) -> list[str]:
    """What stands in one cell apart by comma, semicolon or line."""
    parts = (" ".join(part.split()) for part in re.split(r"[,;\n]+", text))
    return [part for part in parts if part]


class _ListReader:
    """How far a sheet is read: its columns, once a line has named them."""

    def __init__(self, name: str, *, hidden: bool) -> None:
        self.name, self.hidden = name, hidden
        self.columns: dict[str, int] = {}
        self.above: list[int] = []  # lines that stand above the headings
        self.headings: tuple[str, ...] = ()
        self.unread: dict[int, Place] = {}  # columns, and where each has a value first

    def take(self, line: Line) -> ListedRow | None:
        """The row of a line; None for headings and for what is not read."""
        if self.hidden:
            return None
        if self.columns:
            self._note_unread(line)
            return ListedRow(line, self.columns)
        if len(self.above) < HEADER_WITHIN:
            self.columns = _columns(line)
        if self.columns:
            self.headings = line.cells
        else:
            self.above.append(line.number)
        return None

    def _note_unread(self, line: Line) -> None:
        known = set(self.columns.values())
        for column, text in enumerate(line.cells):
            if text and column not in known:
                self.unread.setdefault(column, line.place(column))

    def notes(self) -> Iterator[str]:
        """A sentence for each thing of the sheet that is not read."""
        if self.hidden:
            yield f"Sheet “{self.name}” is hidden and is not read."
            return
        if not self.columns:
            yield f"Sheet “{self.name}” has no headings of ours and is not read."
            return
        for number in self.above:
            above = _at_the_start(Place(self.name, number))
            yield f"{above}: stands above the headings and is not read."
        for column, place in sorted(self.unread.items()):
            heading = self.headings[column] if column < len(self.headings) else ""
            named = f"“{heading[:60]}”" if heading else "without a heading"
            yield f"{_at_the_start(place)}: the column {named} is not read."


def _at_the_start(place: Place) -> str:
    words = str(place)
    return f"{words[0].upper()}{words[1:]}"


def _columns(line: Line) -> dict[str, int]:
    """Which column holds what, if the line names those that are needed; else nothing.

    A list that has a description but no title has its requests there.
    """
    columns: dict[str, int] = {}
    for column, cell in enumerate(line.cells):
        words = SIGNS.sub(" ", cell.lower()).strip()
        for name, known in HEADINGS.items():
            if words in known and name not in columns:
                columns[name] = column
    if "title" not in columns and "what" in columns:
        columns["title"] = columns.pop("what")
    if not all(name in columns for name in NEEDED):
        return {}
    return columns
