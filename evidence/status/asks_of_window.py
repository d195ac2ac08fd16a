"""What a window expects of one ask: each period once, with all its controls (R11).

A control page counts a missed period for its control; what is said of a system counts
it once for the ask. Two statements besides those of the answers.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.text import get_text_list

from evidence.models import EvidenceRequirement, RequirementControl
from evidence.status.control_status import Window, control_statuses
from evidence.status.occurrence_results import OccurrenceResult
from evidence.status.rows import Moment, Row, as_bigints, read_rows

# Under which ask each row stands on which days; NULL is unbounded.
ASKS_BY_DAY = """
SELECT r.uuid::text AS requirement, coalesce(j.uuid, a.uuid)::text AS ask,
       lower(t.days) AS first, upper(t.days) AS until
  FROM {requirement} r
  JOIN {terms} t ON t.ask_id = r.ask_id
  JOIN evidence_requirement a ON a.id = r.ask_id
  LEFT JOIN evidence_requirement j ON j.id = t.joined_id
 WHERE r.implementation_id = ANY(%(implementations)s)
"""
WORST_FIRST = ("missed", "late", "not_yet_due", "on_time", "waived", "cut_short")
SHOWN = {"on_time", "late"}
OUTSIDE_COUNTS = {"waived", "cut_short"}


@dataclass(frozen=True)
class AskPeriod:
    """One period of an ask: its outcome is its worst control's.

    `controls` are labels with what became of each, in catalog order.
    """

    ask: str  # its uuid
    title: str
    starts: Any
    ends: Any
    due_on: Any
    outcome: str
    controls: tuple[tuple[str, str], ...]

    @property
    def word(self) -> str:
        """The outcome in plain words."""
        return self.outcome.replace("_", " ").capitalize()

    @property
    def misses(self) -> tuple[str, ...]:
        """Labels of the controls that were missed in it."""
        return tuple(label for label, outcome in self.controls if outcome == "missed")

    @property
    def sentence(self) -> str:
        """`5 of 6 shown, AU-9 missed`; of one control, that it was missed."""
        shown = sum(outcome in SHOWN for _, outcome in self.controls)
        missed = f"{get_text_list(list(self.misses), 'and')} missed"
        if len(self.controls) == 1:
            return missed
        return f"{shown} of {len(self.controls)} shown, {missed}"


@dataclass(frozen=True)
class MissedAsk:
    """The missed periods of one ask in order; never empty."""

    periods: Sequence[AskPeriod]

    @property
    def last(self) -> AskPeriod:
        """The newest of them, whose words and controls are shown."""
        return self.periods[-1]


def missed_asks(periods: Iterable[AskPeriod]) -> list[MissedAsk]:
    """Missed periods by their ask, those with the most first."""
    groups: defaultdict[str, list[AskPeriod]] = defaultdict(list)
    for period in periods:
        groups[period.ask].append(period)
    asks = [MissedAsk(group) for group in groups.values()]
    return sorted(asks, key=lambda ask: (-len(ask.periods), ask.last.title))


def periods_of_ask(
    ask: EvidenceRequirement, moment: Moment, window: Window
) -> list[AskPeriod]:
    """The periods that a window expects of an ask, in order of their last days."""
    rows = RequirementControl.objects.filter(ask__terms__joined=ask)
    rows = rows | RequirementControl.objects.filter(ask=ask)
    pks = sorted(set(rows.order_by().values_list("implementation", flat=True)))
    answers = control_statuses(ask.system, moment, pks=pks, window=window)
    by_day = read_rows(ASKS_BY_DAY, moment, implementations=as_bigints(pks))
    results = (
        (answer.implementation["label"], result)
        for answer in answers
        for result in (answer.period.occurrences.results if answer.period else ())
    )
    uuid = str(ask.uuid)
    return [row for row in grouped_by_period(results, by_day) if row.ask == uuid]


Results = Mapping[int, Sequence[OccurrenceResult]]  # by the key of the control


def missed_periods(
    results: Mapping[int, Results], labels: Mapping[int, str], moment: Moment
) -> dict[int, list[AskPeriod]]:
    """The missed periods of the asks of systems by their keys, each once, in order.

    `results` are those of a window, of controls in catalog order with their `labels`.
    One statement.
    """
    late = [
        key
        for key, controls in results.items()
        if any(row.outcome == "missed" for rows in controls.values() for row in rows)
    ]
    pks = as_bigints(pk for key in late for pk in results[key])
    by_day = list(read_rows(ASKS_BY_DAY, moment, implementations=pks))
    periods = {}
    for key in late:
        named = ((labels[pk], row) for pk, rows in results[key].items() for row in rows)
        grouped = grouped_by_period(named, by_day)
        periods[key] = [row for row in grouped if row.outcome == "missed"]
    return periods


def grouped_by_period(
    results: Iterable[tuple[str, OccurrenceResult]], by_day: Iterable[Row]
) -> list[AskPeriod]:
    """Occurrences with the labels of their controls by the period of the ask that they
    are of, in order of their last days. Pure."""
    groups: dict[tuple[Any, Any, str], list[tuple[str, OccurrenceResult]]] = {}
    days: defaultdict[str, list[Row]] = defaultdict(list)
    for row in by_day:
        days[row["requirement"]].append(row)
    for label, result in results:
        for row in days[result.requirement]:
            if _holds(row, result):
                key = (result.ends, result.starts, row["ask"])
                groups.setdefault(key, []).append((label, result))
                break
    return [_period(key[2], groups[key]) for key in sorted(groups)]


def counts_of(periods: Iterable[AskPeriod]) -> dict[str, int]:
    """Expected, on time, late, missed and not yet due, each period once."""
    outcomes = Counter(
        period.outcome for period in periods if period.outcome not in OUTSIDE_COUNTS
    )
    names = ("on_time", "late", "missed", "not_yet_due")
    return {"expected": outcomes.total()} | {name: outcomes[name] for name in names}


def _holds(row: Mapping[str, Any], result: OccurrenceResult) -> bool:
    """Whether a row stands under the ask on the last day of an occurrence."""
    return bool(
        (row["first"] is None or row["first"] <= result.ends)
        and (row["until"] is None or result.ends < row["until"])
    )


def _period(ask: str, results: list[tuple[str, OccurrenceResult]]) -> AskPeriod:
    _, first = results[0]
    outcomes = {result.outcome for _, result in results}
    return AskPeriod(
        ask=ask,
        title=first.title,
        starts=first.starts,
        ends=first.ends,
        due_on=first.due_on,
        outcome=next(name for name in WORST_FIRST if name in outcomes),
        controls=tuple((label, result.outcome) for label, result in results),
    )
