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
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

from controls.errors import Refused
from controls.spreadsheets import (
    LOCAL_TIME,
    Limits,
    Line,
    column_letters,
    lines_of,
    no_day,
    require_one_sheet,
)
from evidence.status.clock_parameters import ClockError, parse_day, parse_instant

MAX_ROWS = 100_000
MAX_BYTES = 20_000_000
MAX_EXTRA = 20  # further columns
MAX_KEY, MAX_HEADING, MAX_CELL = 200, 60, 1000  # characters
SHOWN_ERRORS = 200
KEYS = ("key", "id", "ticket", "number", "change", "account", "user", "name")
DAYS = ("day", "date", "happened on", "event day", "event date", "created", "opened")
HEADER_WITHIN = 20  # lines in which a heading that is not the first is looked for
# a line for the heading, and some that count for nothing
LIMITS = Limits(
    max_bytes=MAX_BYTES, max_lines=MAX_ROWS + 1000, max_text=MAX_BYTES + 1_000_000
)
UTC = re.compile(r" ?(UTC|GMT)$")
EXAMPLE = "key,day,requested by\nCHG-1001,2026-10-05,Platform\n"


@dataclass(frozen=True, slots=True)
class EventRow:
    """One event; `line` as people count lines.

    Its further cells are packed as UTF-8 with NUL between them: 100,000 events of 20
    columns would be 200 MB of a process that serves.
    """

    line: int
    key: str
    happened_on: dt.date
    headings: tuple[str, ...] = ()
    packed: bytes = b""

    @property
    def columns(self) -> dict[str, str]:
        """The further cells by their headings."""
        cells = self.packed.decode("utf-8", "surrogatepass").split("\0")
        return dict(zip(self.headings, cells, strict=False))


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


def read(
    content: bytes | BinaryIO,
    name: str,
    starts: dt.date,
    ends: dt.date,
    *,
    zone: dt.tzinfo,
) -> Events:
    """The events of a CSV or XLSX list; each must lie in starts..ends.

    Days are those of `zone`. Raises Refused for a list that cannot be read, lacks a
    column or is too long.
    """
    lines = lines_of(content, name, LIMITS)
    return events_of(lines, starts, ends, zone=zone)


def events_of(
    lines: Iterable[Line], starts: dt.date, ends: dt.date, *, zone: dt.tzinfo
) -> Events:
    """The events of lines, the first of which names the columns. Raises Refused."""
    lines = require_one_sheet(lines)
    first = next(lines, None)
    if first is None:
        sentence = "The list has no heading: name the columns key and day."
        raise Refused(sentence, code="header_missing")
    try:
        heading = _heading(first)
    except Refused as refusal:
        raise _explained(refusal, lines) from refusal
    return _read(heading, lines, starts, ends, zone)


def _heading(line: Line) -> _Heading:
    words = [" ".join(c.lower().replace("_", " ").split()) for c in line.cells]
    key = next((words.index(name) for name in KEYS if name in words), None)
    day = next((words.index(name) for name in DAYS if name in words), None)
    if key is None or day is None:
        lacking = "key" if key is None else "day"
        sentence = f"No column of the first line is called “{lacking}”."
        raise Refused(sentence, code="header_missing")
    extra = tuple(
        (n, cell[:MAX_HEADING])
        for n, cell in enumerate(line.cells)
        if cell and n not in {key, day}
    )
    names = [name for _, name in extra]
    if len(set(names)) < len(names):
        sentence = "Two columns of the first line have the same name."
        raise Refused(sentence, code="duplicate_header")
    if len(extra) > MAX_EXTRA:
        sentence = f"At most {MAX_EXTRA} columns beside key and day are kept."
        raise Refused(sentence, code="too_many_columns")
    return _Heading(key, day, extra)


def _explained(refusal: Refused, lines: Iterable[Line]) -> Refused:
    """The refusal of a first line; names a later one that would be a heading."""
    if refusal.code != "header_missing":
        return refusal
    for line in itertools.islice(lines, HEADER_WITHIN):
        try:
            _heading(line)
        except Refused:
            continue
        sentence = f"{refusal.messages[0]} Line {line.number} names both: remove what"
        return Refused(f"{sentence} stands above it.", code="header_not_first")
    return refusal


