"""Lines of cells out of a CSV or XLSX file somebody sends, within fixed limits."""

from __future__ import annotations

import csv
import io
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from openpyxl import load_workbook
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException

from controls.errors import Refused

MAX_BYTES = 5 * 1024 * 1024
MAX_UNPACKED_BYTES = 80 * 1024 * 1024
MAX_LINES = 20_000  # blank ones too
MAX_COLUMNS = 50
MAX_SHEETS = 30
BROKEN = (
    AttributeError,
    EOFError,
    IndexError,
    InvalidFileException,
    KeyError,
    NotImplementedError,  # a compression nobody uses
    OSError,
    RuntimeError,  # an encrypted entry
    SyntaxError,  # what XML parsers raise
    TypeError,
    ValueError,
    zipfile.BadZipFile,
    zlib.error,
)


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


@dataclass(frozen=True)
class Line:
    """One line with its cells as text, without surrounding space."""

    sheet: str
    number: int
    cells: tuple[str, ...]

    def cell(self, column: int | None) -> str:
        """The text of a column; empty where the line is shorter or has no such."""
        inside = column is not None and column < len(self.cells)
        return self.cells[column] if inside else ""  # type: ignore[index]

    def place(self, column: int | None = None) -> Place:
        """The line, or one column of it, for a message."""
        letter = "" if column is None else get_column_letter(column + 1)
        return Place(self.sheet, self.number, letter)


def lines_of(content: bytes, name: str) -> list[Line]:
    """The lines of a file, the kind told by its name and checked by its bytes.

    Raises Refused: too large, another kind, broken, or more than MAX_LINES lines.
    """
    return list(each_line(content, name))


def each_line(
    content: bytes,
    name: str,
    *,
    max_bytes: int = MAX_BYTES,
    max_lines: int = MAX_LINES,
) -> Iterator[Line]:
    """The same one by one, within limits of the caller's. Raises while it is read."""
    if not content:
        raise Refused("The file is empty.")
    if len(content) > max_bytes:
        raise Refused(f"The file is larger than {max_bytes // 1024 // 1024} MB.")
    ending = name.lower().rpartition(".")[2]
    if ending not in {"csv", "xlsx"}:
        raise Refused("Send a file whose name ends in .csv or .xlsx.")
    read = _csv(content) if ending == "csv" else _xlsx(content, max_lines)
    for number, line in enumerate(read):
        if number == max_lines:
            raise Refused(f"The file has more than {max_lines:,} lines.")
        yield line


def _csv(content: bytes) -> Iterator[Line]:
    text = _decoded(content)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
    number = 1
    try:
        for cells in reader:
            yield Line("", number, tuple(map(_clean, cells[:MAX_COLUMNS])))
            number = reader.line_num + 1
    except csv.Error as broken:
        raise Refused(f"Line {number} cannot be read as CSV: {broken}.") from broken


def _decoded(content: bytes) -> str:
    """UTF-8, else what older spreadsheets write."""
    if b"\0" in content:
        raise Refused("This is not a CSV file: it holds bytes that are no text.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def _delimiter(text: str) -> str:
    """What separates the cells of the first line that has any."""
    head = next((line for line in text.splitlines() if line.strip(",;\t ")), "")
    return max(",;\t", key=head.count)


def _xlsx(content: bytes, max_lines: int) -> Iterator[Line]:
    try:
        _refuse_bombs(content)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about styles and rules, not about cells
            yield from _cells(content, max_lines)
    except BROKEN as broken:
        raise Refused("This cannot be read as an XLSX workbook.") from broken


def _refuse_bombs(content: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        unpacked = sum(entry.file_size for entry in archive.infolist())
    if unpacked > MAX_UNPACKED_BYTES:
        raise Refused("The workbook unpacks to more than we read.")


def _cells(content: bytes, max_lines: int) -> Iterator[Line]:
    book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    try:
        if len(book.worksheets) > MAX_SHEETS:
            raise Refused(f"The workbook has more than {MAX_SHEETS} sheets.")
        for sheet in book.worksheets:
            sheet.reset_dimensions()  # what the file says of its size may be wrong
            rows = sheet.iter_rows(
                max_col=MAX_COLUMNS, max_row=max_lines + 1, values_only=True
            )
            title = _clean(sheet.title)
            for number, cells in enumerate(rows, start=1):
                yield Line(title, number, tuple(map(_clean, _filled(cells))))
    finally:
        book.close()


def _filled(cells: tuple[Any, ...]) -> tuple[Any, ...]:
    """The cells up to the last that has anything; rows come padded to MAX_COLUMNS."""
    last = len(cells)
    while last and cells[last - 1] is None:
        last -= 1
    return cells[:last]


def _clean(value: Any) -> str:
    """A cell as text that a database can keep."""
    text = "" if value is None else str(value)
    return text.replace("\0", "").encode("utf-8", "ignore").decode().strip()
