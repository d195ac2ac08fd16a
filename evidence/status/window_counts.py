"""How many controls of systems are complete over their windows, and whose work it is.

Source: rules R15, R28 and R34.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from controls.models import ControlImplementation, System
from evidence.charts import RESULTS, Segment, bar
from evidence.status.asks_of_window import (
    AskPeriod,
    MissedAsk,
    missed_asks,
    missed_periods,
)
from evidence.status.clock_parameters import Window
from evidence.status.facts import PeriodFacts
from evidence.status.gather_window import gather_periods
from evidence.status.rows import Moment
from evidence.status.window import Period, period

__all__ = ["WindowCounts", "results_of", "window_counts", "windows_of_systems"]


@dataclass
class WindowCounts:
    """The controls of one system by their result over its window.

    `complete` splits the complete ones by whose halves were required in the window:
    both, ours, providers. `on_word` of them have days on the provider's word alone.
    `missed` are the missed periods of asks, each once with its controls (R11).
    """

    system: System
    window: Window
    day: dt.date
    results: Counter[str] = field(default_factory=Counter)
    complete: Counter[str] = field(default_factory=Counter)
    on_word: int = 0
    missed: list[AskPeriod] = field(default_factory=list)

    @property
    def missed_asks(self) -> list[MissedAsk]:
        """The same by ask, those with the most missed periods first."""
        return missed_asks(self.missed)

    @property
    def total(self) -> int:
        """All controls of the system."""
        return sum(self.results.values())

    @property
    def starts(self) -> dt.date:
        """The window's first day."""
        return self.window[0]

    @property
    def ends(self) -> dt.date:
        """The window's last day, included."""
        return self.window[1]

    @property
    def ended(self) -> bool:
        """Whether the window's last day is over."""
        return self.window[1] < self.day

    @property
    def segments(self) -> list[Segment]:
        """The controls by result, the complete ones by whose halves, empty ones too."""
        counts = {f"complete-{code}": n for code, n in self.complete.items()}
        counts |= self.results
        return [
            Segment(code, title, counts.get(code, 0), note)
            for code, title, note in RESULTS
        ]

    @property
    def parts(self) -> list[Segment]:
        """The same as parts of a bar."""
        return bar(self.segments)


def window_counts(
    system: System,
    moment: Moment,
    window: Window,
    pks: Collection[int] | None = None,
) -> WindowCounts:
    """The controls of a system (all, or those with these keys) by their result over a
    window, as of a moment.

    A constant number of statements. Raises LookupError when the system was not
    recorded by the moment.
    """
    (counts,) = _counted([system], {system.pk: window}, moment, pks)
    return counts


def results_of(
    system: System, pks: Sequence[int], moment: Moment, window: Window
) -> dict[int, tuple[str, ...]]:
    """The result of each of these controls over a window, by its key; of a complete
    one also `complete-` and whose halves. None where nothing was recorded by then."""
    try:
        facts = gather_periods([system], {system.pk: pks}, {system.pk: window}, moment)
    except LookupError:
        return {}
    return {
        pk: _codes(period(of_control, *window, today=moment.on), of_control, window)
        for pk, of_control in facts.items()
    }


def windows_of_systems(
    systems: Sequence[System], now: dt.datetime
) -> list[WindowCounts]:
    """The same of several systems, each over its own window, on its own day of today.

    Statements are run once per calendar day there is, and those about a last day once
    for each day on which windows ended.
    """
    by_day: defaultdict[dt.date, list[System]] = defaultdict(list)
    for system in systems:
        by_day[system.day_of(now)].append(system)
    counts = {
        of_system.system.pk: of_system
        for day, same_day in by_day.items()
        for of_system in _counted(
            same_day,
            {s.pk: (s.window_start, s.window_end) for s in same_day},
            Moment(day),
        )
    }
    return [counts[system.pk] for system in systems]


def _counted(
    systems: Sequence[System],
    windows: Mapping[int, Window],
    moment: Moment,
    only: Collection[int] | None = None,
) -> list[WindowCounts]:
    rows = ControlImplementation.objects.filter(system__in=systems)
    if only is not None:
        rows = rows.filter(pk__in=only)
    pks: defaultdict[int, list[int]] = defaultdict(list)
    labels: dict[int, str] = {}
    ordered = rows.order_by("control__sort_order", "pk")
    for key, pk, label in ordered.values_list("system_id", "pk", "control__label"):
        pks[key].append(pk)
        labels[pk] = label
    facts = gather_periods(systems, pks, windows, moment)
    counts, results = [], {}
    for system in systems:
        counted = WindowCounts(system, windows[system.pk], moment.on)
        results[system.pk] = {
            pk: _count(counted, facts[pk], moment.on).occurrences.results
            for pk in pks[system.pk]
            if pk in facts
        }
        counts.append(counted)
    missed = missed_periods(results, labels, moment)
    for counted in counts:
        counted.missed = missed.get(counted.system.pk, [])
    return counts


def _count(counts: WindowCounts, facts: PeriodFacts, day: dt.date) -> Period:
    judged = period(facts, *counts.window, today=day)
    counts.results[judged.result] += 1
    if judged.result == "complete":
        counts.complete[_whose(facts, counts.window)] += 1
        counts.on_word += judged.aws_days.asserted > 0
    return judged


def _codes(judged: Period, facts: PeriodFacts, window: Window) -> tuple[str, ...]:
    if judged.result != "complete":
        return (judged.result,)
    return judged.result, f"complete-{_whose(facts, window)}"


def _whose(facts: PeriodFacts, window: Window) -> str:
    """The halves that were required on some day of the window."""
    ours = any(start <= window[1] and end >= window[0] for start, end in facts.required)
    if ours and facts.aws_required:
        return "both"
    return "ours" if ours else "providers"
