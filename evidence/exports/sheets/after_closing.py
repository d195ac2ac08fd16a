"""What became otherwise about a window after it was closed, as a sheet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from evidence.exports.rows.scope import ExportScope
from evidence.exports.sheets import Sheet, Value, columns
from evidence.status.after_closing import LaterChange, closed_windows, later_changes

Row = list[Value]
AFTER_CLOSING = Sheet(
    "After closing",
    columns(
        "Control",
        ("What", "text", 28),
        ("It says", "long", 60),
        ("From", "day", 12),
        ("To", "day", 12),
        ("By", "text", 20),
        ("Second person", "text", 20),
        ("Recorded", "day", 12),
        ("Window closed", "day", 12),
        ("Engagement", "long", 30),
    ),
)


def changes_of(scope: ExportScope) -> list[LaterChange]:
    """What became otherwise since windows that share days with the scope's closed."""
    closed = closed_windows(scope.system.pk, scope.moment, scope.window)
    return later_changes(scope.system.pk, scope.moment, closed)


def after_closing_rows(scope: ExportScope, labels: Mapping[int, str]) -> Iterator[Row]:
    """The same for some controls, `labels` by their keys, and for the whole system."""
    for change in changes_of(scope):
        if change.implementation is not None and change.implementation not in labels:
            continue
        recorded = change.recorded
        yield [
            labels[change.implementation] if change.implementation else "",
            change.what,
            change.text,
            change.starts,
            change.ends,
            change.by,
            change.second,
            scope.system.day_of(recorded) if recorded else None,
            scope.system.day_of(change.closed.closed_at),
            change.closed.title,
        ]


def in_one_cell(changes: Sequence[LaterChange]) -> str:
    """The changes of one control, as one text."""
    return "; ".join(dict.fromkeys(change.sentence for change in changes))
