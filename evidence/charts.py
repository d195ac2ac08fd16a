"""Shapes of the charts, as numbers that templates turn into SVG."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

WIDTH = 1000
DAY = dt.timedelta(days=1)
# Parts of the two bars of every overview: code, title, note.
CLASSES = (
    ("inherited", "Inherited", "AWS carries it"),
    ("shared", "Shared", "AWS one half, we the other"),
    ("customer", "Customer", "we carry it"),
    ("none", "No such layer", "a person decides"),
    ("unclassified", "Unclassified", "counted as ours"),
)
# The proven ones by the halves that were required that day, so that registering one
# report of a provider never looks like our progress.
PROVEN = (
    ("both", "Proven by us and providers", "both halves"),
    ("ours", "Proven by us alone", "no provider is asked"),
    ("providers", "Proven by providers alone", "nothing is asked of us"),
)
VERDICTS = (
    ("proven", "Proven", "every half that is asked for"),
    ("partly", "Partly", "one half, or one thing, is missing"),
    ("unproven", "Unproven", "no half counts today"),
    ("not_applicable", "Not applicable", "left out, as two officers agreed"),
)
# Results over a window, the complete ones by the halves required in it.
RESULTS = (
    ("complete-both", "Complete by us and providers", "both halves, every day"),
    ("complete-ours", "Complete by us alone", "no provider is asked"),
    ("complete-providers", "Complete by providers alone", "nothing is asked of us"),
    ("exceptions", "Exceptions", "something is late, missed, open or not shown"),
    ("running", "Running", "no exception so far, and something is still to come"),
    ("nothing", "Nothing asked", "no half is required in it"),
)


@dataclass(frozen=True)
class Segment:
    """One part of a stacked bar: its code is the CSS class and the shape's name."""

    code: str
    title: str
    count: int
    note: str = ""
    x: float = 0
    width: float = 0
    percent: int = 0


def proof_segments(
    verdicts: Mapping[str, int], proven: Mapping[str, int]
) -> list[Segment]:
    """The controls by verdict, the proven ones split by whose halves they rest on.

    Proven ones of which nobody says whose stand first, whole.
    """
    split = [
        Segment(f"proven-{code}", title, proven.get(code, 0), note)
        for code, title, note in PROVEN
    ]
    unsplit = verdicts.get("proven", 0) - sum(part.count for part in split)
    code, title, note = VERDICTS[0]
    whole = [Segment(code, title, unsplit, note)] if unsplit else []
    others = [
        Segment(code, title, verdicts.get(code, 0), note)
        for code, title, note in VERDICTS[1:]
    ]
    return [*whole, *split, *others]


def bar(parts: Sequence[Segment]) -> list[Segment]:
    """The parts laid side by side over 1000 units, empty ones left out."""
    total = sum(part.count for part in parts)
    laid: list[Segment] = []
    x = 0.0
    for part in parts:
        if not part.count:
            continue
        width = round(part.count * WIDTH / total, 2)
        percent = round(100 * part.count / total)
        laid.append(
            Segment(part.code, part.title, part.count, part.note, x, width, percent)
        )
        x = round(x + width, 2)
    return laid


@dataclass(frozen=True)
class Stretch:
    """Days of a window that share a state; both days inclusive."""

    code: str
    title: str
    start: dt.date
    end: dt.date
    x: float
    width: float

    @property
    def days(self) -> int:
        """How many days it is."""
        return (self.end - self.start).days + 1


def stretches(
    window: tuple[dt.date, dt.date],
    ranges: Iterable[tuple[str, str, dt.date, dt.date]],
) -> list[Stretch]:
    """Ranges (code, title, first, last day) laid over a window of 1000 units."""
    laid = []
    for code, title, first, last in ranges:
        start, end = max(first, window[0]), min(last, window[1])
        if start <= end:
            x = place(window, start)
            width = max(place(window, end + DAY) - x, 1.5)
            laid.append(Stretch(code, title, start, end, x, round(width, 2)))
    return sorted(laid, key=lambda segment: (segment.start, segment.code))


# Outlines about a mark's middle: told apart without colour, on screen and paper.
SHAPES = {
    "on_time": "M-8 0a8 8 0 1 0 16 0a8 8 0 1 0 -16 0Z",
    "late": "M0 -9L9 8H-9Z",
    "missed": "M-7 -7L7 7M7 -7L-7 7",
    "waiting": "M0 -9L9 0L0 9L-9 0Z",
    "not_yet_due": "M-7 0a7 7 0 1 0 14 0a7 7 0 1 0 -14 0Z",
    "cut_short": "M-7 -8L7 0L-7 8Z",
    "waived": "M-8 -3H8V3H-8Z",
}
EDGE = 12  # units that a mark keeps from either end


@dataclass(frozen=True)
class ChartMark:
    """One thing on one day of a window: where it stands and its outline."""

    code: str
    title: str
    x: float
    y: float

    @property
    def path(self) -> str:
        """The outline that belongs to the code."""
        return SHAPES[self.code]


def marks_over(
    window: tuple[dt.date, dt.date],
    occurrences: Iterable[tuple[str, str, dt.date]],
    y: float,
) -> list[ChartMark]:
    """Marks (code, title, day) laid over a window of 1000 units, whole at its ends."""
    return [
        ChartMark(code, title, min(max(place(window, day), EDGE), WIDTH - EDGE), y)
        for code, title, day in occurrences
    ]


def place(window: tuple[dt.date, dt.date], day: dt.date) -> float:
    """Where the morning of a day lies on the 1000 units of a window."""
    days = (window[1] - window[0]).days + 1
    return round((day - window[0]).days * WIDTH / days, 2)


def months(window: tuple[dt.date, dt.date]) -> list[tuple[float, str]]:
    """Ticks at the first of each month: place and short name."""
    ticks = []
    day = window[0].replace(day=1)
    while day <= window[1]:
        if day >= window[0]:
            ticks.append((place(window, day), f"{day:%b}"))
        day = (day + dt.timedelta(days=32)).replace(day=1)
    return ticks
