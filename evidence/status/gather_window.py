"""Facts of the controls of one system over a window, by the same few statements."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from controls.models import System
from evidence.status import gather_sql, window_sql
from evidence.status.asked import Asked, read_asked
from evidence.status.aws_from_rows import AwsSide
from evidence.status.day_ranges import clip
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
    parties_of,
    populations,
    stated_days,
)
from evidence.status.gather import about_systems, aws_sides, bases_of, gather
from evidence.status.rows import Moment, Row, as_bigints, read_rows
from evidence.status.window_answers import read_answers

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
    answers = read_answers(
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
