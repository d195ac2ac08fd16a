"""The days of a needed service that reports and letters cover, and the rest. Pure.

Days are inclusive. Source: rules R21 and R23.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from evidence.status.day_ranges import DAY, Days, clip, count, subtract, united
from evidence.status.facts import ArtifactVersionFacts, AwsFacts, NeededService
from evidence.status.reports import (
    RELIED_ON,
    asserted_days,
    gap_in_scope,
    proves_under,
    spoken_days,
    unfit_for,
)


@dataclass(frozen=True, slots=True)
class NeedDays:
    """Days of one needed service in a window: audited, asserted and open.

    `audited + asserted + open_days` is the number of days it was needed;
    `open_ranges` are inclusive.
    """

    slug: str
    scope: str
    audited: int
    asserted: int
    open_days: int
    audited_ranges: tuple[Days, ...] = ()
    asserted_ranges: tuple[Days, ...] = ()
    open_ranges: tuple[Days, ...] = ()


def days_of(
    need: NeededService, aws: AwsFacts, start: dt.date, end: dt.date
) -> NeedDays:
    """The days of one service in start..end by the series that leaves fewest open."""
    first = max(start, need.used_from)
    last = min(end, need.used_until - DAY) if need.used_until else end
    if first > last:
        return NeedDays(need.slug, need.scope, 0, 0, 0)
    proving = [
        v
        for v in aws.versions
        if proves_under(v, aws.regime)
        and not v.type1
        and v.reliance in RELIED_ON
        and not unfit_for(v, aws)
        and not gap_in_scope(v, need, aws.regime)
    ]
    names = dict.fromkeys(v.series for v in proving) or {"": None}
    options = [
        _days(need, [v for v in proving if v.series == name], first, last)
        for name in names
    ]
    return min(options, key=lambda option: option.open_days)


def _days(
    need: NeededService,
    versions: Sequence[ArtifactVersionFacts],
    first: dt.date,
    last: dt.date,
) -> NeedDays:
    window = [(first, last)]
    audited = united(clip([spoken_days(v) for v in versions], first, last))
    letters = [days for v in versions if (days := asserted_days(v))]
    asserted = subtract(united(clip(letters, first, last)), audited)
    left = subtract(subtract(window, audited), asserted)
    return NeedDays(
        need.slug,
        need.scope,
        count(audited),
        count(asserted),
        count(left),
        tuple(audited),
        tuple(asserted),
        tuple(left),
    )
