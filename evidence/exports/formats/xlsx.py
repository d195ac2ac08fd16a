"""The workbook: a sheet about the file, then status, period, gaps and records.

Rows go to disk as they are made (constant memory). Nothing in it runs: text is written
as text, whatever it begins with, and a spreadsheet keeps it so when somebody edits the
cell (IN-04).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO

import xlsxwriter
from xlsxwriter.exceptions import FileCreateError

from evidence.exports.formats.text_cells import TextSheet
from evidence.exports.rows.cells import LIVE
from evidence.exports.rows.heading import Heading, heading_of
from evidence.exports.rows.scope import ExportScope, Progress
from evidence.exports.sheets import Column, Sheet, Value
from evidence.exports.sheets.workbook import SHEETS, fill
from evidence.storage import refuse_full_disk

MAX_CELL = 32_767  # characters that a cell of a workbook may hold
CUT = " … (cut: a cell holds no more)"
MAX_ROWS = 1_048_576  # of a sheet, its heading included
OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}
# State words by how they look: text and ground.
LOOKS = (
    ({"font_color": "#0B5D2A", "bg_color": "#DDF3E4"},
     ("proven", "complete", "accepted")),
    ({"font_color": "#7A4B00", "bg_color": "#FFF0CC"},
     ("partly", "expiring", "pending", "running", "submitted", "lapsed")),
    ({"font_color": "#8A1220", "bg_color": "#FBE0E2"},
     ("unproven", "missing", "exceptions", "rejected", "withdrawn", "deviation")),
)  # fmt: skip


class Workbook:
    """The open workbook and how far each of its sheets is."""

    def __init__(self, workbook: Any) -> None:
        self.workbook = workbook
        head = {"bold": True, "bg_color": "#E8ECF2", "border": 1, "text_wrap": True}
        self.head = workbook.add_format(head | {"valign": "top"})
        plain, wrapped = {"valign": "top"}, {"valign": "top", "text_wrap": True}
        self.formats = {
            (kind, live): workbook.add_format(
                (wrapped if kind == "long" else plain)
                | ({"quote_prefix": True} if live else {})
            )
            for kind in ("text", "long", "state")
            for live in (False, True)
        }
        self.day = workbook.add_format({"num_format": "yyyy-mm-dd", **plain})
        self.number = workbook.add_format({"num_format": "0", **plain})
        self.looks = [
            (workbook.add_format(look), state_words) for look, state_words in LOOKS
        ]
        self.pages: dict[str, Any] = {}
        self.used: dict[str, int] = {}

    def about(
        self, title: str, heading: Heading, notes: Iterable[tuple[str, str]]
    ) -> None:
        """The first sheet: what the file says of itself, and how to read it."""
        self.facts([("", title), *heading.lines(), ("", ""), *notes])

    def facts(self, lines: Iterable[tuple[str, str]]) -> None:
        """A sheet about the file: label and text of each line."""
        page = self.workbook.add_worksheet("About")
        page.set_column(0, 0, 22)
        page.set_column(1, 1, 90)
        for number, (label, text) in enumerate(lines):
            page.write_string(number, 0, label, self.head if label else None)
            page.write_string(number, 1, text, self._text("long", text))

    def worksheet(self, title: str) -> Any:
        """A sheet to be written cell by cell."""
        return self.workbook.add_worksheet(title)

    def text(
        self, page: Any, row: int, place: int, value: str, *, kind: str = "text"
    ) -> None:
        """A cell that stays text, cut where a cell holds no more."""
        if len(value) > MAX_CELL:
            value = value[: MAX_CELL - len(CUT)] + CUT
        page.write_string(row, place, value, self._text(kind, value))

    def begin(self, sheet: Sheet) -> None:
        """A sheet with its heading row, which stays in sight."""
        page = self.workbook.add_worksheet(sheet.title)
        for number, column in enumerate(sheet.columns):
            page.set_column(number, number, column.width)
            page.write_string(0, number, column.title, self.head)
        page.freeze_panes(1, 1)
        page.repeat_rows(0)
        page.set_landscape()
        page.fit_to_pages(1, 0)
        self.pages[sheet.title], self.used[sheet.title] = page, 1

    def add(self, sheet: Sheet, row: list[Value]) -> None:
        """The next row of a sheet. Raises OverflowError for one that is full."""
        number = self.used[sheet.title]
        if number >= MAX_ROWS:
            raise OverflowError(f"The sheet “{sheet.title}” has no room for more rows.")
        page = self.pages[sheet.title]
        for place, (column, value) in enumerate(zip(sheet.columns, row, strict=False)):
            self._cell(page, number, place, column, value)
        self.used[sheet.title] = number + 1

    def _cell(
        self, page: Any, row: int, place: int, column: Column, value: Value
    ) -> None:
        if value is None or value == "":
            return
        if isinstance(value, dt.date):
            instant = dt.datetime.combine(value, dt.time())
            page.write_datetime(row, place, instant, self.day)
        elif isinstance(value, int):
            page.write_number(row, place, value, self.number)
        else:
            self.text(page, row, place, value, kind=column.kind)

    def _text(self, kind: str, text: str) -> Any:
        kind = kind if kind in {"long", "state"} else "text"
        return self.formats[kind, text.startswith(LIVE)]

    def end(self, sheet: Sheet) -> None:
        """Filters over all of a sheet, and the look of its states."""
        page, last = self.pages[sheet.title], self.used[sheet.title] - 1
        page.autofilter(0, 0, last, len(sheet.columns) - 1)
        for place, column in enumerate(sheet.columns):
            if column.kind != "state" or not last:
                continue
            for look, state_words in self.looks:
                for word in state_words:
                    page.conditional_format(
                        1,
                        place,
                        last,
                        place,
                        {
                            "type": "cell",
                            "criteria": "==",
                            "value": f'"{word}"',
                            "format": look,
                        },
                    )


@contextmanager
def opened(file: BinaryIO, scope: ExportScope, heading: Heading) -> Iterator[Workbook]:
    """A workbook that is written to the file on leaving; its date is the scope's.

    Raises StoreFull, also where its temporary files find no room.
    """
    title = f"Control status of {heading.system}"
    with new_workbook(file, title, scope.known_at) as book:
        yield book


@contextmanager
def new_workbook(
    file: BinaryIO, title: str, created: dt.datetime
) -> Iterator[Workbook]:
    """A workbook of that title and instant, written to the file on leaving.

    Raises StoreFull, also where its temporary files find no room.
    """
    with refuse_full_disk(), TemporaryDirectory(prefix="srm-xlsx-") as folder:
        workbook = xlsxwriter.Workbook(file, OPTIONS | {"tmpdir": folder})
        workbook.worksheet_class = TextSheet
        created = created.astimezone(dt.UTC).replace(tzinfo=None)
        workbook.set_properties({"title": title, "created": created})
        yield Workbook(workbook)
        try:
            workbook.close()
        except FileCreateError as failure:
            cause = failure.args[0] if failure.args else None
            raise cause if isinstance(cause, OSError) else failure from failure


def write(scope: ExportScope, file: BinaryIO, progress: Progress) -> None:
    """The whole workbook. Raises StoreFull."""
    heading = heading_of(scope)
    with opened(file, scope, heading) as book:
        sheets = [("Sheet", sheet.title) for sheet in SHEETS]
        book.about("Control status", heading, sheets)
        for sheet in SHEETS:
            book.begin(sheet)
        fill(scope, book.add, progress)
        for sheet in SHEETS:
            book.end(sheet)
