"""The customer responsibility matrix as CSV and as a workbook."""

from __future__ import annotations

import csv
from io import StringIO
from typing import BinaryIO

from evidence.exports.formats.xlsx import opened
from evidence.exports.rows.cells import EXCEL_MARK, inert
from evidence.exports.rows.heading import heading_of
from evidence.exports.rows.scope import ExportScope, Progress
from evidence.exports.sheets.matrix import RESPONSIBILITIES, responsibility_rows

# Columns that say of each row what is the same in all of them.
OF_THE_FILE = ("System", "On", "Known at", "Reference data", "Marks")
NOTES = (
    ("One row", "is one control beside one service or other component in use"),
    ("AC-2 (a)", "is a part of a control that differs from the whole"),
    ("The provider does", "the layers that a provider runs under it"),
    ("We configure", "what we set on features of the service"),
    ("We provide", "what we bring ourselves: people, policy, software of our own"),
    ("Proven by", "the report that is relied on for the provider's part on the day"),
)


def write_csv(scope: ExportScope, file: BinaryIO, progress: Progress) -> None:
    """One row per control and service, cells that no spreadsheet executes."""
    heading = heading_of(scope)
    same = [
        heading.slug,
        heading.on,
        heading.known_at,
        heading.reference_version,
        heading.marks,
    ]
    titles = [column.title for column in RESPONSIBILITIES.columns]
    file.write(EXCEL_MARK.encode() + _line([*titles, *OF_THE_FILE]))
    for row in responsibility_rows(scope, progress):
        file.write(_line([*(str(value) for value in row), *same]))


def _line(cells: list[str]) -> bytes:
    line = StringIO()
    csv.writer(line).writerow(map(inert, cells))
    return line.getvalue().encode()


def write_xlsx(scope: ExportScope, file: BinaryIO, progress: Progress) -> None:
    """The same as a workbook with a sheet about the file. Raises StoreFull."""
    heading = heading_of(scope)
    with opened(file, scope, heading) as book:
        book.about("Customer responsibility matrix", heading, NOTES)
        book.begin(RESPONSIBILITIES)
        for row in responsibility_rows(scope, progress):
            book.add(RESPONSIBILITIES, row)
        book.end(RESPONSIBILITIES)
