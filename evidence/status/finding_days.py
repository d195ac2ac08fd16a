"""From when to when a finding counts, and by when it is due. Pure.

Days are inclusive. Source: rules R28 and R36.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping

from evidence.status.day_ranges import Days
from evidence.status.facts import FindingFacts

# Days from the day on which it was found to the last one on which mending it is in
# time: FedRAMP's, taken for every regime.
FINDING_DAYS: Mapping[str, int] = {"high": 30, "moderate": 90, "low": 180}
ONE_DAY = dt.timedelta(days=1)


def due_day(severity: str, found_on: dt.date) -> dt.date:
    """The last day on which it is not overdue. Raises KeyError for no severity."""
    return found_on + dt.timedelta(days=FINDING_DAYS[severity])


def is_open(finding: FindingFacts, day: dt.date) -> bool:
    """From the day it was found on until the day on which its closing was accepted:
    that day itself counts as closed."""
    closed = finding.closed_on is not None and finding.closed_on <= day
    return finding.found_on <= day and not closed


def is_overdue(finding: FindingFacts, day: dt.date) -> bool:
    """Open after its due day; an operational requirement has no due day."""
    due = finding.due_on
    return is_open(finding, day) and due is not None and day > due


def age(finding: FindingFacts, day: dt.date) -> int:
    """Days for which it has been open on a day, or was when it was closed."""
    last = min(day, finding.closed_on or day)
    return max(0, (last - finding.found_on).days)


def open_days(finding: FindingFacts, first: dt.date, last: dt.date) -> list[Days]:
    """The days of first..last on which it was open: one range, or none."""
    closed = finding.closed_on
    start = max(first, finding.found_on)
    end = last if closed is None else min(last, closed - ONE_DAY)
    return [(start, end)] if start <= end else []


def open_on(findings: Iterable[FindingFacts], day: dt.date) -> list[FindingFacts]:
    """Those that are open on a day."""
    return [finding for finding in findings if is_open(finding, day)]
