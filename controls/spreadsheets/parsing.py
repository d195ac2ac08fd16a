"""Cells out of CSV and XLSX bytes, with every fault named. Runs confined.

The reader (`answer_records`) writes one JSON record a line. One file: it imports
nothing of SRM, and whatever a hostile file does, it does in a process with limits
(`controls/confined`). Both kinds of file give the same records for the same content.

Records: `["sheet", name, hidden]`, then for each line with content `["line", number,
cells, faults]` with faults as `[column, code, sentence]`; `["cut", what]` where a
preview leaves out "lines", "columns" or "cells", or the workbook holds "charts" (sheets
of them), "drawings" or "comments", which are no cells; `["refused", code, sentence]` or
`["end"]` as the last one.
"""

from __future__ import annotations

import codecs
import csv
import datetime as dt
import io
import json
import re
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from controls.grammar import size_in_words

MAX_UNPACKED_BYTES = 80 * 1024 * 1024
MAX_SHEETS = 30
MAX_MERGED = 2_000  # merged ranges of a sheet
UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
ERROR_VALUES = frozenset(
    {
        *("#N/A", "#DIV/0!", "#REF!", "#VALUE!", "#NAME?", "#NUM!", "#NULL!"),
        *("#SPILL!", "#CALC!", "#FIELD!", "#BLOCKED!", "#CONNECT!", "#UNKNOWN!"),
        "#GETTING_DATA",
    }
)
QUOTED = re.compile(r'"[^"]*"')
SEPARATOR_LINE = re.compile(r"sep=([,;\t])\r?\n", re.IGNORECASE)  # Excel's own hint
FORMULA = re.compile(rb"<(?:\w+:)?f[\s/>]")
MERGED = re.compile(
    rb"<(?:\w+:)?mergeCell\b[^>]*\bref=[\"']"
    rb"([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})[\"']"
)
DRAWN = re.compile(r"xl/(?:drawings/drawing|media/)", re.IGNORECASE)
COMMENTED = re.compile(r"xl/(?:threaded)?comments", re.IGNORECASE)
STRICT = "{http://purl.oclc.org/"
BROKEN = (
    AttributeError,
    EOFError,
    IndexError,
    KeyError,
    NotImplementedError,  # a compression nobody uses
    OSError,
    OverflowError,
    RuntimeError,  # an encrypted entry
    SyntaxError,  # what XML parsers raise
    TypeError,
    ValueError,
    zipfile.BadZipFile,
    zlib.error,
)

Record = list[Any]
Fault = tuple[int, str, str]  # column from 0, code, sentence


