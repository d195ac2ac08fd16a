"""The audit log of a system as a CSV, line by line."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterable, Iterator

from controls.models import AuditEvent
from evidence.exports.rows.cells import EXCEL_MARK, inert

COLUMNS = (
    "number",
    "at",
    "recorded_at",
    "who",
    "verb",
    "kind",
    "about",
    "uuid",
    "operation",
    "body",
    "hash",
)


class _HandedBack:
    """A file for `csv.writer` that hands back what it is given."""

    def write(self, text: str) -> str:
        return text


def lines(events: Iterable[AuditEvent]) -> Iterator[bytes]:
    """The heading and a line for each event; times are UTC. Nothing is a formula."""
    writer = csv.writer(_HandedBack())
    yield f"{EXCEL_MARK}{writer.writerow(COLUMNS)}".encode()
    for event in events:
        yield str(writer.writerow([inert(cell) for cell in _cells(event)])).encode()


def _cells(event: AuditEvent) -> list[str]:
    return [
        str(event.seq),
        _instant(event.at),
        _instant(event.recorded_at),
        event.actor_name or "the program",
        event.verb,
        event.subject_type,
        event.subject_label,
        str(event.subject_uuid or ""),
        str(event.operation),
        event.body,
        bytes(event.hash).hex(),
    ]


def _instant(instant: dt.datetime) -> str:
    return instant.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
