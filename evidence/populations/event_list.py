"""The events of a population out of a list somebody sends. Pure.

The first line with content names the columns. One is the key (a ticket, an account),
one the day; the others are kept as they are. Nothing is left out in silence: every
further line is an event or an error.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import itertools
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from controls.errors import Refused
from controls.spreadsheets import Line, each_line

MAX_ROWS = 100_000
MAX_BYTES = 20 * 1024 * 1024
MAX_EXTRA = 20  # further columns
MAX_KEY, MAX_HEADING, MAX_CELL = 200, 60, 1000  # characters
SHOWN_ERRORS = 200
KEYS = ("key", "id", "ticket", "number", "change", "account", "user", "name")
DAYS = ("day", "date", "happened on", "event day", "event date", "created", "opened")
ISO_DAY = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ]\d\d:\d\d.*)?")
EXAMPLE = "key,day,requested by\nCHG-1001,2026-10-05,Platform\n"


@dataclass(frozen=True, slots=True)
class EventRow:
    """One event; `line` as people count lines."""

    line: int
    key: str
    happened_on: dt.date
    columns: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class EventError:
    """What is wrong in which line."""

    line: int
    text: str


@dataclass
class Events:
    """What a list holds: its events in order, its further columns, what is wrong.

    Of the errors the first are kept; `wrong` counts all.
    """

    rows: list[EventRow] = field(default_factory=list)
    columns: tuple[str, ...] = ()
    errors: list[EventError] = field(default_factory=list)
    wrong: int = 0

    def refuse(self, line: int, text: str) -> None:
        """Note one more error."""
        self.wrong += 1
        if len(self.errors) < SHOWN_ERRORS:
            self.errors.append(EventError(line, text))


@dataclass(frozen=True)
class _Heading:
    key: int
    day: int
    extra: tuple[tuple[int, str], ...]


def read(content: bytes, name: str, starts: dt.date, ends: dt.date) -> Events:
    """The events of a CSV or XLSX list; each must lie in starts..ends.

    Raises Refused for a list that cannot be read, lacks a column or is too long.
    """
    # one line for the heading, some blank ones
    limits = {"max_bytes": MAX_BYTES, "max_lines": MAX_ROWS + 1000}
    lines = (line for line in each_line(content, name, **limits) if any(line.cells))
    first = next(lines, None)
    if first is None:
        raise Refused("The list has no heading: name the columns key and day.")
    return _read(_heading(first), lines, first.sheet, starts, ends)


def _heading(line: Line) -> _Heading:
    words = [" ".join(c.lower().replace("_", " ").split()) for c in line.cells]
    key = next((words.index(name) for name in KEYS if name in words), None)
    day = next((words.index(name) for name in DAYS if name in words), None)
    if key is None or day is None:
        lacking = "key" if key is None else "day"
        raise Refused(f"No column of the first line is called “{lacking}”.")
    extra = tuple(
        (n, cell[:MAX_HEADING])
        for n, cell in enumerate(line.cells)
        if cell and n not in {key, day}
    )
    names = [name for _, name in extra]
    if len(set(names)) < len(names):
        raise Refused("Two columns of the first line have the same name.")
    if len(extra) > MAX_EXTRA:
        raise Refused(f"At most {MAX_EXTRA} columns beside key and day are kept.")
    return _Heading(key, day, extra)


def _read(
    heading: _Heading,
    lines: Iterator[Line],
    sheet: str,
    starts: dt.date,
    ends: dt.date,
) -> Events:
    found = Events(columns=tuple(name for _, name in heading.extra))
    seen: dict[str, int] = {}
    for line in lines:
        if line.sheet != sheet:
            raise Refused(f"Sheet “{line.sheet}” holds lines too: send one sheet.")
        if len(seen) + found.wrong >= MAX_ROWS:
            raise Refused(f"The list has more than {MAX_ROWS:,} rows.")
        row = _row(heading, line, found)
        if row is not None and _fits(row, seen, starts, ends, found):
            found.rows.append(row)
    return found


def _row(heading: _Heading, line: Line, found: Events) -> EventRow | None:
    key, said = line.cell(heading.key), line.cell(heading.day)
    columns = {name: line.cell(n) for n, name in heading.extra}
    day = day_of(said)
    if not key:
        found.refuse(line.number, "It has no key.")
    elif len(key) > MAX_KEY:
        found.refuse(line.number, f"Its key is longer than {MAX_KEY} characters.")
    elif day is None:
        found.refuse(line.number, f"“{said[:40]}” is not a day such as 2026-10-31.")
    elif any(len(cell) > MAX_CELL for cell in columns.values()):
        found.refuse(line.number, f"A cell is longer than {MAX_CELL} characters.")
    else:
        return EventRow(line.number, key, day, columns)
    return None


def _fits(
    row: EventRow,
    seen: dict[str, int],
    starts: dt.date,
    ends: dt.date,
    found: Events,
) -> bool:
    """Whether an event lies in the days and was not named before."""
    first = seen.setdefault(row.key, row.line)
    if first != row.line:
        found.refuse(row.line, f"“{row.key[:60]}” stands in line {first} already.")
    elif not starts <= row.happened_on <= ends:
        found.refuse(row.line, f"{row.happened_on} is outside {starts} to {ends}.")
    else:
        return True
    return False


def day_of(text: str) -> dt.date | None:
    """The calendar day of an ISO day or instant; None for anything else."""
    found = ISO_DAY.fullmatch(text)
    try:
        return dt.date.fromisoformat(found[1]) if found else None
    except ValueError:
        return None


def of_rows(
    rows: Sequence[Mapping[str, object]], starts: dt.date, ends: dt.date
) -> Events:
    """The events of rows as an API takes them: `key`, `day` and further columns."""
    if len(rows) > MAX_ROWS:
        raise Refused(f"The list has more than {MAX_ROWS:,} rows.")
    names = dict.fromkeys(itertools.chain(("key", "day"), *rows))
    lines = (
        Line("", n, tuple(str(row.get(name, "")).strip() for name in names))
        for n, row in enumerate(rows, start=1)
    )
    heading = _heading(Line("", 0, tuple(names)))
    return _read(heading, lines, "", starts, ends)


def digest_of(rows: Iterable[EventRow]) -> str:
    """sha256 over the events in order, one line of canonical JSON each."""
    hashed = hashlib.sha256()
    for row in rows:
        said = [row.key, row.happened_on.isoformat(), dict(row.columns)]
        text = json.dumps(
            said, sort_keys=True, separators=(",", ":"), ensure_ascii=False
        )
        hashed.update(f"{text}\n".encode())
    return hashed.hexdigest()