class SheetError(Exception):
    """Why a file as a whole is not read: a code and a sentence for people."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence


@dataclass(frozen=True)
class Limits:
    """How much of a file is read.

    With `preview` what lies beyond is cut and said by a record, and a formula without
    a value shows itself; otherwise both are faults. `sheet` (from 0) reads that one
    only, or the last where there are fewer; `None` all.
    """

    max_bytes: int = 5_000_000
    max_lines: int = 20_000  # with content
    max_columns: int = 50
    max_cell: int = 32_767  # characters, as many as Excel allows
    max_text: int = 10_000_000  # bytes of all cells: one text may be named often
    preview: bool = False
    sheet: int | None = None


def records(content: bytes, name: str, limits: Limits) -> Iterator[Record]:
    """The records of a file, its kind told by its name. Raises SheetError."""
    require_readable(content, name, limits)
    is_csv = name.lower().endswith(".csv")
    read = _csv_sheet if is_csv else _xlsx_sheets
    text_bytes = 0
    for record in read(content, limits):
        if record[0] == "line":
            text_bytes += sum(map(_size, record[2]))
            if text_bytes > limits.max_text:
                raise SheetError("too_much_text", "The file holds too much text.")
        yield record


def _size(cell: str) -> int:
    return len(cell) if cell.isascii() else len(cell.encode("utf-8", "replace"))


def require_readable(content: bytes, name: str, limits: Limits) -> None:
    """Raise SheetError for what needs no reading: nothing, too much, another kind."""
    if not content:
        raise SheetError("empty", "The file is empty.")
    if len(content) > limits.max_bytes and not limits.preview:
        limit = size_in_words(limits.max_bytes)
        raise SheetError("too_large", f"The file is larger than {limit}.")
    if name.lower().rpartition(".")[2] not in {"csv", "xlsx"}:
        sentence = "Send a file whose name ends in .csv or .xlsx."
        raise SheetError("wrong_kind", sentence)


def decoded(content: bytes, *, whole: bool = True) -> str:
    """The text of a CSV file: UTF-8, UTF-16 with its mark, else Windows-1252.

    Not `whole`: a character may be cut at the end. Raises SheetError.
    """
    names: tuple[str, ...] = ("utf-8-sig", "cp1252")
    if content.startswith(UTF16_MARKS):
        names = ("utf-16",)
    elif b"\0" in content:
        sentence = "This is not a CSV file: it holds bytes that are no text."
        raise SheetError("not_text", sentence)
    for name in names:
        try:
            text = codecs.getincrementaldecoder(name)().decode(content, whole)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise SheetError(
        "encoding",
        "The text is neither UTF-8, nor UTF-16 with its mark, nor Windows-1252: save"
        " it as “CSV UTF-8”.",
    )


def _csv_sheet(content: bytes, limits: Limits) -> Iterator[Record]:
    text = decoded(content, whole=not limits.preview)
    number = 1
    hint = SEPARATOR_LINE.match(text)
    if hint:
        text, number = text[hint.end() :], 2
    delimiter = hint[1] if hint else _delimiter(text)
    strict = not limits.preview  # the end of a preview may lie inside a quote
    lines = io.StringIO(text, newline="")
    reader = csv.reader(lines, delimiter=delimiter, strict=strict)
    before = number - 1  # lines that the reader does not count
    yield ["sheet", "", False]
    written = 0
    try:
        for cells in reader:
            line = _line(number, list(enumerate(cells)), [], limits)
            number = before + reader.line_num + 1
            if line is None:
                continue
            written += 1
            if written > limits.max_lines:
                yield _too_long(limits)
                return
            yield from line
    except csv.Error as broken:
        raise _csv_error(broken, number) from broken


def _csv_error(broken: csv.Error, number: int) -> SheetError:
    if "unexpected end of data" in str(broken):
        sentence = f"Line {number}: a quote is opened and never closed."
        return SheetError("unclosed_quote", sentence)
    if "expected after" in str(broken):
        sentence = (
            f"Line {number}: text follows a closing quote. Write a quote inside a"
            " quoted cell twice."
        )
        return SheetError("broken_quote", sentence)
    sentence = f"Line {number} cannot be read as CSV: {broken}."
    return SheetError("broken", sentence)


def _delimiter(text: str) -> str:
    """What separates the cells of the first line that has any."""
    head = next((line for line in text.splitlines() if line.strip(",;\t ")), "")
    return max(",;\t", key=QUOTED.sub("", head).count)


def _line(
    number: int, cells: list[tuple[int, Any]], faults: list[Fault], limits: Limits
) -> list[Record] | None:
    """The records of one line; None for one without content. Raises SheetError."""
    texts: list[str] = []
    cut: list[str] = []
    for column, value in cells:
        text = cell_text(value)
        if not text:
            continue
        if column >= limits.max_columns:
            if not limits.preview:
                raise _too_wide(number, limits)
            cut.append("columns")
            continue
        if len(text) > limits.max_cell:
            if limits.preview:
                text = text[: limits.max_cell]
                cut.append("cells")
            else:
                sentence = f"The cell has more than {limits.max_cell:,} characters."
                faults.append((column, "long_cell", sentence))
                text = ""
        if text in ERROR_VALUES and not limits.preview:
            sentence = f"The cell holds the error {text} instead of a value."
            faults.append((column, "error_value", sentence))
        texts += [""] * (column - len(texts)) + [text]
    if not texts and not faults and not cut:
        return None
    line: Record = ["line", number, texts, faults]
    return [line, *(["cut", what] for what in dict.fromkeys(cut))]


def cell_text(value: Any) -> str:
    """A cell as text that a database can keep, alike for both kinds of file.

    Days are 2026-06-30, with a time 2026-06-30T12:00:00; whole numbers have no point.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, dt.datetime):
        at_midnight = value.time() == dt.time()
        return (value.date() if at_midnight else value).isoformat()
    if isinstance(value, (dt.date, dt.time)):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    text = str(value).replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    return text.encode("utf-8", "ignore").decode().strip()


