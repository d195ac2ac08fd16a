"""What became of the occurrences that a window expects, and their counts. Pure.

Days are inclusive. Source: rules R12 to R16, R30 and R31.
"""

from __future__ import annotations

import datetime as dt
from typing import Literal

from evidence.status.day_ranges import Days
from evidence.status.facts import PopulationFacts
from evidence.status.values import value

Outcome = Literal["on_time", "late", "missed", "not_yet_due", "cut_short", "waived"]
Outside = Literal["", "before", "after_within_grace", "after"]


@value
class OccurrenceResult:
    """One occurrence of a window and what became of it. Days are inclusive.

    `counts_from`: first day on which a performance counts; None: the one submitted
    for that calendar period, whenever it was done. `recorded_late_days` after its due
    day the evidence of a timely performance was brought, and its reviewer confirmed
    the day. `asked_days` of its days were asked. Rows that are cut short or waived are
    not counted; `former_outcome` is what a waived one was before the change.
    """

    requirement: str
    title: str
    starts: dt.date
    ends: dt.date
    due_on: dt.date
    outcome: Outcome
    asked_days: int
    performed_on: dt.date | None = None
    late_days: int = 0
    recorded_late_days: int = 0
    collected_late: bool = False
    link: str = ""
    populations: tuple[PopulationFacts, ...] = ()
    per_event: bool = False
    counts_from: dt.date | None = None
    outside: Outside = ""
    former_outcome: Outcome | None = None
    changed_in_retrospect: bool = False

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.ends - self.starts).days + 1

    @property
    def days_after_end(self) -> int:
        """Days after its last day on which it was performed; 0 where in it."""
        if self.performed_on is None:
            return 0
        return max(0, (self.performed_on - self.ends).days)

    @property
    def within_grace(self) -> bool:
        """Whether it is on time only by its grace."""
        return self.outcome == "on_time" and self.days_after_end > 0

    @property
    def population(self) -> PopulationFacts | None:
        """The newest population that speaks of some of its days."""
        return self.populations[-1] if self.populations else None


@value
class EventDays:
    """Days of a window on which something was asked per event (R16).

    Days are covered by an accepted population, open once their period's due day has
    passed, or not yet due; `open_ranges` say which, by the title of the ask.
    """

    covered: int = 0
    open: int = 0
    not_yet_due: int = 0
    open_ranges: tuple[tuple[str, Days], ...] = ()


@value
class Occurrences:
    """Our half counted in occurrences, and what happened per event in its samples.

    `results` hold the expected ones and, outside the counts, those cut short and
    waived. `recorded_late` and `within_grace` are of `on_time`. Of `sampled` events
    `proven` are shown, `deviations` were not handled as asked and `open` are neither.
    """

    expected: int = 0
    on_time: int = 0
    late: int = 0
    missed: int = 0
    not_yet_due: int = 0
    results: tuple[OccurrenceResult, ...] = ()
    recorded_late: int = 0
    within_grace: int = 0
    cut_short: int = 0
    waived: int = 0
    before_window: int = 0
    after_window_within_grace: int = 0
    sampled: int = 0
    proven: int = 0
    deviations: int = 0
    open: int = 0
    event_days: EventDays = EventDays()