def _read(
    heading: _Heading,
    lines: Iterable[Line],
    starts: dt.date,
    ends: dt.date,
    zone: dt.tzinfo,
) -> Events:
    events = Events(columns=tuple(name for _, name in heading.extra))
    first_lines: dict[str, int] = {}  # by key
    days: dict[dt.date, dt.date] = {}  # each kept once
    for line in lines:
        if len(first_lines) + events.wrong >= MAX_ROWS:
            sentence = f"The list has more than {MAX_ROWS:,} rows."
            raise Refused(sentence, code="too_many_rows")
        row = _row(heading, line, events, zone, days)
        if row is not None and _fits(row, first_lines, starts, ends, events):
            events.rows.append(row)
    return events


def _row(
    heading: _Heading,
    line: Line,
    events: Events,
    zone: dt.tzinfo,
    days: dict[dt.date, dt.date],
) -> EventRow | None:
    key, day_text = line.cell(heading.key), line.cell(heading.day)
    cells = [line.cell(n) for n, _ in heading.extra]
    day = day_of(day_text, zone)
    unnamed = _unnamed(heading, line)
    if line.faults:
        fault = line.faults[0]
        letters = column_letters(fault.column)
        events.refuse(line.number, f"Column {letters}: {fault.sentence}")
    elif unnamed is not None:
        letters = column_letters(unnamed)
        events.refuse(line.number, f"Column {letters} has a value but no heading.")
    elif not key:
        events.refuse(line.number, "It has no key.")
    elif len(key) > MAX_KEY:
        events.refuse(line.number, f"Its key is longer than {MAX_KEY} characters.")
    elif day is None:
        events.refuse(line.number, no_day(day_text))
    elif any(len(cell) > MAX_CELL for cell in cells):
        events.refuse(line.number, f"A cell is longer than {MAX_CELL} characters.")
    elif any("\0" in cell for cell in (key, *cells)):
        events.refuse(line.number, "A cell holds a character that is no text.")
    else:
        packed = "\0".join(cells).encode("utf-8", "surrogatepass")
        day = days.setdefault(day, day)
        return EventRow(line.number, key, day, events.columns, packed)
    return None


def _unnamed(heading: _Heading, line: Line) -> int | None:
    """The first column with a value that the heading does not name."""
    named = {heading.key, heading.day, *(n for n, _ in heading.extra)}
    return next((n for n, c in enumerate(line.cells) if c and n not in named), None)


def _fits(
    row: EventRow,
    first_lines: dict[str, int],
    starts: dt.date,
    ends: dt.date,
    events: Events,
) -> bool:
    """Whether an event lies in the days and was not named before."""
    first = first_lines.setdefault(row.key, row.line)
    if first != row.line:
        events.refuse(row.line, f"“{row.key[:60]}” stands in line {first} already.")
    elif not starts <= row.happened_on <= ends:
        events.refuse(row.line, f"{row.happened_on} is outside {starts} to {ends}.")
    else:
        return True
    return False


def day_of(text: str, zone: dt.tzinfo) -> dt.date | None:
    """The calendar day in `zone` of an ISO day or instant; None for anything else.

    A time without an offset is one of `zone`.
    """
    try:
        if LOCAL_TIME.fullmatch(text):
            return parse_day(text[:10])
        return parse_instant(UTC.sub("Z", text)).astimezone(zone).date()
    except ClockError:
        return None


def of_rows(
    rows: Sequence[Mapping[str, object]],
    starts: dt.date,
    ends: dt.date,
    *,
    zone: dt.tzinfo,
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
    return _read(heading, lines, starts, ends, zone)


def digest_of(rows: Iterable[EventRow]) -> str:
    """sha256 over the events in order, one line of canonical JSON each."""
    hashed = hashlib.sha256()
    for row in rows:
        event = [row.key, row.happened_on.isoformat(), row.columns]
        text = json.dumps(
            event, sort_keys=True, separators=(",", ":"), ensure_ascii=False
        )
        hashed.update(f"{text}\n".encode())
    return hashed.hexdigest()
