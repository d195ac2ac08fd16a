"""What is asked of a person, one row for each ask: it stands as its worst control.

Source: rule R11. Pure: the rows come from `evidence.planning.asks`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from controls.grammar import count_of
from evidence.models import RequirementControl
from evidence.planning import asks
from evidence.planning.asks import URGENCY, WORDS, Ask
from evidence.planning.next_upload import NextUpload, of_gaps, uploads_to_bring
from evidence.planning.open_periods import DuePeriod

MAX_NAMED = 3  # controls of one state that a sentence names
ACCEPTED = {"current", "expiring"}


@dataclass(frozen=True)
class AskRow:
    """One ask with its controls, each as it stands; of `shown` in catalog order.

    On rows that are shown `drafts`, `rejections` and `waiting` are set by
    `evidence.planning.last_brought`, `prospect` by `evidence.planning.prospect`.
    """

    controls: Sequence[Ask]
    drafts: Sequence[Any] = ()
    rejections: Sequence[Any] = ()
    waiting: Sequence[Any] = ()
    prospect: Any = None

    @cached_property
    def upload(self) -> NextUpload:
        """What to bring next, and which of its controls are open for it."""
        rows = [ask.requirement for ask in self.controls]
        return of_gaps(rows, self._gaps, self.controls[0].today)

    @cached_property
    def overdue(self) -> list[NextUpload]:
        """What to bring for each period that is overdue in any control, oldest first.

        Each names the controls that are open in it: others are left alone.
        """
        return [gap for gap in self._gaps if gap.period.overdue]

    @cached_property
    def _gaps(self) -> list[NextUpload]:
        """What to bring for each open period, the oldest first."""
        rows = [ask.requirement for ask in self.controls]
        opened = {ask.requirement.pk: ask.open_periods for ask in self.controls}
        return uploads_to_bring(rows, opened)

    @cached_property
    def due(self) -> dt.date | None:
        """The day of the oldest overdue period; else when its worst control is due."""
        missing = [gap.due for ask in self.controls for gap in ask.missing if gap.due]
        return min(missing) if missing else self.worst.due

    @property
    def turn(self) -> tuple[int, dt.date, int]:
        """By what rows are put in order: what there is to bring by its day, then what
        waits for a review, then the rest. `evidence.planning.board` has it in SQL."""
        state = self.worst.shown_state
        last = {"waiting": 1, "current": 2}.get(state, 0)
        return last, self.due or dt.date.max, URGENCY.index(state)

    @property
    def first_row(self) -> int:
        """The least key of its rows: it decides between two of one turn."""
        return min(ask.requirement.pk for ask in self.controls)

    @property
    def days_late(self) -> int:
        """Days since it was due; negative until then, 0 where it is due by no day."""
        return (self.worst.today - self.due).days if self.due else 0

    @property
    def days_left(self) -> str:
        """`in 8 days`, `today`; for rows that are due by a day to come."""
        return f"in {count_of(-self.days_late, 'day')}" if self.days_late else "today"

    @property
    def further(self) -> list[NextUpload]:
        """What is overdue besides the oldest open period, oldest first."""
        return [gap for gap in self.overdue if gap.period != self.period]

    @cached_property
    def worst(self) -> Ask:
        """The control whose state is the ask's."""
        return min(self.controls, key=lambda control: control.urgency)

    @property
    def requirement(self) -> RequirementControl:
        """The row by whose address the next evidence is uploaded."""
        return self.upload.first

    @property
    def period(self) -> DuePeriod:
        """The days that the next evidence should be about."""
        return self.upload.period

    @property
    def implementations(self) -> list[Any]:
        """Its controls in this system, in their order."""
        return [ask.requirement.implementation for ask in self.controls]

    @property
    def sentence(self) -> str:
        """How its controls stand where they do not stand alike: `5 of 6 accepted, AU-9
        rejected: no clock in the picture`. Empty where they do."""
        if len({row.state for row in self.controls}) < 2 and not self.worst.rejection:
            return ""
        if len(self.controls) == 1:
            return ""
        accepted = sum(row.state in ACCEPTED for row in self.controls)
        parts = [f"{accepted} of {len(self.controls)} accepted"]
        for state in URGENCY:
            if state not in ACCEPTED:
                parts += _named(state, [r for r in self.controls if r.state == state])
        return ", ".join(parts)


def _named(state: str, rows: Sequence[Ask]) -> list[str]:
    """`AU-9 rejected: its reason`, or `4 overdue` where more have that state."""
    if not rows:
        return []
    word = WORDS[state].lower()
    if len(rows) > MAX_NAMED:
        return [f"{len(rows)} {word}"]
    labels = " and ".join(row.requirement.implementation.control.label for row in rows)
    reasons = {row.rejection for row in rows if row.rejection}
    if not reasons:
        return [f"{labels} {word}"]
    # the sentence goes on: a reason's own full stop does not end it
    return [f"{labels} {word}: {' '.join(sorted(reasons)).rstrip('.')}"]


def by_ask(controls: Iterable[Ask]) -> list[AskRow]:
    """The asks of a person in their turn; rows of one joined ask are one."""
    groups: dict[tuple[str, int], list[Ask]] = {}
    for ask in controls:
        row = ask.requirement
        key = ("joined", row.joined_id) if row.joined_id else ("row", row.pk)
        groups.setdefault(key, []).append(ask)
    rows = [AskRow(group) for group in groups.values()]
    return sorted(rows, key=lambda row: (row.turn, row.first_row))


def to_show(rows: Sequence[AskRow]) -> list[AskRow]:
    """The same with all that a page shows of their controls. One statement."""
    controls = [ask for row in rows for ask in row.controls]
    shown = {ask.requirement.pk: ask for ask in asks.to_show(controls)}
    return [
        AskRow(
            sorted((shown[ask.requirement.pk] for ask in row.controls), key=_in_catalog)
        )
        for row in rows
    ]


def _in_catalog(ask: Ask) -> tuple[int, int]:
    row = ask.requirement
    return row.implementation.control.sort_order, row.pk
