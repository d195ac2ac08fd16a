"""What a provider's document says, line by line: control, class, wording."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import BinaryIO

from controls.control_ids import normalised_id
from controls.errors import Refused
from controls.spreadsheets import MAX_BYTES, Line, Place, lines_of

MAX_ROWS = 5_000
HEADER_WITHIN = 20  # lines in which the names of the columns are looked for
NAMES_OF_CONTROL = {"control", "controls", "id", "number"}
BEGINS_CONTROL = ("control id", "control number", "control identifier", "nist control")
WORDS_OF_TEXT = {"description", "statement", "wording", "specific", "details"}
STARTS_OF_CLASS = ("responsib", "inherit")
# A part at the end of an id: “(a)” of “AC-2(1) (a)”, “b.” of “AC-3 b.”
PART = re.compile(r"[\s.]*(\([a-z]{1,2}\)(?:\s*\(\d+\))*|(?<=[\s.])[a-z]\.?)$", re.I)
EXAMPLE = re.compile(r"\bexamples?\b", re.IGNORECASE)  # a sheet of example answers
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
    """What one line says of one control, or of one of its parts such as “(a)”."""

    place: Place
    control_id: str
    responsibility: str
    text: str
    part: str = ""


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
    """A file as read: its name and sha256, its rows, what could not be read.

    `left_out` are sentences about sheets that were not read.
    """

    name: str
    sha256: str
    rows: tuple[StatementRow, ...]
    errors: tuple[StatementRowError, ...]
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Columns:
    """Where the columns stand, from 0; the wording may be missing."""

    control: int
    responsibility: int
    text: int | None


@dataclass
class _Sheet:
    """One sheet with statements, as far as it is read."""

    columns: _Columns
    rows: list[StatementRow] = field(default_factory=list)
    errors: list[StatementRowError] = field(default_factory=list)


def read_statements(file: BinaryIO, name: str) -> Statements:
    """Rows of control, class and wording out of a CSV or XLSX file.

    The columns are found by words in their headings, in each sheet; sheets without
    them are skipped, and so are lines that say nothing of their control. Hidden
    sheets, and sheets of examples beside others, are left out and named. Rows for the
    parts of a control become one for the control, its class the union of theirs (R5).
    Raises Refused when the file as a whole cannot be read or has more than MAX_ROWS
    rows.
    """
    content = file.read(MAX_BYTES + 1)
    sheets: dict[str, _Sheet] = {}
    hidden: dict[str, None] = {}  # in order
    rows = 0
    for line in lines_of(content, name):
        if line.hidden:
            hidden[line.sheet] = None
        elif line.sheet in sheets:
            rows += _read(line, sheets[line.sheet])
        elif line.number <= HEADER_WITHIN and (columns := _columns(line)):
            sheets[line.sheet] = _Sheet(columns)
        if rows > MAX_ROWS:
            raise Refused(f"The file has more than {MAX_ROWS:,} rows.")
    if not sheets:
        raise Refused(
            "No line names the columns: “Control ID”, “Responsibility” and"
            f" “Description” are looked for in the first {HEADER_WITHIN} lines.",
            code="header_missing",
        )
    examples = [title for title in sheets if EXAMPLE.search(title)]
    if len(examples) == len(sheets):
        examples = []
    left_out = [f"Sheet “{title}” is hidden." for title in hidden]
    left_out += [f"Sheet “{title}” holds examples." for title in examples]
    read = [sheet for title, sheet in sheets.items() if title not in examples]
    return Statements(
        name,
        hashlib.sha256(content).hexdigest(),
        tuple(row for sheet in read for row in _united(sheet.rows)),
        tuple(error for sheet in read for error in sheet.errors),
        tuple(left_out),
    )


def _columns(line: Line) -> _Columns | None:
    control = responsibility = text = None
    headings = [" ".join(c.lower().replace("_", " ").split()) for c in line.cells]
    for number, words in enumerate(headings):
        if control is None and _names_control(words):
            control = number
        elif text is None and WORDS_OF_TEXT & set(words.split()):
            text = number
        elif responsibility is None and any(w in words for w in STARTS_OF_CLASS):
            responsibility = number
    if control is None or responsibility is None:
        return None
    for used in (control, responsibility, text):
        if used is not None and headings.count(headings[used]) > 1:
            place, heading = line.place(used), line.cell(used)
            sentence = f"Two columns are called “{heading[:60]}” ({place})."
            raise Refused(sentence, code="duplicate_header")
    return _Columns(control, responsibility, text)


def _names_control(words: str) -> bool:
    return words in NAMES_OF_CONTROL or words.startswith(BEGINS_CONTROL)


def _read(line: Line, sheet: _Sheet) -> bool:
    """Make one line a row or an error; False for one that says nothing."""
    columns = sheet.columns
    id_text, class_text = line.cell(columns.control), line.cell(columns.responsibility)
    wording = line.cell(columns.text)
    control_id, part = control_and_part(id_text)
    fault = line.fault_in((columns.control, columns.responsibility, columns.text))
    if not class_text and not wording and not (fault and control_id):
        return False
    responsibility = CLASSES.get(" ".join(class_text.lower().split()))
    if fault:
        sheet.errors.append(StatementRowError(line.place(fault.column), fault.sentence))
    elif not control_id:
        message = f"“{id_text[:60]}” is not the id of a control, such as AC-2(1)."
        sheet.errors.append(StatementRowError(line.place(columns.control), message))
    elif responsibility is None:
        message = f"“{class_text[:60]}” is not inherited, shared or customer."
        place = line.place(columns.responsibility)
        sheet.errors.append(StatementRowError(place, message))
    else:
        place = line.place(columns.control)
        row = StatementRow(place, control_id, responsibility, wording, part)
        sheet.rows.append(row)
    return True


def control_and_part(text: str) -> tuple[str, str]:
    """The id of a control and the part named behind it: “AC-02 (a)” is ac-2, (a)."""
    control_id = normalised_id(text)
    part = PART.search(text.strip())
    if control_id or part is None:
        return control_id, ""
    name = re.sub(r"[\s.]", "", part[1].lower())
    name = name if name.startswith("(") else f"({name})"
    return normalised_id(text.strip()[: part.start()]), name


def _united(rows: Iterable[StatementRow]) -> list[StatementRow]:
    """Rows with those of a control's parts made one; repeated ones stay apart."""
    by_control: dict[str, list[StatementRow]] = defaultdict(list)
    for row in rows:
        by_control[row.control_id].append(row)
    united = []
    for of_control in by_control.values():
        parts = [row.part for row in of_control]
        if not any(parts) or len(set(parts)) < len(parts):
            united += of_control
            continue
        classes = {row.responsibility for row in of_control}
        texts = [f"{row.part} {row.text}".strip() for row in of_control if row.text]
        united.append(
            replace(
                of_control[0],
                responsibility=classes.pop() if len(classes) == 1 else "shared",
                text="\n".join(texts),
            )
        )
    return sorted(united, key=lambda row: row.place.line)
