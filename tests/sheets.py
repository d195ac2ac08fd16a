"""Tables as CSV and XLSX bytes, as spreadsheet programs and other tools write them."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

Row = Sequence[Any]


def csv_bytes(
    rows: Iterable[Row], *, delimiter: str = ",", encoding: str = "utf-8"
) -> bytes:
    """The rows as a CSV file."""
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter).writerows(rows)
    return out.getvalue().encode(encoding)


def xlsx_bytes(
    rows: Iterable[Row] = (),
    *,
    sheets: Mapping[str, Iterable[Row]] | None = None,
    change: Callable[[Worksheet], None] | None = None,
) -> bytes:
    """The rows as a workbook of one sheet, or several sheets by name.

    Texts stay texts, whatever they look like; `change` is given the first sheet.
    """
    book = Workbook()
    book.remove(book.active)
    for title, lines in (sheets or {"List": rows}).items():
        sheet = book.create_sheet(title)
        for number, row in enumerate(lines, start=1):
            for column, value in enumerate(row, start=1):
                if value is None or value == "":
                    continue
                cell = sheet.cell(number, column, value)
                if isinstance(value, str):
                    cell.data_type = "s"
    if change:
        change(book.worksheets[0])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def replaced(workbook: bytes, entry: str, *changes: tuple[bytes, bytes]) -> bytes:
    """The workbook with bytes of one entry, or of all (`*`), replaced."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(workbook)) as source,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for member in source.namelist():
            body = source.read(member)
            if entry in {"*", member}:
                for before, after in changes:
                    body = body.replace(before, after)
            target.writestr(member, body)
    return out.getvalue()


def strict(workbook: bytes) -> bytes:
    """The workbook as Excel's “Strict Open XML Spreadsheet”."""
    transitional = b"http://schemas.openxmlformats.org/"
    ooxml = b"http://purl.oclc.org/ooxml/"
    return replaced(
        workbook,
        "*",
        (transitional + b"spreadsheetml/2006/main", ooxml + b"spreadsheetml/main"),
        (
            transitional + b"officeDocument/2006/relationships",
            ooxml + b"officeDocument/relationships",
        ),
    )


def with_empty_fill(workbook: bytes) -> bytes:
    """The workbook with an empty `<fill/>` among its styles, which Excel opens."""
    return replaced(
        workbook, "xl/styles.xml", (b"<fill><patternFill/></fill>", b"<fill/>")
    )
