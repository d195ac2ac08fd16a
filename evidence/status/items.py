"""What an auditor will ask about in a window: items that a response answers. Pure.

Days are inclusive. Source: rules R15 and R36.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator, Mapping
from typing import Literal

from controls.grammar import count_of
from evidence.status.day_ranges import clip, count
from evidence.status.values import value
from evidence.status.window import Period

Kind = Literal[
    "late", "missed", "waived", "unasked", "open", "deviation", "sample", "uncovered"
]
# Days in a row that may become more with each day: their first one tells them apart.
GROWING = frozenset({"unasked", "open", "uncovered"})
OF_EVENTS = frozenset({"deviation", "sample"})


@value
class Extent:
    """How much of an item there is: what a response to it was written about.

    `late_days` are of a late period, `events` the places of sampled events in their
    population.
    """

    kind: Kind
    starts: dt.date
    ends: dt.date
    late_days: int
    events: tuple[int, ...]

    @property
    def counted(self) -> int:
        """How many days or events it is; a period is one."""
        if self.kind in GROWING:
            return (self.ends - self.starts).days + 1
        return len(self.events) if self.kind in OF_EVENTS else 1

    @property
    def words(self) -> str:
        """The same in words: `91 days`, `2 deviations`, `late by 5 days`."""
        if self.kind == "late":
            return f"late by {count_of(self.late_days, 'day')}"
        if self.kind in {"missed", "waived"}:
            return self.kind
        nouns = {"deviation": "deviation", "sample": "event"}
        return count_of(self.counted, nouns.get(self.kind, "day"))

    @property
    def key(self) -> str:
        """What tells it from how it was before or will be: 16 hexadecimal digits."""
        text = repr((self.kind, str(self.starts), str(self.ends), self.late_days))
        text += repr(self.events)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def shared(self, then: Extent) -> int:
        """How much of it was there `then` already, and as grave.

        What was missed is no graver once it is performed late; what was late has become
        graver when it is later, missed or waived.
        """
        if self.kind in GROWING:
            return count(clip([(self.starts, self.ends)], then.starts, then.ends))
        if self.kind in OF_EVENTS:
            return len(set(self.events) & set(then.events))
        if self.kind == "late":
            return int(then.kind == "missed" or self.late_days <= then.late_days)
        return int(self.kind == then.kind)


@value
class WindowItem:
    """One thing of one control that an auditor will ask about.

    `requirement` is the ask behind it, `subject` what else tells it apart (a provider's
    need, a population): empty where there is none. `late_days` and `events` are those
    of its extent.
    """

    kind: Kind
    requirement: str
    subject: str
    title: str
    starts: dt.date
    ends: dt.date
    late_days: int = 0
    events: tuple[int, ...] = ()

    @property
    def extent(self) -> Extent:
        """How much of it there is."""
        days = (self.starts, self.ends)
        return Extent(self.kind, *days, self.late_days, self.events)

    @property
    def key(self) -> str:
        """What it is known by among the items of its control: 16 hexadecimal digits.

        A missed period keeps its key once it is performed late, or waived, and open
        days keep theirs while they become more.
        """
        ends = "" if self.kind in GROWING else str(self.ends)
        named = (self.requirement, self.subject, str(self.starts), ends)
        family = "period" if self.kind in {"late", "missed", "waived"} else self.kind
        return hashlib.sha256("\n".join((family, *named)).encode()).hexdigest()[:16]


def items_of(period: Period, names: Mapping[str, str]) -> tuple[WindowItem, ...]:
    """The items of one control over a window, in the order in which they are asked:
    our half by ask and period, days without an ask, then the providers' open days.

    `names` say what to call services, by their slugs.
    """
    providers = _of_providers(period, names)
    return tuple(dict.fromkeys((*_of_periods(period), *_of_days(period), *providers)))


def _of_periods(period: Period) -> Iterator[WindowItem]:
    for result in period.occurrences.results:
        outcome = result.outcome
        if outcome == "waived" and result.former_outcome not in {"late", "missed"}:
            continue
        if outcome in ("late", "missed", "waived"):
            yield WindowItem(
                outcome,
                result.requirement,
                "",
                result.title,
                result.starts,
                result.ends,
                late_days=result.late_days if outcome == "late" else 0,
            )
        for events in result.populations:
            about = (result.requirement, events.uuid, result.title)
            days = (events.starts, events.ends)
            if events.deviations:
                yield WindowItem("deviation", *about, *days, events=events.deviating)
            if outcome == "missed" and events.sample is not None and events.open:
                yield WindowItem("sample", *about, *days, events=events.lacking)


def _of_days(period: Period) -> Iterator[WindowItem]:
    for title, (first, last) in period.occurrences.event_days.open_ranges:
        yield WindowItem("uncovered", "", title, title, first, last)
    for first, last in period.unasked:
        yield WindowItem("unasked", "", "", "Our half", first, last)


def _of_providers(period: Period, names: Mapping[str, str]) -> Iterator[WindowItem]:
    for need in period.aws_days.services:
        # the key rests on the slug, which no new name changes
        subject = f"{need.provider_name}: {', '.join((need.slug, *need.sites))}"
        shown = ", ".join((names.get(need.slug, need.slug), *need.sites))
        title = f"{need.provider_name}: {shown}"
        for first, last in need.open_ranges:
            yield WindowItem("open", "", subject, title, first, last)
