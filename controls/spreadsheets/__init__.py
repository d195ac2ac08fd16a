"""The one reader of sheets: lines of cells out of a CSV or XLSX file somebody sends.

Reading happens in a confined process; see `parsing` for its limits and faults.
"""

from __future__ import annotations

import datetime as dt
import io
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import IO, Any, BinaryIO

from controls.confined import Heavy, Reader
from controls.errors import Refused
from controls.spreadsheets import parsing
from controls.spreadsheets.parsing import Limits, Record, SheetError, decoded

__all__ = [
    "LOCAL_TIME",
    "MAX_BYTES",
    "Limits",
    "Line",
    "LineFault",
    "Place",
    "SheetError",
    "column_letters",
    "decoded",
    "lines_of",
    "no_day",
    "number_as_day",
    "parse_lines",
    "read_records",
    "require_one_sheet",
]

MAX_BYTES = Limits().max_bytes
SHEETS = Reader(
    module="controls.spreadsheets.parsing",
    name="answer_records",
    memory=1_200_000_000,
    processor=40,
    seconds=60,
    answer=400_000_000,
    libraries=("openpyxl", "defusedxml.ElementTree"),
)
# A day, perhaps with a time of it that says no offset.
LOCAL_TIME = re.compile(
    r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?)?", re.ASCII
)
FIRST_DAY = dt.date(1899, 12, 30)  # day 0 of a workbook
# Numbers that are days of 1982 to 2118: nothing else in a column of days is so large.
DAY_NUMBERS = range(30_000, 80_000)


@dataclass(frozen=True)
class Place:
    """Where something stands in a file. `sheet` is empty for CSV; lines from 1."""

    sheet: str
    line: int
    column: str = ""

    def __str__(self) -> str:
        sheet = f"sheet “{self.sheet}”, " if self.sheet else ""
        column = f", column {self.column}" if self.column else ""
        return f"{sheet}line {self.line}{column}"


@dataclass(frozen=True, slots=True)
class LineFault:
    """What is wrong with one cell: its column (from 0), a code, a sentence."""

    column: int
    code: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Line:
    """One line with content: its cells as text, without surrounding space."""

    sheet: str
    number: int
    cells: tuple[str, ...]
    faults: tuple[LineFault, ...] = ()
    hidden: bool = False  # its sheet is

    def cell(self, column: int | None) -> str:
        """The text of a column; empty where the line is shorter or has no such."""
        inside = column is not None and column < len(self.cells)
        return self.cells[column] if inside else ""  # type: ignore[index]

    def place(self, column: int | None = None) -> Place:
        """The line, or one column of it, for a message."""
        letters = "" if column is None else column_letters(column)
        return Place(self.sheet, self.number, letters)

    def fault_in(self, columns: Iterable[int | None]) -> LineFault | None:
        """The first fault in one of these columns."""
        asked_columns = set(columns)
        return next(
            (fault for fault in self.faults if fault.column in asked_columns), None
        )


def lines_of(
    content: bytes | BinaryIO, name: str, limits: Limits | None = None
) -> Iterator[Line]:
    """The lines with content, sheet by sheet, read in a confined process.

    The kind is told by the name and checked by the bytes. Raises Refused, with the
    code of the fault, while the lines are taken.
    """
    return _lines(read_records(content, name, limits or Limits()))


def parse_lines(
    content: bytes, name: str, limits: Limits | None = None
) -> Iterator[Line]:
    """The same in this process: for bytes of our own, never for an upload."""
    return _lines(_refusing(parsing.records(content, name, limits or Limits())))


def read_records(
    content: bytes | BinaryIO, name: str, limits: Limits
) -> Iterator[Record]:
    """The records of `parsing`, made by a confined process. Raises Refused.

    A file may be of any length: this process does not load it.
    """
    if isinstance(content, bytes):
        try:
            parsing.require_readable(content, name, limits)
        except SheetError as fault:
            raise _refusal(fault) from fault
        content = io.BytesIO(content)
    return _refusing(_run(content, name, limits))


def require_one_sheet(lines: Iterable[Line]) -> Iterator[Line]:
    """The lines, as long as they stand in one sheet that can be seen.

    Raises Refused for a second sheet with content and for a hidden one.
    """
    first: str | None = None
    for line in lines:
        first = line.sheet if first is None else first
        if line.hidden:
            sentence = (
                f"Sheet “{line.sheet}” is hidden and holds lines: delete it or show it."
            )
            raise Refused(sentence, code="hidden_sheet")
        if line.sheet != first:
            sentence = f"Sheet “{line.sheet}” holds lines too: send one sheet."
            raise Refused(sentence, code="several_sheets")
        yield line


def number_as_day(text: str) -> dt.date | None:
    """The day a workbook means by a number that nobody formatted as a day."""
    number = int(text) if text.isascii() and text.isdigit() and len(text) == 5 else 0
    return FIRST_DAY + dt.timedelta(days=number) if number in DAY_NUMBERS else None


def no_day(text: str) -> str:
    """The sentence about a cell that is no day."""
    if day := number_as_day(text):
        return (
            f"“{text}” is a number, not a day; a workbook means {day} by it. Format the"
            " column as a date."
        )
    return f"“{text[:40]}” is not a day such as 2026-10-31."


def column_letters(column: int) -> str:
    """The letters of a column counted from 0: A, B, … Z, AA."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def _lines(records: Iterable[Record]) -> Iterator[Line]:
    sheet, hidden = "", False
    for record in records:
        if record[0] == "sheet":
            _, sheet, hidden = record
        elif record[0] == "line":
            _, number, cells, faults = record
            cell_faults = tuple(LineFault(*fault) for fault in faults)
            yield Line(sheet, number, tuple(cells), cell_faults, hidden)


def _refusing(records: Iterator[Record]) -> Iterator[Record]:
    try:
        yield from records
    except SheetError as fault:
        raise _refusal(fault) from fault


def _refusal(fault: SheetError) -> Refused:
    return Refused(fault.sentence, code=fault.code)


def _run(body: BinaryIO, name: str, limits: Limits) -> Iterator[Record]:
    ending = name.lower().rpartition(".")[2]
    try:
        with SHEETS.read(body, f"file.{ending}", asdict(limits)) as answer:
            yield from _records_of(answer)
    except Heavy:
        raise _too_heavy() from None


def _records_of(output: IO[bytes]) -> Iterator[Record]:
    for text in output:
        record: list[Any] = json.loads(text)
        if record[0] == "end":
            return
        if record[0] == "refused":
            raise SheetError(record[1], record[2])
        yield record
    raise _too_heavy()


def _too_heavy() -> SheetError:
    sentence = "This file takes too much time or memory to read."
    return SheetError("too_heavy", sentence)
