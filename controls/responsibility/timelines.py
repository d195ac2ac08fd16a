"""Days painted with values: which decision holds when. Pure; ends are exclusive.

A timeline is a list of spans in order without gap or overlap; `None` as a bound
means unbounded. Adjacent spans never carry the same value.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Generic, TypeVar

V = TypeVar("V")
W = TypeVar("W")

FIRST, LAST = dt.date.min, dt.date.max


@dataclass(frozen=True)
class Span(Generic[V]):
    """A value on the days from `start` to before `end`."""

    start: dt.date
    end: dt.date
    value: V

    @property
    def bounds(self) -> tuple[dt.date | None, dt.date | None]:
        """Start and end as a database range has them: None is unbounded."""
        return (
            None if self.start == FIRST else self.start,
            None if self.end == LAST else self.end,
        )


def always(value: V) -> list[Span[V]]:
    """One value on every day."""
    return [Span(FIRST, LAST, value)]


def paint(line: list[Span[V]], over: Span[V]) -> list[Span[V]]:
    """The timeline with `over` laid on top of what was there."""
    kept: list[Span[V]] = []
    for span in line:
        if span.start < over.start:
            kept.append(Span(span.start, min(span.end, over.start), span.value))
        if span.end > over.end:
            kept.append(Span(max(span.start, over.end), span.end, span.value))
    kept.append(over)
    return merged(sorted(_real(kept), key=lambda span: span.start))


def _real(spans: Iterable[Span[V]]) -> list[Span[V]]:
    return [span for span in spans if span.start < span.end]


def merged(line: list[Span[V]]) -> list[Span[V]]:
    """Neighbours with the same value made one."""
    result: list[Span[V]] = []
    for span in line:
        if result and result[-1].value == span.value and result[-1].end == span.start:
            result[-1] = Span(result[-1].start, span.end, span.value)
        else:
            result.append(span)
    return result


def mapped(line: list[Span[V]], change: Callable[[V], W]) -> list[Span[W]]:
    """The timeline with every value changed by a function."""
    return merged([Span(s.start, s.end, change(s.value)) for s in line])


def at(line: list[Span[V]], day: dt.date) -> V:
    """The value on a day."""
    return next(s.value for s in line if s.start <= day < s.end)


def differing(due: list[Span[V]], recorded: list[Span[V | None]]) -> list[Span[V]]:
    """The spans of `wanted` on which `recorded` says something else."""
    starts = {s.start for s in due} | {s.start for s in recorded}
    cuts = sorted(starts | {LAST})
    spans = [
        Span(start, end, at(due, start))
        for start, end in pairwise(cuts)
        if at(due, start) != at(recorded, start)
    ]
    return merged(spans)


def cut_at(days: Iterable[dt.date | None]) -> list[tuple[dt.date, dt.date]]:
    """The stretches between consecutive days, from the first day to the last."""
    cuts = sorted({FIRST, LAST, *(day for day in days if day is not None)})
    return list(pairwise(cuts))
