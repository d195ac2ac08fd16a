"""A small table as a file: CSV, or a workbook of one sheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from evidence.exports.rows.cells import EXCEL_MARK, inert

CSV = "text/csv; charset=utf-8"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
Rows = Sequence[Sequence[str]]


def csv_of(rows: Rows) -> bytes:
    """The rows as CSV; no cell is one that a spreadsheet executes."""
    out = io.StringIO()
    csv.writer(out).writerows([[inert(cell) for cell in row] for row in rows])
    return (EXCEL_MARK + out.getvalue()).encode()


def workbook_of(rows: Rows, title: str) -> bytes:
    """The same as a workbook whose cells are all text; `title` names the sheet."""
    from openpyxl import Workbook  # for this only: no process that serves reads one

    book = Workbook(write_only=True)
    sheet = book.create_sheet(title)
    for row in rows:
        sheet.append([inert(cell) for cell in row])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
