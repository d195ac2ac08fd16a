"""The days of a need that reports and letters cover, and the rest. Pure.

Days are inclusive. Source: rules R21 and R23.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from evidence.status.day_ranges import DAY, Days, clip, count, subtract, united
from evidence.status.facts import (
    AWS,
    ArtifactVersionFacts,
    AwsFacts,
    NeededService,
)
from evidence.status.reports import (
    RELIED_ON,
    asserted_days,
    covered_to,
    ends_currency,
    gap_in_scope,
    may_speak_for,
    proves_under,
    series_current_to,
    spoken_days,
    unfit_for,
)
from evidence.status.values import value


@value
class NeedDays:
    """Days of one need in a window: audited, asserted, awaited and open.

    Together they are the days it was needed. Awaited days come after the newest
    coverage while that counts as current and the window runs; ranges are inclusive.
    """

    slug: str
    scope: str
    audited: int
    asserted: int
    open_days: int
    audited_ranges: tuple[Days, ...] = ()
    asserted_ranges: tuple[Days, ...] = ()
    open_ranges: tuple[Days, ...] = ()
    awaited: int = 0
    awaited_ranges: tuple[Days, ...] = ()
    provider: str = AWS
    provider_name: str = "AWS"
    sites: tuple[str, ...] = ()

    @property
    def needed(self) -> int:
        """How many days it was needed."""
        return self.audited + self.asserted + self.awaited + self.open_days


def days_of(
    need: NeededService,
    aws: AwsFacts,
    start: dt.date,
    end: dt.date,
    *,
    running: bool = False,
) -> NeedDays:
    """The days of one need in start..end by the series that leaves fewest open.

    `running`: the window has not ended, and `end` is the day asked about.
    """
    first = max(start, need.used_from)
    last = min(end, need.used_until - DAY) if need.used_until else end
    if first > last:
        return _counted(need, [], [], [], [])
    of_provider = [
        v
        for v in aws.versions
        if v.provider == need.provider
        and may_speak_for(v, need)
        and proves_under(v, aws.regime)
        and not v.type1
        and v.citation == "accepted"
    ]
    proving = [
        v
        for v in of_provider
        if v.reliance in RELIED_ON
        and not unfit_for(v, need, aws)
        and not gap_in_scope(v, need, aws.regime)
    ]
    options = []
    for name in dict.fromkeys(v.series for v in proving) or {"": None}:
        series = [v for v in proving if v.series == name]
        current = None
        if running and series:
            refused = [v for v in of_provider if v.series == name and ends_currency(v)]
            current = series_current_to(series, refused, aws)
        awaiting = current is not None and end <= current
        options.append(_days(need, series, first, last, awaiting=awaiting))
    return min(options, key=lambda option: (option.open_days, option.awaited))


def _days(
    need: NeededService,
    versions: Sequence[ArtifactVersionFacts],
    first: dt.date,
    last: dt.date,
    *,
    awaiting: bool,
) -> NeedDays:
    """The days of first..last by one series; `awaiting`: it is still current."""
    reports = [v for v in versions if v.kind != "assessment"]
    audited = united(clip([spoken_days(v) for v in reports], first, last))
    words = [days for v in versions if (days := asserted_days(v))]
    asserted = subtract(united(clip(words, first, last)), audited)
    left = subtract(subtract([(first, last)], audited), asserted)
    awaited: list[Days] = []
    if awaiting:
        newest = max(map(covered_to, versions))
        awaited = clip(left, newest + DAY, last) if newest < last else []
    return _counted(need, audited, asserted, awaited, subtract(left, awaited))


def _counted(
    need: NeededService,
    audited: Sequence[Days],
    asserted: Sequence[Days],
    awaited: Sequence[Days],
    left: Sequence[Days],
) -> NeedDays:
    return NeedDays(
        slug=need.slug,
        scope=need.scope,
        audited=count(audited),
        asserted=count(asserted),
        open_days=count(left),
        audited_ranges=tuple(audited),
        asserted_ranges=tuple(asserted),
        open_ranges=tuple(left),
        awaited=count(awaited),
        awaited_ranges=tuple(awaited),
        provider=need.provider,
        provider_name=need.provider_name,
        sites=need.sites,
    )
