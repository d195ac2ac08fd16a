"""Facts of the controls of one system over a window, by the same few statements."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from controls.models import System
from evidence.status import gather_sql, window_sql
from evidence.status.asked import BEYOND, Asked, read_asked
from evidence.status.aws_from_rows import AwsSide
from evidence.status.day_ranges import DAY, clip
from evidence.status.duty import (
    AskedPeriod,
    asked_days,
    asked_periods,
    standing_days,
)
from evidence.status.expected import counts_from
from evidence.status.facts import (
    ControlFacts,
    FormerFacts,
    LinkFacts,
    PeriodFacts,
    PopulationFacts,
    RequirementHistory,
    StatedDays,
)
from evidence.status.facts_from_rows import (
    days_of,
    link_facts,
    parties_of,
    populations,
    stated_days,
)
from evidence.status.gather import about_systems, aws_sides, bases_of, gather
from evidence.status.rows import Moment, Row, as_bigints, read_rows

QUARTER = dt.timedelta(days=92)  # a population's period, at most


def gather_period(
    system: System,
    pks: Iterable[int],
    start: dt.date,
    end: dt.date,
    moment: Moment,
) -> dict[int, PeriodFacts]:
    """Facts about implementations over the days start..end, for `period`.

    A constant number of statements; those of `gather` once more where the window has
    ended, three for each approved change in retrospect of its days, and one where
    something was brought late or is asked per event. Raises LookupError when the
    system was not recorded by the moment.
    """
    pks = list(pks)
    every = {"implementations": as_bigints(pks)}
    keys = {"systems": as_bigints([system.pk])}
    days = {"start": start, "end": end}
    about = about_systems([system], moment)
    rows = {
        row["id"]: row for row in read_rows(gather_sql.IMPLEMENTATIONS, moment, **every)
    }
    asked_of_controls = read_asked(rows, start, end, moment)
    former = _former(rows, start, end, moment, keys)
    held = {
        pk: [
            d
            for d in asked_of_controls.decisions[pk]
            if clip([days_of(d["starts"], d["until"])], start, end)
        ]
        for pk in rows
    }
    digests = {pk: frozenset(d["basis_id"] for d in held[pk]) for pk in rows}
    bases = bases_of(
        moment, (digest for of_control in digests.values() for digest in of_control)
    )
    answers = _answers(
        [asked_of_controls, *(known for _, known in former)], start, end, moment
    )
    events = _events(asked_of_controls, start, end, moment, every)
    stated = _stated(start, end, moment, every)
    engagements = read_rows(window_sql.TYPE_TWO_DAYS, moment, **keys, **days)
    type2 = tuple((row["window_start"], row["window_end"]) for row in engagements)
    aws = aws_sides([system], moment, about, bases, every)[system.pk]
    at_end: Mapping[int, ControlFacts] = {}
    if moment.on > end:
        at_end = gather(system, pks, Moment(end, moment.known_at)).facts
    return {
        pk: PeriodFacts(
            control_id=row["ref_id"],
            responsibility=row["responsibility"] or "unclassified",
            aws_required=_aws_required(held[pk]),
            required=tuple(asked_of_controls.required[pk]),
            not_applicable=tuple(asked_of_controls.not_applicable[pk]),
            requirements=_answered(asked_of_controls.asks[pk], answers, events),
            stated=tuple(stated[pk]),
            alternative_approved=row["alternative_approved"],
            type2=type2,
            former=tuple(
                _former_facts(change, known, pk, answers, events)
                for change, known in former
                if not known.same_for(pk, asked_of_controls)
            ),
            at_end=at_end.get(pk),
            aws=_aws_facts(aws, row, held[pk], digests[pk]),
        )
        for pk, row in rows.items()
    }


def _aws_required(held: Iterable[Row]) -> bool:
    return any("aws" in parties_of(decision) for decision in held)


def _aws_facts(
    aws: AwsSide, row: Row, held: Sequence[Row], digests: frozenset[str]
) -> Any:
    return aws.facts(row["control_id"], digests) if _aws_required(held) else None


def _answered(
    asks: Iterable[tuple[int, RequirementHistory]],
    answers: Mapping[int, list[LinkFacts]],
    events: Mapping[int, list[PopulationFacts]],
) -> tuple[RequirementHistory, ...]:
    """The asks of one control with the answers to them."""
    return tuple(
        RequirementHistory(
            uuid=history.uuid,
            terms=history.terms,
            named=history.named,
            links=tuple(answers.get(key, ())),
            populations=tuple(events.get(key, ())),
        )
        for key, history in asks
    )


def _former(
    rows: Iterable[int],
    start: dt.date,
    end: dt.date,
    moment: Moment,
    keys: Mapping[str, Any],
) -> list[tuple[Row, Asked]]:
    """What was asked as known just before each change in retrospect, oldest first."""
    changes = read_rows(
        window_sql.CHANGES_OF_WINDOW, moment, **keys, start=start, end=end
    )
    return [
        (change, read_asked(rows, start, end, Moment(moment.on, change["known_from"])))
        for change in changes
    ]


def _former_facts(
    change: Row,
    known: Asked,
    pk: int,
    answers: Mapping[int, list[LinkFacts]],
    events: Mapping[int, list[PopulationFacts]],
) -> FormerFacts:
    return FormerFacts(
        change=change["uuid"],
        requested_on=change["requested_on"],
        approved_on=change["approved_on"],
        first_day=change["first_day"],
        required=tuple(known.required[pk]),
        not_applicable=tuple(known.not_applicable[pk]),
        requirements=_answered(known.asks[pk], answers, events),
    )


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


def _answers(
    known: Iterable[Asked], start: dt.date, end: dt.date, moment: Moment
) -> dict[int, list[LinkFacts]]:
    """The accepted links that may answer something, by the key of a requirement.

    Of each period the earliest suffices; all are read where that was brought late.
    """
    parts = list(
        dict.fromkeys(
            part
            for asked_of_controls in known
            for part in _parts(asked_of_controls, start, end)
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
    asked_of_controls: Asked, start: dt.date, end: dt.date
) -> Iterator[AnswerDays]:
    """The days that ask for a performance each; per event nothing is performed."""
    for pk, asks in asked_of_controls.asks.items():
        standing = standing_days(
            asked_of_controls.required[pk], asked_of_controls.not_applicable[pk]
        )
        for key, history in asks:
            days = asked_days(history, standing)
            for period in asked_periods(history.terms, days, start, end):
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


def _arrays(parts: Sequence[AnswerDays]) -> dict[str, list[Any]]:
    return {
        "asked": [part.requirement for part in parts],
        "occurrences": [part.occurrence for part in parts],
        "begins": [part.begins for part in parts],
        "ends": [part.ends for part in parts],
        "newest": [part.newest for part in parts],
    }


def _events(
    asked_of_controls: Asked,
    start: dt.date,
    end: dt.date,
    moment: Moment,
    every: Mapping[str, Any],
) -> Mapping[int, list[PopulationFacts]]:
    """Populations by requirement, oldest first; read where there may be any.

    Those of the quarter that the window cuts at its start count, too.
    """
    per_event = any(
        terms.cadence == "per-event"
        for asks in asked_of_controls.asks.values()
        for _, history in asks
        for terms in history.terms
    )
    if not per_event:
        return {}
    days = {"begins": start - QUARTER, "until": end}
    return populations(read_rows(gather_sql.POPULATIONS, moment, **days, **every))


def _stated(
    start: dt.date, end: dt.date, moment: Moment, every: Mapping[str, Any]
) -> defaultdict[int, list[StatedDays]]:
    """Implementation statuses of each control on days of the window, in order."""
    stated: defaultdict[int, list[StatedDays]] = defaultdict(list)
    statement = window_sql.STATUSES_OF_WINDOW
    for row in read_rows(statement, moment, **every, start=start, end=end):
        stated[row["implementation_id"]].append(stated_days(row))
    return stated
