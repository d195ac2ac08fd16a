"""Every occurrence that a window expects of one control: its mark, proof and reviewer.

One statement besides those of the answer, whatever the number of occurrences.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evidence.charts import SHAPES, ChartMark, marks_over, months, place
from evidence.status.control_status import ControlStatus, Window
from evidence.status.gather import Moment
from evidence.status.occurrence_results import OccurrenceResult
from evidence.status.rows import read_rows
from evidence.status.window_words import notes_of

WORDS = {
    "on_time": "On time",
    "late": "Late",
    "missed": "Missed",
    "waiting": "Waiting for review",
    "not_yet_due": "Not yet due",
    "cut_short": "Cut short",
    "waived": "Waived",
}
# units of the SVG: one row, the line its name stands on, the middle of its marks
LANE, LABEL, MIDDLE = 56, 18, 38
OPEN = frozenset({"missed", "not_yet_due"})

# Who reviewed what the window counts, and what was submitted and waits.
LINKS = """
SELECT q.uuid AS requirement, l.uuid AS link, p.state, p.starts AS performed_on,
       p.occurrence, e.uuid AS evidence, e.title, r.reviewer_name AS reviewer
  FROM evidence_proof p
  JOIN {requirement} q ON q.id = p.requirement_id
  JOIN evidence_evidencelink l ON l.id = p.link_id
  JOIN evidence_evidencerevision rev ON rev.id = l.revision_id
  JOIN {evidence} e ON e.id = rev.evidence_id
  LEFT JOIN LATERAL (
    SELECT reviewer_name FROM evidence_review r
     WHERE r.link_id = l.id AND {before} ORDER BY r.id DESC LIMIT 1) r ON TRUE
 WHERE p.implementation_id = %(implementation)s AND p.half = 'customer'
   AND p.starts <= %(day)s AND {holding} AND {proof_standing}
   AND (p.state = 'submitted' OR l.uuid = ANY(%(links)s::uuid[]))
 ORDER BY p.starts, l.id
"""
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Occurrence:
    """One expected occurrence as people see it; days are inclusive.

    `state` is the outcome that the window counts, but `waiting` where something is
    submitted for what is open: it counts as `result.outcome` until it is accepted.
    `evidence` is None where nothing was offered, and for populations.
    """

    result: OccurrenceResult
    state: str
    evidence: Any = None
    title: str = ""
    performed_on: dt.date | None = None
    reviewer: str = ""

    @property
    def word(self) -> str:
        """The state in plain words."""
        return WORDS[self.state]

    @property
    def notes(self) -> tuple[str, ...]:
        """What stands beside the state, in plain words."""
        return notes_of(self.result)


@dataclass(frozen=True)
class Lane:
    """One requirement of a timeline: its name, its occurrences and their marks."""

    title: str
    occurrences: tuple[Occurrence, ...]
    marks: tuple[ChartMark, ...]
    label_y: int
    marks_y: int

    @property
    def summary(self) -> str:
        """How many of each state, in words."""
        counted = Counter(occurrence.state for occurrence in self.occurrences)
        return ", ".join(
            f"{counted[code]} {word.lower()}"
            for code, word in WORDS.items()
            if counted[code]
        )


@dataclass(frozen=True)
class Lanes:
    """The timeline of a control over a window, one row for each requirement."""

    rows: tuple[Lane, ...]
    months: list[tuple[float, str]]
    today: float | None

    @property
    def foot(self) -> int:
        """Where the lowest row ends."""
        return LANE * len(self.rows)

    @property
    def base(self) -> int:
        """The line on which the names of the months stand."""
        return self.foot + LABEL

    @property
    def height(self) -> int:
        """Units from the top to below the names of the months."""
        return self.base + 8

    @property
    def legend(self) -> list[tuple[str, str, str]]:
        """Code, outline and word of the states that occur."""
        states = {
            occurrence.state for row in self.rows for occurrence in row.occurrences
        }
        return [(c, SHAPES[c], word) for c, word in WORDS.items() if c in states]


def occurrences(answer: ControlStatus, moment: Moment) -> list[Occurrence]:
    """What the answer's window expects, by requirement and day. One statement."""
    results = answer.period.occurrences.results if answer.period else ()
    if not results:
        return []
    rows = _links(answer, moment, [result.link for result in results if result.link])
    accepted = {str(row["link"]): row for row in rows if row["state"] == "accepted"}
    waiting: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if row["state"] == "submitted":
            waiting[str(row["requirement"])].append(row)
    return [_seen(result, accepted, waiting[result.requirement]) for result in results]


def _links(answer: ControlStatus, moment: Moment, links: Sequence[str]) -> list[Row]:
    implementation = answer.implementation["id"]
    return read_rows(LINKS, moment, implementation=implementation, links=list(links))


def _seen(
    result: OccurrenceResult, accepted: Mapping[str, Row], waiting: Iterable[Row]
) -> Occurrence:
    if result.per_event:
        return Occurrence(result, _of_events(result), performed_on=result.performed_on)
    if result.outcome in OPEN:
        offered = next((row for row in waiting if _answers(row, result)), None)
        if offered is None:
            return Occurrence(result, result.outcome)
        return _offered(result, "waiting", offered)
    return _offered(result, result.outcome, accepted.get(result.link, {}))


def _offered(result: OccurrenceResult, state: str, row: Row) -> Occurrence:
    return Occurrence(
        result,
        state,
        row.get("evidence"),
        row.get("title", ""),
        row.get("performed_on", result.performed_on),
        row.get("reviewer") or "",
    )


def _answers(row: Row, result: OccurrenceResult) -> bool:
    """Whether something submitted would count for an occurrence once accepted."""
    if result.counts_from is None:
        return bool(row["occurrence"] == result.starts)
    return bool(result.counts_from <= row["performed_on"] <= result.ends)


def _of_events(result: OccurrenceResult) -> str:
    events = result.population
    if events is None or result.outcome not in OPEN:
        return result.outcome
    unread = events.state == "submitted" or events.waiting
    return "waiting" if unread else result.outcome


def lanes(rows: Iterable[Occurrence], window: Window, on: dt.date) -> Lanes:
    """The rows as a timeline: a lane for each requirement, marks at the last days."""
    by_requirement: dict[str, list[Occurrence]] = {}
    for row in rows:
        by_requirement.setdefault(row.result.requirement, []).append(row)
    lanes_of_window = tuple(
        _lane(mine, window, number)
        for number, mine in enumerate(by_requirement.values())
    )
    today = place(window, on) if window[0] <= on <= window[1] else None
    return Lanes(lanes_of_window, months(window), today)


def _lane(mine: Sequence[Occurrence], window: Window, number: int) -> Lane:
    top = number * LANE
    captions = [
        (occurrence.state, _caption(occurrence), occurrence.result.ends)
        for occurrence in mine
    ]
    marks = tuple(marks_over(window, captions, top + MIDDLE))
    title = mine[0].result.title
    return Lane(title, tuple(mine), marks, top + LABEL, top + MIDDLE)


def _caption(occurrence: Occurrence) -> str:
    days = f"{occurrence.result.starts} to {occurrence.result.ends}"
    return ", ".join([f"{occurrence.word}: {days}", *occurrence.notes])
