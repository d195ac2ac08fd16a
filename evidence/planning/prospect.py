"""What evidence would count as if it were accepted: said before it is sent (R13, R14).

The same rules as those of a window's occurrences and of the proof table, for one
performance that nobody has brought yet. Days are inclusive.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from controls.grammar import count_of, day_in_words
from evidence.models import RequirementControl, RequirementTerms
from evidence.models.asks import Cadence
from evidence.planning.by_ask import AskRow
from evidence.planning.open_periods import DuePeriod
from evidence.status.cadence import (
    DAY,
    cadence_by_day,
    period_holding,
    proof_end_by,
)
from evidence.submissions.same_again import period_name


@dataclass(frozen=True)
class Prospect:
    """What one performance would count as, and which days it would prove.

    `outcome` is `on_time` or `late`, empty where nothing is due by a day. `proves_to`
    None: without an end; before `performed_on`: no day at all. `due_on` None: nothing
    went before that ends. `next_period` is the oldest open one afterwards.
    """

    performed_on: dt.date
    today: dt.date
    name: str
    due_on: dt.date | None
    proves_to: dt.date | None
    next_period: str = ""

    @property
    def outcome(self) -> str:
        """By the day on which it was performed, if the reviewer confirms that day."""
        if self.due_on is None:
            return ""
        return "late" if self.performed_on > self.due_on else "on_time"

    @property
    def word(self) -> str:
        """`On time`, `Late by 21 days`; empty where nothing is due by a day."""
        if self.outcome == "late":
            return f"Late by {_days_from(self.due_on, self.performed_on)}"
        return "On time" if self.outcome else ""

    @property
    def period_sentence(self) -> str:
        """For what it counts, and when that is or was due."""
        if self.due_on is None:
            return "It counts from the day on which it was performed."
        verb = "was due" if self.due_on < self.today else "is due"
        what = f"for {self.name}, which {verb}" if self.name else f"It {verb}"
        return f"{what} on {day_in_words(self.due_on)}."

    @property
    def proof_sentence(self) -> str:
        """Which days it would prove once it is accepted."""
        first = day_in_words(self.performed_on)
        if self.proves_to is None:
            return f"Once accepted it proves the days from {first} on, without an end."
        if self.proves_to < self.performed_on:
            return (
                "Once accepted it proves no day: the due day of the next period had"
                " passed when it was performed. Its own period then counts as late, no"
                " longer as missed."
            )
        last = day_in_words(self.proves_to)
        sentence = f"Once accepted it proves {first} to {last}"
        if self.proves_to < self.today:
            return f"{sentence}, and no day from today on."
        return f"{sentence}."

    @property
    def confirmation_sentence(self) -> str:
        """What the reviewer is asked where it is brought after its due day."""
        due = self.due_on
        if due is None or not self.performed_on <= due < self.today:
            return ""
        proving = ""
        if self.proves_to is not None and self.proves_to < self.today:
            proving = ", and proves no day"
        return (
            f"The reviewer confirms that the files themselves show"
            f" {day_in_words(self.performed_on)}. Otherwise it counts from today: late"
            f" by {_days_from(due, self.today)}{proving}."
        )


def prospect_of(
    requirement: RequirementControl,
    performed_on: dt.date,
    period: tuple[dt.date, dt.date],
    today: dt.date,
    *,
    open_periods: Sequence[DuePeriod] = (),
    proven_to: dt.date | None = None,
    terms: Sequence[RequirementTerms] | None = None,
) -> Prospect | None:
    """What a performance brought today, about the days of `period`, would count as.

    `proven_to` is the last day that accepted proof reaches: what a yearly performance
    is due by; `terms` are all of its ask, read by one statement where they are not
    given. None where the days contradict each other, or it is asked per event.
    """
    first, last = period
    if terms is None:
        terms = list(RequirementTerms.objects.filter(ask=requirement.ask_id))
    in_force = next((row for row in terms if today in row.days), None)
    impossible = not first <= performed_on <= today or last < first
    if impossible or in_force is None or in_force.cadence == Cadence.PER_EVENT:
        return None
    cadence_on = cadence_by_day((row.days.lower, row.cadence) for row in terms)
    performed = period_holding(min(last, performed_on), cadence_on)
    due, name = proven_to if in_force.cadence == Cadence.YEARLY else None, ""
    if performed is not None:
        then = next(row for row in terms if performed[1] in row.days)
        due = performed[1] + DAY * then.grace_days
        name = period_name(then.cadence, performed[0])
    later = [row for row in open_periods if not performed or row.first != performed[0]]
    return Prospect(
        performed_on=performed_on,
        today=today,
        name=name,
        due_on=due,
        proves_to=proof_end_by(
            _to(in_force, terms),
            performed[1] if performed else performed_on,
            performed_on,
        ),
        next_period=later[0].name if later else "",
    )


def with_prospects(rows: Iterable[AskRow]) -> list[AskRow]:
    """Rows of My work, each with what its next upload counts as if performed today.

    One statement, or none.
    """
    rows = list(rows)
    asks = {row.requirement.ask_id for row in rows}
    terms: defaultdict[int, list[RequirementTerms]] = defaultdict(list)
    for of_ask in RequirementTerms.objects.filter(ask__in=asks):
        terms[of_ask.ask_id].append(of_ask)
    return [replace(row, prospect=_of_row(row, terms)) for row in rows]


def _of_row(
    row: AskRow, terms: Mapping[int, Sequence[RequirementTerms]]
) -> Prospect | None:
    (first,) = [
        control
        for control in row.controls
        if control.requirement.pk == row.requirement.pk
    ]
    return prospect_of(
        first.requirement,
        first.today,
        (row.period.first, row.period.last),
        first.today,
        open_periods=first.open_periods,
        proven_to=first.due if first.requirement.proven_link else None,  # type: ignore[attr-defined]
        terms=terms[first.requirement.ask_id],
    )


def _to(
    in_force: RequirementTerms, terms: Sequence[RequirementTerms]
) -> list[tuple[dt.date | None, str, int]]:
    """First day, cadence and grace of the terms up to those in force, in order."""
    last = in_force.days.lower or dt.date.min
    begun = [row for row in terms if (row.days.lower or dt.date.min) <= last]
    begun.sort(key=lambda row: row.days.lower or dt.date.min)
    return [(row.days.lower, row.cadence, row.grace_days) for row in begun]


def _days_from(due: dt.date | None, day: dt.date) -> str:
    assert due is not None
    return count_of((day - due).days, "day")
