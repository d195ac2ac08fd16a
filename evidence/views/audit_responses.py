"""The company's responses beside the rows of an auditor's table (R36)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from controls.service_names import display_names
from evidence.engagements.control_table import TableRow
from evidence.findings.item_answers import all_answered, answers_by_control
from evidence.status.clocks import Clocks


def with_responses(rows: Sequence[TableRow], clocks: Clocks) -> list[TableRow]:
    """The rows with the items of their window and what the company answers to each.

    Two statements.
    """
    periods = {row.row["id"]: row.answer.period for row in rows if row.answer.period}
    items = answers_by_control(periods, clocks.moment, display_names())
    return [
        replace(
            row,
            responses=items.get(row.row["id"], []),
            answered=row.result == "exceptions"
            and all_answered(items.get(row.row["id"], [])),
        )
        for row in rows
    ]
