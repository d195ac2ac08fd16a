"""What an auditor will ask about in a window: items that a response answers. Pure.

Days are inclusive. Source: rules R15 and R36.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator, Mapping
from typing import Literal

from evidence.status.values import value
from evidence.status.window import Period

Kind = Literal[
    "late", "missed", "waived", "unasked", "open", "deviation", "sample", "uncovered"
]
# Days in a row that may become more with each day: their first one tells them apart.
GROWING = frozenset({"unasked", "open", "uncovered"})


@value
class WindowItem:
    """One thing of one control that an auditor will ask about.

    `requirement` is the ask behind it, `subject` what else tells it apart (a provider's
    need, a population): empty where there is none.
    """

    kind: Kind
    requirement: str
    subject: str
    title: str
    starts: dt.date
    ends: dt.date

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
            )
        for events in result.populations:
            about = (result.requirement, events.uuid, result.title)
            if events.deviations:
                yield WindowItem("deviation", *about, events.starts, events.ends)
            if outcome == "missed" and events.sample is not None and events.open:
                yield WindowItem("sample", *about, events.starts, events.ends)


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
