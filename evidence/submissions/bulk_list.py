"""Many files at once with a list that says what each proves. Reading is pure.

One row is one file for one requirement. Rows of the same file and the same words make
one evidence with several links.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import BinaryIO

from controls.control_ids import normalised_id
from controls.errors import Refused
from controls.spreadsheets import (
    LOCAL_TIME,
    Limits,
    Line,
    column_letters,
    lines_of,
    no_day,
    number_as_day,
    require_one_sheet,
)
from evidence.files.checks import check
from evidence.status.clock_parameters import ClockError, parse_day
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
    "completeness",
    "sensitivity",
)
NEEDED = ("file", "control", "performed_on")
MAX_ROWS = 1000
MAX_BYTES = 5_000_000
MAX_COMPLETENESS = 2000  # characters, as on the page of one upload
HEADER_WITHIN = 20  # lines in which a heading that is not the first is looked for
LIMITS = Limits(max_bytes=MAX_BYTES, max_lines=MAX_ROWS + 1000)
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
    "412 resources, as the console counts",
    "internal",
)


@dataclass(frozen=True)
class BulkRowError:
    """What is wrong in which line and column."""

    number: int
    column: str
    text: str


@dataclass(frozen=True)
class MappingRow:
    """One line of the list: `number` as people count lines, the heading being 1.

    `errors` are cells that cannot be read.
    """

    number: int
    cells: Mapping[str, str]
    errors: tuple[BulkRowError, ...] = ()

    @property
    def file(self) -> str:
        """The name of the file it is about."""
        return self.cells["file"]


def read(body: BinaryIO, name: str) -> list[MappingRow]:
    """The rows of a CSV or XLSX list, empty ones left out.

    Raises Refused for a list that cannot be read, lacks a column or is too long.
    """
    if name.lower().endswith(".xlsx"):
        check(body, name)
        body.seek(0)
    try:
        lines = lines_of(body.read(MAX_BYTES + 1), name, LIMITS)
        return rows_of(lines)
    except Refused as refusal:
        sentence = f"“{name}”: {' '.join(refusal.messages)}"
        raise Refused(sentence, code=refusal.code) from refusal


def rows_of(lines: Iterable[Line]) -> list[MappingRow]:
    """The rows of lines, the first of which names the columns. Raises Refused."""
    lines = require_one_sheet(lines)
    first = next(lines, None)
    if first is None:
        raise Refused("The list has no lines.", code="header_missing")
    try:
        heading = _heading(first)
    except Refused as refusal:
        raise _explained(refusal, lines) from refusal
    rows = [_row(line, heading) for line in lines]
    if len(rows) > MAX_ROWS:
        raise Refused(f"It has more than {MAX_ROWS} rows.", code="too_many_rows")
    return rows


def _heading(line: Line) -> list[str]:
    heading = [cell.lower().replace(" ", "_") for cell in line.cells]
    missing = [column for column in NEEDED if column not in heading]
    if missing:
        sentence = f"It lacks the column {' and '.join(missing)}."
        raise Refused(sentence, code="header_missing")
    named = [name for name in heading if name]
    for name in named:
        if named.count(name) > 1:
            sentence = f"Two columns are called “{name[:60]}”."
            raise Refused(sentence, code="duplicate_header")
    return heading


def _explained(refusal: Refused, lines: Iterable[Line]) -> Refused:
    """The refusal of a first line; names a later one that would be a heading."""
    if refusal.code != "header_missing":
        return refusal
    for line in itertools.islice(lines, HEADER_WITHIN):
        try:
            _heading(line)
        except Refused:
            continue
        sentence = f"Line {line.number} names the columns: remove what stands above it."
        return Refused(sentence, code="header_not_first")
    return refusal


def _row(line: Line, heading: list[str]) -> MappingRow:
    cells = {name: line.cell(n) for n, name in enumerate(heading) if name}
    errors = []
    for column, text in enumerate(line.cells):
        if text and not (column < len(heading) and heading[column]):
            letters = column_letters(column)
            sentence = "It has a value but no heading."
            errors.append(BulkRowError(line.number, letters, sentence))
    for fault in line.faults:
        named = fault.column < len(heading) and heading[fault.column]
        column_name = named or column_letters(fault.column)
        errors.append(BulkRowError(line.number, column_name, fault.sentence))
    return MappingRow(line.number, dict.fromkeys(COLUMNS, "") | cells, tuple(errors))


def template() -> str:
    """A list to fill in, as CSV with one example row."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    writer.writerow(EXAMPLE)
    return out.getvalue()


def template_workbook() -> bytes:
    """The same list as an XLSX workbook; days are text and stay as written."""
    from openpyxl import Workbook  # for this only: no process that serves reads one

    book = Workbook(write_only=True)
    sheet = book.create_sheet("Evidence")
    sheet.append(COLUMNS)
    sheet.append(EXAMPLE)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def submission_of(row: MappingRow, errors: list[BulkRowError]) -> Submission | None:
    """What a row says about its file; None where a day cannot be read."""
    errors.extend(row.errors)
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
        completeness=_completeness(row, errors),
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
        return parse_day(text[:10] if LOCAL_TIME.fullmatch(text) else text)
    except ClockError as fault:
        sentence = no_day(text) if number_as_day(text) else fault.sentence
        errors.append(BulkRowError(row.number, column, sentence))
        return None


def _completeness(row: MappingRow, errors: list[BulkRowError]) -> str:
    """What shows that nothing is left out of what was drawn from a system (R12)."""
    text = row.cells["completeness"].strip()
    if len(text) > MAX_COMPLETENESS:
        sentence = f"At most {MAX_COMPLETENESS:,} characters, it has {len(text):,}."
        errors.append(BulkRowError(row.number, "completeness", sentence))
    return text


def _sensitivity(row: MappingRow, errors: list[BulkRowError]) -> str:
    sensitivity = row.cells["sensitivity"].lower() or "internal"
    if sensitivity not in SENSITIVITIES:
        known = ", ".join(SENSITIVITIES)
        errors.append(BulkRowError(row.number, "sensitivity", f"One of {known}."))
    return sensitivity


def control_of(row: MappingRow) -> str:
    """The control's identifier, however people spell it."""
    return normalised_id(row.cells["control"])
