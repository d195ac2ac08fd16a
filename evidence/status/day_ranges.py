"""Arithmetic of days: ranges of which both ends are inclusive. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from itertools import pairwise

DAY = dt.timedelta(days=1)
Days = tuple[dt.date, dt.date]
EVERY_DAY: Days = (dt.date.min, dt.date.max)


def clip(ranges: Iterable[Days], first: dt.date, last: dt.date) -> list[Days]:
    """The parts of ranges inside first..last."""
    cut = [(max(a, first), min(b, last)) for a, b in ranges]
    return [(a, b) for a, b in cut if a <= b]


def united(ranges: Iterable[Days]) -> list[Days]:
    """The same days as ranges in order without overlap or touching neighbours."""
    result: list[Days] = []
    for a, b in sorted(ranges):
        if result and a <= _after(result[-1][1]):
            result[-1] = (result[-1][0], max(result[-1][1], b))
        else:
            result.append((a, b))
    return result


def subtract(ranges: Iterable[Days], away: Iterable[Days]) -> list[Days]:
    """The days of `ranges` that are not in `away`."""
    left = list(ranges)
    for c, d in away:
        left = [piece for a, b in left for piece in _without(a, b, c, d)]
    return left


def both(one: Iterable[Days], other: Iterable[Days]) -> list[Days]:
    """The days that are in both, in order."""
    other = list(other)
    return united(piece for a, b in one for piece in clip(other, a, b))


def holds(ranges: Iterable[Days], day: dt.date) -> bool:
    """Whether a day is among them."""
    return any(a <= day <= b for a, b in ranges)


def covers(ranges: Iterable[Days], needed: Iterable[Days]) -> bool:
    """Whether each needed day is among them."""
    return not subtract(needed, united(ranges))


def gaps(ranges: Iterable[Days]) -> list[Days]:
    """The days between the first and the last of them that are in none, in order."""
    kept = united(ranges)
    return [(before + DAY, after - DAY) for (_, before), (after, _) in pairwise(kept)]


def _without(a: dt.date, b: dt.date, c: dt.date, d: dt.date) -> list[Days]:
    if d < a or c > b:
        return [(a, b)]
    pieces = []
    if a < c:
        pieces.append((a, c - DAY))
    if d < b:
        pieces.append((d + DAY, b))
    return pieces


def _after(day: dt.date) -> dt.date:
    return day if day == dt.date.max else day + DAY


def count(ranges: Iterable[Days]) -> int:
    """How many days the ranges hold."""
    return sum((b - a).days + 1 for a, b in ranges)
