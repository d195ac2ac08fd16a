"""Rows of a registrar's CSV or XLSX list: columns found by heading, faults by cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from controls.errors import Refused
from controls.spreadsheets import MAX_BYTES, Line, Place, lines_of, require_one_sheet

HEADER_WITHIN = 20  # lines in which the names of the columns are looked for
LIVE = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
Headings = Sequence[tuple[str, tuple[str, ...]]]


@dataclass(frozen=True)
class SheetForm:
    """What a list holds: fields with words that their headings contain, the one that
    every list needs first; `limits` are characters by field, `max_rows` lines."""

    headings: Headings
    limits: Mapping[str, int]
    max_rows: int


@dataclass(frozen=True)
class SheetRow:
    """The cells of one line by field, and where they stand."""

    line: Line
    columns: Mapping[str, int]
    cells: Mapping[str, str]

    def place(self, field: str) -> Place:
        """Where a cell stands."""
        return self.line.place(self.columns.get(field))


@dataclass(frozen=True)
class SheetRowError:
    """What is wrong with one cell, and where."""

    place: Place
    message: str

    def __str__(self) -> str:
        place = str(self.place)
        return f"{place[0].upper()}{place[1:]}: {self.message}"


@dataclass(frozen=True)
class SheetList:
    """A list as read: its rows, and what could not be read."""

    rows: tuple[SheetRow, ...]
    errors: tuple[SheetRowError, ...]


def read_list(file: BinaryIO, name: str, form: SheetForm) -> SheetList:
    """The rows of a CSV or XLSX file of one sheet, read in a confined process.

    Raises Refused when the file as a whole cannot be read, names no column of the
    first field, holds no row or more than `max_rows`.
    """
    columns: dict[str, int] | None = None
    rows: list[SheetRow] = []
    errors: list[SheetRowError] = []
    for line in require_one_sheet(lines_of(file.read(MAX_BYTES + 1), name)):
        if columns is None:
            columns = _columns(line, form) if line.number <= HEADER_WITHIN else None
        else:
            _read(line, columns, form, rows, errors)
        if len(rows) + len(errors) > form.max_rows:
            raise Refused(f"The file has more than {form.max_rows:,} lines.")
    if columns is None:
        word = form.headings[0][1][0].capitalize()
        raise Refused(
            f"No line names the columns: “{word}” is looked for in the first"
            f" {HEADER_WITHIN} lines. Begin with the template.",
            code="header_missing",
        )
    if not rows and not errors:
        raise Refused("The list holds nothing below its headings.")
    return SheetList(tuple(rows), tuple(errors))


def _columns(line: Line, form: SheetForm) -> dict[str, int] | None:
    """The columns of a line of headings; of each heading the first field that fits."""
    columns: dict[str, int] = {}
    for number, cell in enumerate(line.cells):
        words = " ".join(cell.lower().split())
        for field, parts in form.headings:
            if field not in columns and any(words.startswith(part) for part in parts):
                columns[field] = number
                break
    return columns if form.headings[0][0] in columns else None


def _text(cell: str) -> str:
    """The text of a cell, without the quote that our own files put before what a
    spreadsheet would execute: a file that is sent back says what it said."""
    text = " ".join(cell.split())
    return text[1:] if text[:1] == "'" and text[1:2] in LIVE else text


def _read(
    line: Line,
    columns: Mapping[str, int],
    form: SheetForm,
    rows: list[SheetRow],
    errors: list[SheetRowError],
) -> None:
    fault = line.fault_in(columns.values())
    if fault:
        errors.append(SheetRowError(line.place(fault.column), fault.sentence))
        return
    cells = {name: _text(line.cell(n)) for name, n in columns.items()}
    if not any(cells.values()):
        return
    row = SheetRow(line, columns, cells)
    too_long = [
        name for name, limit in form.limits.items() if len(cells.get(name, "")) > limit
    ]
    for name in too_long:
        sentence = (
            f"At most {form.limits[name]} characters: a reference in your own words,"
            " not the report's text."
        )
        errors.append(SheetRowError(row.place(name), sentence))
    if not too_long:
        rows.append(row)