def _too_long(limits: Limits) -> Record:
    if limits.preview:
        return ["cut", "lines"]
    sentence = f"The file has more than {limits.max_lines:,} lines."
    raise SheetError("too_many_lines", sentence)


def _too_wide(number: int, limits: Limits) -> SheetError:
    sentence = f"Line {number} has more than {limits.max_columns} columns."
    return SheetError("too_many_columns", sentence)


def _xlsx_sheets(content: bytes, limits: Limits) -> Iterator[Record]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about styles and rules, not about cells
            yield from _sheets(content, limits)
    except BROKEN as broken:
        sentence = (
            "This cannot be read as an XLSX workbook: open it in a spreadsheet program"
            " and save it again as “Excel Workbook (.xlsx)”."
        )
        raise SheetError("broken_workbook", sentence) from broken


def _sheets(content: bytes, limits: Limits) -> Iterator[Record]:
    from openpyxl import load_workbook

    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        unpacked = sum(entry.file_size for entry in archive.infolist())
        if unpacked > MAX_UNPACKED_BYTES and not limits.preview:
            sentence = "The workbook unpacks to more than we read."
            raise SheetError("unpacks_too_large", sentence)
        parts = _parts(archive)
        options = {"read_only": True, "keep_links": False}
        book = load_workbook(io.BytesIO(content), data_only=True, **options)
        formulas = None
        if len(book.worksheets) > MAX_SHEETS:
            sentence = f"The workbook has more than {MAX_SHEETS} sheets."
            raise SheetError("too_many_sheets", sentence)
        if not book.worksheets:
            raise SheetError("no_sheet", "The workbook has no sheet with cells.")
        last = len(book.worksheets) - 1
        only = None if limits.sheet is None else min(limits.sheet, last)
        _require_every_sheet(parts, book)
        yield from _not_cells(archive, book) if limits.preview else ()
        for position, sheet in enumerate(book.worksheets):
            yield ["sheet", cell_text(sheet.title), sheet.sheet_state != "visible"]
            if only not in {None, position}:
                continue
            body = archive.read(parts[sheet.title])
            counterpart = None
            if FORMULA.search(body):
                formulas = formulas or load_workbook(io.BytesIO(content), **options)
                counterpart = formulas[sheet.title]
            yield from _rows(sheet, counterpart, _merged(body, limits), limits)


def _require_every_sheet(parts: dict[str, str], book: Any) -> None:
    """Raise SheetError where the library passed a sheet over without a word."""
    read = {sheet.title for sheet in [*book.worksheets, *book.chartsheets]}
    lost = sorted(set(parts) - read)
    if lost:
        sentence = (
            f"Sheet “{lost[0][:60]}” cannot be read: open the workbook in a"
            " spreadsheet program and save it again."
        )
        raise SheetError("lost_sheet", sentence)


def _not_cells(archive: zipfile.ZipFile, book: Any) -> Iterator[Record]:
    """What a workbook shows and no list of cells does."""
    if book.chartsheets:
        yield ["cut", "charts"]
    if any(DRAWN.match(entry) for entry in archive.namelist()):
        yield ["cut", "drawings"]
    if any(COMMENTED.match(entry) for entry in archive.namelist()):
        yield ["cut", "comments"]


