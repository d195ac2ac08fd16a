"""Asks of a person narrowed by what they look for: state, due day, system, words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from evidence.models import RequirementControl
from evidence.planning.by_ask import AskRow

SOON = dt.timedelta(days=14)


@dataclass(frozen=True)
class AskFilter:
    """What somebody looks for; empty means any.

    `due` is `overdue` or `soon` (within SOON, what is overdue included); `query` is
    part of the title or of the label of a control.
    """

    state: str = ""
    due: str = ""
    system: str = ""
    query: str = ""

    @property
    def any(self) -> bool:
        """Whether nothing narrows."""
        return not (self.state or self.due or self.system or self.query)


def narrowed(rows: Sequence[AskRow], chosen: AskFilter) -> list[AskRow]:
    """Those that fit, in their order. One statement, or none."""
    kept = [row for row in rows if _fits(row, chosen)]
    if not (chosen.system or chosen.query):
        return kept
    keys = [ask.requirement.pk for row in kept for ask in row.controls]
    fitting = RequirementControl.objects.filter(pk__in=keys)
    if chosen.system:
        fitting = fitting.filter(system__slug=chosen.system)
    matching_keys = set(fitting.matching(q=chosen.query).values_list("pk", flat=True))
    return [
        row
        for row in kept
        if any(ask.requirement.pk in matching_keys for ask in row.controls)
    ]


def _fits(row: AskRow, chosen: AskFilter) -> bool:
    worst = row.worst
    if chosen.state and worst.state != chosen.state:
        return False
    overdue = worst.late or bool(worst.missing)
    if chosen.due == "overdue":
        return overdue
    if chosen.due == "soon":
        return overdue or (worst.due is not None and worst.due <= worst.today + SOON)
    return True
