"""What a provider's document says, line by line: control, class, wording."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import BinaryIO

from controls.control_ids import normalised_id
from controls.errors import Refused
from controls.spreadsheets import (
    MAX_BYTES,
    Line,
    Place,
    lines_of,
)

MAX_ROWS = 5_000
HEADER_WITHIN = 20  # lines in which the names of the columns are looked for
NAMES_OF_CONTROL = {"control", "controls", "id", "number"}
BEGINS_CONTROL = ("control id", "control number", "control identifier", "nist control")
WORDS_OF_TEXT = {"description", "statement", "wording", "specific", "details"}
STARTS_OF_CLASS = ("responsib", "inherit")
CLASSES = {
    "inherited": "inherited",
    "fully inherited": "inherited",
    "provider": "inherited",
    "aws": "inherited",
    "yes": "inherited",
    "shared": "shared",
    "hybrid": "shared",
    "partial": "shared",
    "partially": "shared",
    "partially inherited": "shared",
    "customer": "customer",
    "not inherited": "customer",
    "no": "customer",
}


@dataclass(frozen=True)
class StatementRow:
    """What one line says of one control."""

    place: Place
    control_id: str
    responsibility: str
    text: str


@dataclass(frozen=True)
class StatementRowError:
    """What is wrong with one line, and where."""

    place: Place
    message: str

    def __str__(self) -> str:
        place = str(self.place)
        return f"{place[0].upper()}{place[1:]}: {self.message}"


@dataclass(frozen=True)
class Statements:
    """A file as read: its name and sha256, its rows, what could not be read."""

    name: str
    sha256: str
    rows: tuple[StatementRow, ...]
    errors: tuple[StatementRowError, ...]


@dataclass(frozen=True)
class _Columns:
    """Where the columns stand, from 0; the wording may be missing."""

    control: int
    responsibility: int
    text: int | None


def read_statements(file: BinaryIO, name: str) -> Statements:
    """Rows of control, class and wording out of a CSV or XLSX file.

    The columns are found by words in their headings, in each sheet; sheets without
    them are skipped, and so are lines that say nothing of their control. Raises
    Refused when the file as a whole cannot be read or has more than 5,000 rows.
    """
    content = file.read(MAX_BYTES + 1)
    rows: list[StatementRow] = []
    errors: list[StatementRowError] = []
    columns: dict[str, _Columns] = {}
    for line in lines_of(content, name):
        if line.sheet in columns:
            _read(line, columns[line.sheet], rows, errors)
        elif line.number <= HEADER_WITHIN and (found := _columns(line)):
            columns[line.sheet] = found
        if len(rows) + len(errors) > MAX_ROWS:
            raise Refused(f"The file has more than {MAX_ROWS:,} rows.")
    if not columns:
        raise Refused(
            "No line names the columns: “Control ID”, “Responsibility” and"
            f" “Description” are looked for in the first {HEADER_WITHIN} lines."
        )
    sha256 = hashlib.sha256(content).hexdigest()
    return Statements(name, sha256, tuple(rows), tuple(errors))


def _columns(line: Line) -> _Columns | None:
    control = responsibility = text = None
    for number, cell in enumerate(line.cells):
        words = " ".join(cell.lower().replace("_", " ").split())
        if control is None and _names_control(words):
            control = number
        elif text is None and WORDS_OF_TEXT & set(words.split()):
            text = number
        elif responsibility is None and any(w in words for w in STARTS_OF_CLASS):
            responsibility = number
    if control is None or responsibility is None:
        return None
    return _Columns(control, responsibility, text)


def _names_control(words: str) -> bool:
    return words in NAMES_OF_CONTROL or words.startswith(BEGINS_CONTROL)


def _read(
    line: Line,
    columns: _Columns,
    rows: list[StatementRow],
    errors: list[StatementRowError],
) -> None:
    """One line made a row or an error; lines that say nothing make neither."""
    named, said = line.cell(columns.control), line.cell(columns.responsibility)
    text = line.cell(columns.text)
    if not said and not text:
        return
    control_id = normalised_id(named)
    responsibility = CLASSES.get(" ".join(said.lower().split()))
    if not control_id:
        message = f"“{named[:60]}” is not the id of a control, such as AC-2(1)."
        errors.append(StatementRowError(line.place(columns.control), message))
    elif responsibility is None:
        message = f"“{said[:60]}” is not inherited, shared or customer."
        errors.append(StatementRowError(line.place(columns.responsibility), message))
    else:
        place = line.place(columns.control)
        rows.append(StatementRow(place, control_id, responsibility, text))
