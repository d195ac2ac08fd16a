"""What a crosswalk says, line by line: controls and the numbers they answer to."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import BinaryIO

from controls.errors import Refused
from controls.models.crosswalks import MAX_NUMBER
from controls.provider_documents.ids import control_and_part
from controls.spreadsheets import MAX_BYTES, Line, Place, lines_of, require_one_sheet

MAX_ROWS = 10_000
HEADER_WITHIN = 20  # lines in which the names of the columns are looked for
BETWEEN = re.compile(r"[;,\n]+")  # of several in one cell
NUMBER = re.compile(r"[A-Za-z0-9][A-Za-z0-9 .()_/-]*")
BEGINS_CONTROL = ("control", "nist", "800-53")
WORDS_OF_NUMBER = (
    "criteri", "number", "requirement", "regime", "reference", "clause", "annex",
    "soc", "iso", "pci", "tsc", "hipaa",
)  # fmt: skip


@dataclass(frozen=True)
class CrosswalkRow:
    """One control with one number, and where it stands."""

    place: Place
    control_id: str
    number: str


@dataclass(frozen=True)
class CrosswalkRowError:
    """What is wrong with one line, and where."""

    place: Place
    message: str

    def __str__(self) -> str:
        place = str(self.place)
        return f"{place[0].upper()}{place[1:]}: {self.message}"


@dataclass(frozen=True)
class CrosswalkFile:
    """A file as read: its name and sha256, its rows, what could not be read."""

    name: str
    sha256: str
    rows: tuple[CrosswalkRow, ...]
    errors: tuple[CrosswalkRowError, ...]


def read_crosswalk(file: BinaryIO, name: str) -> CrosswalkFile:
    """Controls and numbers out of a CSV or XLSX file of one sheet.

    The two columns are found by their headings; a cell may hold several controls or
    numbers, apart by semicolon, comma or line. Lines without a number say nothing.
    Raises Refused when the file as a whole cannot be read, names no such columns, or
    has more than MAX_ROWS rows.
    """
    content = file.read(MAX_BYTES + 1)
    columns: tuple[int, int] | None = None
    rows: list[CrosswalkRow] = []
    errors: list[CrosswalkRowError] = []
    for line in require_one_sheet(lines_of(content, name)):
        if columns is not None:
            _read(line, columns, rows, errors)
        elif line.number <= HEADER_WITHIN:
            columns = _columns(line)
        if len(rows) > MAX_ROWS:
            raise Refused(f"The file has more than {MAX_ROWS:,} rows.")
    if columns is None:
        raise Refused(
            "No line names the columns: “Control ID” and “Number” are looked for in"
            f" the first {HEADER_WITHIN} lines.",
            code="header_missing",
        )
    digest = hashlib.sha256(content).hexdigest()
    return CrosswalkFile(name, digest, tuple(rows), tuple(errors))


def _columns(line: Line) -> tuple[int, int] | None:
    headings = [" ".join(cell.lower().split()) for cell in line.cells]
    control = next(
        (n for n, words in enumerate(headings) if words.startswith(BEGINS_CONTROL)),
        None,
    )
    number = next(
        (
            column
            for column, words in enumerate(headings)
            if column != control and any(word in words for word in WORDS_OF_NUMBER)
        ),
        None,
    )
    return None if control is None or number is None else (control, number)


def _read(
    line: Line,
    columns: tuple[int, int],
    rows: list[CrosswalkRow],
    errors: list[CrosswalkRowError],
) -> None:
    control, number = columns
    fault = line.fault_in(columns)
    if fault:
        errors.append(CrosswalkRowError(line.place(fault.column), fault.sentence))
        return
    numbers = _several(line.cell(number))
    if not numbers:
        return
    controls = _several(line.cell(control)) or [""]
    for text in controls:
        control_id, _ = control_and_part(text)
        if not control_id:
            message = f"“{text[:60]}” is not the id of a control, such as AC-2(1)."
            errors.append(CrosswalkRowError(line.place(control), message))
            continue
        for regime_number in numbers:
            if not NUMBER.fullmatch(regime_number) or len(regime_number) > MAX_NUMBER:
                message = (
                    f"“{regime_number[:60]}” is no number such as CC6.1 or A.5.15."
                )
                errors.append(CrosswalkRowError(line.place(number), message))
            else:
                rows.append(
                    CrosswalkRow(line.place(control), control_id, regime_number)
                )


def _several(cell: str) -> list[str]:
    return [" ".join(part.split()) for part in BETWEEN.split(cell) if part.strip()]
