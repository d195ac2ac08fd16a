"""Many files at once with a list that says what each proves. Reading is pure.

One row is one file for one requirement. Rows of the same file and the same words make
one evidence with several links.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO
from xml.etree.ElementTree import ParseError

from openpyxl import Workbook, load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from controls.control_ids import normalised_id
from controls.errors import Refused
from evidence.files.checks import check
from evidence.submissions.submission import Submission

COLUMNS = (
    "file",
    "control",
    "requirement",
    "title",
    "performed_on",
    "period_start",
    "period_end",
    "collected_on",
    "source_system",
    "procedure",
    "sensitivity",
)
SHEET_FAULTS = (InvalidFileException, OSError, KeyError, ValueError, ParseError)
NEEDED = ("file", "control", "performed_on")
MAX_ROWS = 1000
MAX_BYTES = 5_000_000
EXAMPLE = (
    "inventory.csv",
    "CM-8",
    "",
    "Inventory of October",
    "2026-10-31",
    "2026-10-01",
    "2026-10-31",
    "2026-11-02",
    "AWS Config",
    "Export of all resources",
    "internal",
)


@dataclass(frozen=True)
class MappingRow:
    """One line of the list: `number` as people count lines, the heading being 1."""

    number: int
    cells: Mapping[str, str]

    @property
    def file(self) -> str:
        """The name of the file it is about."""
        return self.cells["file"]


@dataclass(frozen=True)
class BulkRowError:
    """What is wrong in which line and column."""

    number: int
    column: str
    text: str


def read(body: BinaryIO, name: str) -> list[MappingRow]:
    """The rows of a CSV (UTF-8) or XLSX list, empty ones left out.

    Raises Refused for a list that cannot be read, lacks a column or is too long.
    """
    ending = name.rpartition(".")[2].lower()
    readers = {"xlsx": _sheet, "csv": _csv}
    if ending not in readers:
        raise Refused(f"“{name}” is neither CSV nor XLSX.")
    return list(_rows(readers[ending](body, name), name))


def _csv(body: BinaryIO, name: str) -> Iterator[list[str]]:
    raw = body.read(MAX_BYTES + 1)
    if len(raw) > MAX_BYTES:
        raise Refused(f"“{name}” is longer than {MAX_BYTES // 1_000_000} MB.")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as broken:
        raise Refused(f"“{name}” is not text in UTF-8.") from broken
    first = text.partition("\n")[0]
    delimiter = ";" if first.count(";") > first.count(",") else ","
    try:
        yield from csv.reader(io.StringIO(text), delimiter=delimiter, strict=True)
    except csv.Error as broken:
        raise Refused(f"“{name}” is not CSV: {broken}.") from broken


def _sheet(body: BinaryIO, name: str) -> Iterator[list[str]]:
    check(body, name)
    body.seek(0)
    try:
        book = load_workbook(body, read_only=True, data_only=True, keep_links=False)
    except SHEET_FAULTS as broken:
        raise Refused(f"“{name}” cannot be read as XLSX.") from broken
    for row in book.worksheets[0].iter_rows(max_col=30, values_only=True):
        yield [_text(cell) for cell in row]


def _text(cell: Any) -> str:
    if isinstance(cell, dt.datetime):
        return cell.date().isoformat()
    return "" if cell is None else str(cell)


def _rows(lines: Iterable[list[str]], name: str) -> Iterator[MappingRow]:
    heading: list[str] | None = None
    found = 0
    for number, line in enumerate(lines, start=1):
        if heading is None:
            heading = _heading(line, name)
            continue
        pairs = zip(heading, line, strict=False)
        cells = {column: cell.strip() for column, cell in pairs}
        if not any(cells.values()):
            continue
        found += 1
        if found > MAX_ROWS:
            raise Refused(f"“{name}” has more than {MAX_ROWS} rows.")
        yield MappingRow(number, dict.fromkeys(COLUMNS, "") | cells)


def _heading(line: list[str], name: str) -> list[str]:
    said = [cell.strip().lower().replace(" ", "_") for cell in line]
    missing = [column for column in NEEDED if column not in said]
    if missing:
        raise Refused(f"“{name}” lacks the column {' and '.join(missing)}.")
    return said


def template() -> str:
    """A list to fill in, as CSV with one example row."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    writer.writerow(EXAMPLE)
    return out.getvalue()


def template_workbook() -> bytes:
    """The same list as an XLSX workbook; days are text and stay as written."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Evidence")
    sheet.append(COLUMNS)
    sheet.append(EXAMPLE)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def submission_of(row: MappingRow, errors: list[BulkRowError]) -> Submission | None:
    """What a row says about its file; None where a day cannot be read."""
    days = {name: _day(row, name, errors) for name in DAYS}
    performed = days["performed_on"]
    if performed is None:
        return None
    return Submission(
        title=(row.cells["title"] or row.file)[:200],
        performed_on=performed,
        period_start=days["period_start"] or performed,
        period_end=days["period_end"] or performed,
        collected_on=days["collected_on"] or performed,
        source_system=row.cells["source_system"][:120],
        procedure=row.cells["procedure"],
        sensitivity=_sensitivity(row, errors),
    )


DAYS = ("performed_on", "period_start", "period_end", "collected_on")
SENSITIVITIES = ("internal", "confidential", "restricted")


def _day(row: MappingRow, column: str, errors: list[BulkRowError]) -> dt.date | None:
    text = row.cells[column]
    if not text:
        if column in NEEDED:
            errors.append(BulkRowError(row.number, column, "A day is needed."))
        return None
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        said = f"“{text[:40]}” is not a day such as 2026-10-31."
        errors.append(BulkRowError(row.number, column, said))
        return None


def _sensitivity(row: MappingRow, errors: list[BulkRowError]) -> str:
    said = row.cells["sensitivity"].lower() or "internal"
    if said not in SENSITIVITIES:
        known = ", ".join(SENSITIVITIES)
        errors.append(BulkRowError(row.number, "sensitivity", f"One of {known}."))
    return said


def control_of(row: MappingRow) -> str:
    """The control's identifier, however people spell it."""
    return normalised_id(row.cells["control"])
