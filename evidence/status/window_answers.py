"""The links that may answer what was asked over a window, by as few as suffice."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from evidence.status import window_sql
from evidence.status.asked import BEYOND, Asked
from evidence.status.day_ranges import DAY, Days
from evidence.status.duty import AskedPeriod, asked_days, asked_periods, standing_days
from evidence.status.expected import counts_from
from evidence.status.facts import LinkFacts
from evidence.status.facts_from_rows import link_facts
from evidence.status.rows import Moment, as_bigints, as_dates, read_rows


@dataclass(frozen=True)
class AnswerDays:
    """Days of which one answer is looked for: the earliest, or the newest.

    With `occurrence` one submitted for that calendar period, whenever it was done.
    """

    requirement: int
    occurrence: dt.date | None
    begins: dt.date
    ends: dt.date
    newest: bool
    due_on: dt.date


def read_answers(
    known: Iterable[Asked], windows: Mapping[int, Days], moment: Moment
) -> dict[int, list[LinkFacts]]:
    """The accepted links that may answer something, by the key of a requirement.

    `windows` are the days of each control by its key. Of each period the earliest
    suffices; all are read where that was brought late.
    """
    parts = list(
        dict.fromkeys(
            part
            for asked_of_controls in known
            for part in _parts(asked_of_controls, windows)
        )
    )
    links_by_requirement: defaultdict[int, dict[str, LinkFacts]] = defaultdict(dict)
    met: list[tuple[AnswerDays, LinkFacts]] = []
    carried: dict[int, dt.date] = {}  # the last day that a year before proved
    for row in read_rows(window_sql.LINKS_OF_WINDOW, moment, **_arrays(parts)):
        part, link = parts[row["part"] - 1], link_facts(row)
        links_by_requirement[part.requirement][link.link] = link
        if part.newest and link.ends:
            carried[part.requirement] = link.ends
        else:
            met.append((part, link))
    late = [
        part
        for part, link in met
        if link.uploaded_on > (due := _due_on(part, carried))
        and counts_from(link, due) > link.performed_on
    ]
    if late:
        statement = window_sql.ALL_LINKS_OF_WINDOW
        for row in read_rows(statement, moment, **_arrays(late)):
            link = link_facts(row)
            links_by_requirement[row["requirement_id"]][link.link] = link
    return {key: list(links.values()) for key, links in links_by_requirement.items()}


def _due_on(part: AnswerDays, carried: Mapping[int, dt.date]) -> dt.date:
    if part.occurrence is None:
        return carried.get(part.requirement, part.due_on)
    return part.due_on


def _parts(
    asked_of_controls: Asked, windows: Mapping[int, Days]
) -> Iterator[AnswerDays]:
    """The days that ask for a performance each; per event nothing is performed."""
    for pk, asks in asked_of_controls.asks.items():
        standing = standing_days(
            asked_of_controls.required[pk], asked_of_controls.not_applicable[pk]
        )
        for key, history in asks:
            days = asked_days(history, standing)
            for period in asked_periods(history.terms, days, *windows[pk]):
                yield from _parts_of(key, period)


def _parts_of(key: int, period: AskedPeriod) -> Iterator[AnswerDays]:
    """The earliest answer, and for a year the newest of the two years before it."""
    cadence, due = period.terms.cadence, period.due_on
    if cadence == "per-event":
        return
    if cadence == "once":
        yield AnswerDays(key, None, dt.date.min, period.ends, newest=False, due_on=due)
        return
    first = period.begins if period.calendar else None
    yield AnswerDays(key, first, period.begins, period.ends, newest=False, due_on=due)
    if cadence == "yearly":
        before = period.begins - DAY
        yield AnswerDays(
            key, None, before - 2 * BEYOND, before, newest=True, due_on=due
        )


def _arrays(parts: Sequence[AnswerDays]) -> dict[str, str]:
    newest = ",".join("t" if part.newest else "f" for part in parts)
    return {
        "asked": as_bigints(part.requirement for part in parts),
        "occurrences": as_dates(part.occurrence for part in parts),
        "begins": as_dates(part.begins for part in parts),
        "ends": as_dates(part.ends for part in parts),
        "newest": f"{{{newest}}}",
    }
