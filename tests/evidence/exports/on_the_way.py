"""Something that happens while the file of an export is written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import repeat
from typing import Any

from evidence.exports.formats import status_csv
from evidence.jobs import heartbeat
from tests.evidence.jobs.chores import in_another_connection

MAX_LINES = 2_000_000  # nobody writes so many before the next beat


def after_two_lines(monkeypatch: Any, act: Callable[[], Any]) -> None:
    """Have the writer meet `act`, done over another connection, after two lines."""
    lines = status_csv.lines

    def interrupted(*args: Any, **options: Any) -> Iterator[bytes]:
        for number, line in enumerate(lines(*args, **options)):
            if number == 2:
                in_another_connection(lambda: act() or True)
            yield line

    monkeypatch.setattr(status_csv, "lines", interrupted)


def without_end(monkeypatch: Any, act: Callable[[], Any]) -> list[int]:
    """The same for a file that has no last line; counts the lines after `act`."""
    monkeypatch.setattr(heartbeat, "REPORT_SECONDS", 0.01)
    lines, written = status_csv.lines, []

    def endless(*args: Any, **options: Any) -> Iterator[bytes]:
        first, *_ = lines(*args, **options)
        yield first
        in_another_connection(lambda: act() or True)
        for line in repeat(b"one more\r\n", MAX_LINES):
            written.append(1)
            yield line

    monkeypatch.setattr(status_csv, "lines", endless)
    return written