def _parts(archive: zipfile.ZipFile) -> dict[str, str]:
    """Names of sheets with the entry that holds their cells. Raises SheetError."""
    from defusedxml.ElementTree import fromstring

    roots = fromstring(archive.read("_rels/.rels"))
    main = next(
        relation.get("Target").lstrip("/")
        for relation in roots
        if relation.get("Type").endswith("/officeDocument")
    )
    book = fromstring(archive.read(main))
    if book.tag.startswith(STRICT):
        raise SheetError(
            "strict_workbook",
            "This workbook is saved as “Strict Open XML”, which is not read: save it"
            " as “Excel Workbook (.xlsx)”.",
        )
    folder, _, file = main.rpartition("/")
    relations = fromstring(archive.read(f"{folder}/_rels/{file}.rels".lstrip("/")))
    targets = {relation.get("Id"): relation.get("Target") for relation in relations}
    parts = {}
    for sheet in book.findall("{*}sheets/{*}sheet"):
        key = next(v for name, v in sheet.attrib.items() if name.endswith("}id"))
        target = targets[key]
        inside = f"{folder}/{target}".lstrip("/")
        parts[sheet.get("name")] = target[1:] if target[:1] == "/" else inside
    return parts


def _merged(body: bytes, limits: Limits) -> list[tuple[int, int, int, int]]:
    """First row, last row, first and last column (from 0) of merged ranges, sorted."""
    from openpyxl.utils import column_index_from_string as index

    if limits.preview:
        return []
    ranges = [
        (int(top), int(bottom), index(left.decode()) - 1, index(right.decode()) - 1)
        for left, top, right, bottom in MERGED.findall(body)
    ]
    if len(ranges) > MAX_MERGED:
        sentence = f"A sheet has more than {MAX_MERGED:,} merged cells."
        raise SheetError("too_many_merged", sentence)
    return sorted(ranges)


def _rows(
    sheet: Any,
    formulas: Any,
    merged: list[tuple[int, int, int, int]],
    limits: Limits,
) -> Iterator[Record]:
    """The lines of one sheet; `formulas` is the same sheet before it was computed."""
    written = 0
    for number, values, uncomputed in _with_formulas(sheet, formulas):
        cells = list(enumerate(values))
        faults: list[Fault] = []
        for column, formula in uncomputed:
            if limits.preview:
                cells[column] = (column, formula)
            else:
                sentence = (
                    "The cell holds a formula without its value: open the file in a"
                    " spreadsheet program and save it again."
                )
                faults.append((column, "formula_without_value", sentence))
        faults += _merged_faults(number, merged)
        # a merged range alone is no content
        line = _line(number, cells, faults, limits)
        if line is None or not (line[0][2] or uncomputed):
            continue
        written += 1
        if written > limits.max_lines:
            yield _too_long(limits)
            return
        yield from line


def _with_formulas(
    sheet: Any, formulas: Any
) -> Iterator[tuple[int, tuple[Any, ...], list[tuple[int, str]]]]:
    """Row number, values, and the columns whose formula has no value."""
    sheet.reset_dimensions()  # what the file says of its size may be wrong
    rows = sheet.iter_rows(values_only=True)
    if formulas is None:
        for number, values in enumerate(rows, start=1):
            yield number, values, []
        return
    formulas.reset_dimensions()
    pairs = zip(rows, formulas.iter_rows(), strict=False)
    for number, (values, cells) in enumerate(pairs, start=1):
        uncomputed = [
            (column, str(cell.value))
            for column, (value, cell) in enumerate(zip(values, cells, strict=False))
            if value is None and cell.data_type == "f"
        ]
        yield number, values, uncomputed


def _merged_faults(number: int, merged: list[tuple[int, int, int, int]]) -> list[Fault]:
    """The faults of one row; forgets ranges above it, since rows only go down."""
    merged[:] = [area for area in merged if area[1] >= number]
    sentence = "The cell is merged with others: write its value into each of them."
    faults = []
    for top, _, left, right in merged:
        if top > number:
            break
        faults += [
            (column, "merged_cells", sentence)
            for column in range(left, min(right, left + 50) + 1)
        ]
    return faults


def answer_records(
    body: BinaryIO, answer: BinaryIO, name: str, limits: dict[str, Any]
) -> None:
    """The reader: a record a line, as JSON; the last one is the end or a refusal."""
    try:
        for record in records(body.read(), name, Limits(**limits)):
            answer.write(json.dumps(record).encode() + b"\n")
        answer.write(b'["end"]\n')
    except SheetError as fault:
        refused = ["refused", fault.code, fault.sentence]
        answer.write(json.dumps(refused).encode() + b"\n")
