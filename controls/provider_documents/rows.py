"""What a provider's document says, line by line: control, class, wording."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import BinaryIO

from controls.errors import Refused
from controls.oscal.plans import MAX_PLAN_BYTES, PlanFile
from controls.provider_documents.classes import MARKS, class_of, union_of, words_of
from controls.provider_documents.headings import (
    Columns,
    SummaryColumns,
    columns_of,
    control_column,
    heading_named,
    origins_of,
)
from controls.provider_documents.ids import control_and_part
from controls.provider_documents.plans import read_plan_statements
from controls.provider_documents.statements import (
    StatementRow,
    StatementRowError,
    Statements,
)
from controls.spreadsheets import MAX_BYTES, Line, lines_of

MAX_ROWS = 5_000
PLAN_ENDING = ".json"
HEADER_WITHIN = 20  # lines in which the names of the columns are looked for
EXAMPLE = re.compile(r"\b(?:examples?|samples?)\b", re.IGNORECASE)
MAX_NAMED = 20  # controls that one sentence names


@dataclass
class _Sheet:
    """One sheet, as far as it is read; without columns nothing of it is a statement."""

    title: str
    hidden: bool
    control: int | None = None  # the column, from a line of headings that says no more
    columns: Columns | None = None
    summary: SummaryColumns | None = None
    rows: list[StatementRow] = field(default_factory=list)
    errors: list[StatementRowError] = field(default_factory=list)
    unsaid: list[tuple[str, str]] = field(default_factory=list)  # control and part

    @property
    def speaks(self) -> bool:
        """Whether a line of it says anything."""
        return bool(self.rows or self.errors)

    def add(self, line: Line) -> bool:
        """Take one line; whether it said something of a control."""
        if self.columns:
            return _read(line, self, self.columns)
        if self.summary:
            return _read_summary(line, self, self.summary)
        if line.number <= HEADER_WITHIN:
            self._look_for_headings(line)
        return False

    def _look_for_headings(self, line: Line) -> None:
        control = control_column(line)
        self.control = self.control if control is None else control
        origins = origins_of(line)
        if origins and self.control is not None:
            self.summary = SummaryColumns(self.control, origins)
        elif not origins:
            self.columns = columns_of(line)


def read_statements(
    file: BinaryIO, name: str, own_plan: PlanFile | None = None
) -> Statements:
    """Rows of control, class and wording out of a CSV or XLSX file; of a security plan
    in OSCAL, by a name that ends in .json, see `plans.py`. One's own plan may be held
    against such a plan, and against nothing else.

    The columns are found by words in their headings, in each sheet. Lines that say
    nothing of their control are skipped. Sheets that are hidden, hold examples, have
    no such columns or say nothing are left out and named. A summary of implementation
    (CIS), where each origin of a control is a column of marks, is read where no other
    sheet says anything. Rows for the parts of a control become one for the control,
    its class the union of theirs (R5); a control with a line that cannot be read has
    no row, since what is left of it may be less than the whole. Raises Refused when
    the file as a whole cannot be read or has more than MAX_ROWS rows.
    """
    if name.lower().endswith(PLAN_ENDING):
        plan = PlanFile(name, file.read(MAX_PLAN_BYTES + 1))
        return read_plan_statements(plan, own_plan)
    if own_plan is not None:
        raise Refused(
            "Your own plan is held against the security plan of a provider in OSCAL"
            " (JSON), and against no table.",
            code="no_plan",
        )
    content = file.read(MAX_BYTES + 1)
    sheets: dict[str, _Sheet] = {}
    rows = 0
    for line in lines_of(content, name):
        sheet = sheets.setdefault(line.sheet, _Sheet(line.sheet, line.hidden))
        rows += not sheet.hidden and sheet.add(line)
        if rows > MAX_ROWS:
            raise Refused(f"The file has more than {MAX_ROWS:,} rows.")
    _require_columns(sheets.values())
    read, left_out = _chosen(list(sheets.values()))
    errors = tuple(error for sheet in read for error in sheet.errors)
    broken = {error.control_id for error in errors}
    united = (row for sheet in read for row in _united(sheet.rows))
    return Statements(
        name,
        hashlib.sha256(content).hexdigest(),
        tuple(row for row in united if row.control_id not in broken),
        errors,
        (*left_out, *_not_read(read)),
    )


def _require_columns(sheets: Iterable[_Sheet]) -> None:
    if not any(sheet.columns or sheet.summary for sheet in sheets):
        raise Refused(
            "No line names the columns: “Control ID”, “Responsibility” and"
            f" “Description” are looked for in the first {HEADER_WITHIN} lines.",
            code="header_missing",
        )


def _chosen(sheets: list[_Sheet]) -> tuple[list[_Sheet], list[str]]:
    """The sheets that are read, and a sentence for each that is not."""
    tables = [s for s in sheets if not s.hidden and (s.columns or s.summary)]
    real = [sheet for sheet in tables if not EXAMPLE.search(sheet.title)]
    filled = [sheet for sheet in real or tables if sheet.speaks]
    matrices = [sheet for sheet in filled if sheet.columns]
    read = matrices or filled
    sentences = [
        f"Sheet “{sheet.title}” {_why_left_out(sheet, summaries=not matrices)}"
        for sheet in sheets
        if sheet not in read and sheet.title
    ]
    return read, sentences


def _why_left_out(sheet: _Sheet, *, summaries: bool) -> str:
    if sheet.hidden:
        return "is hidden."
    if EXAMPLE.search(sheet.title):
        return "holds examples."
    if sheet.speaks and sheet.summary and not summaries:
        return "is a summary of implementation: what the matrix says is read."
    if sheet.columns or sheet.summary:
        return "is not filled in."
    return "has no columns for control and responsibility."


def _not_read(sheets: Iterable[_Sheet]) -> Iterator[str]:
    """Sentences about what the sheets that are read hold besides."""
    for sheet in sheets:
        title = f"Sheet “{sheet.title}”, " if sheet.title else "The file, "
        for column, heading in sheet.columns.unread if sheet.columns else ():
            yield f"{title}{heading_named(column, heading)} is not read."
        partly = defaultdict(list)
        stated = {row.control_id for row in sheet.rows}
        for control_id, part in sheet.unsaid:
            if control_id in stated:
                partly[control_id].append(part)
        if partly:
            named = [
                f"{control_id.upper()} {', '.join(parts)}"
                for control_id, parts in list(partly.items())[:MAX_NAMED]
            ]
            more = " and others" if len(partly) > MAX_NAMED else ""
            yield (
                f"{title}parts left empty, so that the other parts of their control"
                f" speak for it: {'; '.join(named)}{more}."
            )


def _read(line: Line, sheet: _Sheet, columns: Columns) -> bool:
    """Make one line a row or an error; False for one that says nothing."""
    id_text, class_text = line.cell(columns.control), line.cell(columns.responsibility)
    wording = line.cell(columns.text)
    part_text = line.cell(columns.part)
    control_id, part = control_and_part(f"{id_text} {part_text}".strip())
    fault = line.fault_in((columns.control, columns.responsibility, columns.text))
    if not class_text and not wording and not (fault and control_id):
        if part:
            sheet.unsaid.append((control_id, part))
        return False
    if not fault and control_column(line) == columns.control:
        return False  # the headings again, as on a new page
    responsibility = class_of(class_text)
    if fault:
        sheet.errors.append(
            StatementRowError(line.place(fault.column), fault.sentence, control_id)
        )
    elif not control_id:
        message = f"“{id_text[:60]}” is not the id of a control, such as AC-2(1)."
        sheet.errors.append(StatementRowError(line.place(columns.control), message))
    elif responsibility is None:
        place = line.place(columns.responsibility)
        message = _no_class(class_text)
        sheet.errors.append(StatementRowError(place, message, control_id))
    else:
        place = line.place(columns.control)
        row = StatementRow(place, control_id, responsibility, wording, part)
        sheet.rows.append(row)
    return True


def _no_class(text: str) -> str:
    if not text:
        return "the description has no class beside it: inherited, shared or customer."
    return f"“{text[:60]}” is not inherited, shared or customer."


def _read_summary(line: Line, sheet: _Sheet, columns: SummaryColumns) -> bool:
    """The same of a summary: the union of the origins that are marked."""
    control_id, part = control_and_part(line.cell(columns.control))
    fault = line.fault_in(column for column, _ in columns.origins)
    cells = [
        (column, responsibility, line.cell(column))
        for column, responsibility in columns.origins
        if line.cell(column)
    ]
    if not control_id or not (cells or fault):
        if control_id and part:
            sheet.unsaid.append((control_id, part))
        return False
    strange = next(
        ((column, text) for column, _, text in cells if words_of(text) not in MARKS),
        None,
    )
    if fault:
        error = StatementRowError(line.place(fault.column), fault.sentence, control_id)
        sheet.errors.append(error)
    elif strange:
        message = f"“{strange[1][:60]}” is no mark: write X, or leave it empty."
        place = line.place(strange[0])
        sheet.errors.append(StatementRowError(place, message, control_id))
    else:
        responsibility = union_of(responsibility for _, responsibility, _ in cells)
        place = line.place(columns.control)
        row = StatementRow(place, control_id, responsibility, "", part)
        sheet.rows.append(row)
    return True


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
        united.append(
            replace(
                of_control[0],
                responsibility=union_of(row.responsibility for row in of_control),
                text=_text_of_parts(of_control),
            )
        )
    return sorted(united, key=lambda row: row.place.line)


def _text_of_parts(rows: list[StatementRow]) -> str:
    """What is said of the parts, each after its name; once where all say the same."""
    texts = {row.text for row in rows}
    if len(texts) == 1 and len(rows) > 1:
        return texts.pop()
    return "\n".join(f"{row.part} {row.text}".strip() for row in rows if row.text)
