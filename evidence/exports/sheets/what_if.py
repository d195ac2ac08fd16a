"""A comparison of services as a file: one line for each control that would change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from controls.display_names import layer_name
from controls.responsibility.derive import BasisRow
from controls.responsibility.what_if import ClassChange, Difference
from controls.service_names import component_name
from evidence.exports.rows.cells import inert

Names = Mapping[str, str]
COLUMNS = (
    "Control",
    "Title",
    "Class now",
    "Class then",
    "Rules over it today",
    "We drop",
    "A provider takes over",
    "Carried over",
    "We gain",
    "Duties kept",
)


def what_if_lines(difference: Difference[Any], names: Names) -> Iterator[list[str]]:
    """The lines in catalog order, cells as a spreadsheet may be given them."""
    for change in difference.changes:
        yield [inert(cell) for cell in _cells(change, names)]


def _cells(change: ClassChange[Any], names: Names) -> list[str]:
    control = change.control.control
    return [
        control.label,
        control.title,
        change.before.responsibility,
        change.after.responsibility,
        change.control.decision.get_source_display() if change.control.decision else "",
        _listed(change.dropped, names),
        _listed(change.moved, names),
        "; ".join(
            f"{_duty(row, names)} to {component_name(names, onto.component)}"
            for row, onto in change.carried
        ),
        _listed(change.new, names),
        str(len(change.kept)),
    ]


def _listed(rows: Iterable[BasisRow], names: Names) -> str:
    return "; ".join(_duty(row, names) for row in rows)


def _duty(row: BasisRow, names: Names) -> str:
    return f"{layer_name(row.layer)} of {component_name(names, row.component)}"
