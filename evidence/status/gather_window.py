"""Facts of controls over a window, of one or many systems, by the same statements."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from controls.models import System
from evidence.status import gather_sql, window_sql
from evidence.status.asked import Asked, read_asked, read_asked_at
from evidence.status.aws_from_rows import AwsSide
from evidence.status.day_ranges import Days, clip
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
from evidence.status.findings_from_rows import read_findings
from evidence.status.gather import (
    ReadOfAws,
    about_systems,
    aws_sides,
    bases_of,
    gather_many,
    read_of_aws,
)
from evidence.status.rows import Moment, Row, as_bigints, grouped, read_rows
from evidence.status.window_answers import read_answers

HALF_YEAR = dt.timedelta(days=184)  # a population's period, at most


def gather_period(
    system: System,
    pks: Iterable[int],
    start: dt.date,
    end: dt.date,
    moment: Moment,
    *,
    known: Iterable[Row] | None = None,
    aws: ReadOfAws | None = None,
) -> dict[int, PeriodFacts]:
    """Facts about implementations over the days start..end, for `period`.

    A constant number of statements; those of `gather` for its last day where the
    window has ended (without AWS's side, which is read once), three for each approved
    change in retrospect of its days, and one where something was brought late or is
    asked per event. `known` and `aws` are rows as `gather` takes them. Raises
    LookupError when the system was not recorded by the moment.
    """
    keys, window = {system.pk: list(pks)}, {system.pk: (start, end)}
    return gather_periods([system], keys, window, moment, known=known, aws=aws)


def gather_periods(
    systems: Sequence[System],
    pks: Mapping[int, Sequence[int]],
    windows: Mapping[int, Days],
    moment: Moment,
    *,
    known: Iterable[Row] | None = None,
    aws: ReadOfAws | None = None,
) -> dict[int, PeriodFacts]:
    """The same for several systems, each over a window of its own, by the statements
    for one; those of `gather` once for each day on which windows ended.

    `pks` and `windows` are those of each system by its key.
    """
    every = {"implementations": as_bigints(pk for s in systems for pk in pks[s.pk])}
    keys = {"systems": as_bigints(system.pk for system in systems)}
    start = min(windows[system.pk][0] for system in systems)
    end = max(windows[system.pk][1] for system in systems)
    days = {"start": start, "end": end}
    about = about_systems(systems, moment)
    if known is None:
        known = read_rows(gather_sql.IMPLEMENTATIONS, moment, **every)
    rows = {row["id"]: row for row in known}
    system_of = {pk: system.pk for system in systems for pk in pks[system.pk]}
    window_of = {pk: windows[system_of[pk]] for pk in rows}
    asked_of_controls = read_asked(rows, start, end, moment)
    former = _former(windows, {pk: system_of[pk] for pk in rows}, moment, keys)
    if len(set(windows.values())) > 1:
        asked_of_controls = asked_of_controls.near(window_of)
        former = [(change, before.near(window_of)) for change, before in former]
    held = {
        pk: [
            d
            for d in asked_of_controls.decisions[pk]
            if clip([days_of(d["starts"], d["until"])], *window_of[pk])
        ]
        for pk in rows
    }
    digests = {pk: frozenset(d["basis_id"] for d in held[pk]) for pk in rows}
    bases = bases_of(
        moment, (digest for of_control in digests.values() for digest in of_control)
    )
    answers = read_answers(
        [asked_of_controls, *(before for _, before in former)], window_of, moment
    )
    events = _events(asked_of_controls, start, end, moment, every)
    stated = _stated(start, end, moment, every)
    seen_to_fail = read_findings(every, end, moment)
    engagements = grouped(
        read_rows(window_sql.TYPE_TWO_DAYS, moment, **keys, **days), "system_id"
    )
    aws = aws or read_of_aws(systems, moment, every)
    sides = aws_sides(about, bases, aws)
    at_end = _on_last_days(systems, pks, windows, moment, aws)
    return {
        pk: PeriodFacts(
            control_id=row["ref_id"],
            responsibility=row["responsibility"] or "unclassified",
            aws_required=_aws_required(held[pk]),
            required=tuple(asked_of_controls.required[pk]),
            not_applicable=tuple(asked_of_controls.not_applicable[pk]),
            requirements=_answered(
                asked_of_controls.asks[pk], answers, events, window_of[pk]
            ),
            stated=tuple(stated[pk]),
            alternative_approved=row["alternative_approved"],
            type2=tuple(
                (of_system["window_start"], of_system["window_end"])
                for of_system in engagements[system_of[pk]]
            ),
            findings=seen_to_fail[pk].findings,
            contradicted=seen_to_fail[pk].contradicted,
            former=tuple(
                _former_facts(change, before, pk, answers, events, window_of[pk])
                for change, before in former
                if pk in before.required and not before.same_for(pk, asked_of_controls)
            ),
            at_end=at_end.get(pk),
            aws=_aws_facts(sides[system_of[pk]], row, held[pk], digests[pk]),
        )
        for pk, row in rows.items()
    }


def _on_last_days(
    systems: Sequence[System],
    pks: Mapping[int, Sequence[int]],
    windows: Mapping[int, Days],
    moment: Moment,
    aws: ReadOfAws,
) -> Mapping[int, ControlFacts]:
    """The facts of the last day of each window that has ended."""
    at_end: dict[int, ControlFacts] = {}
    for end in {windows[s.pk][1] for s in systems if windows[s.pk][1] < moment.on}:
        ended = [system for system in systems if windows[system.pk][1] == end]
        last = Moment(end, moment.known_at)
        for _, gathered in gather_many(ended, pks, last, aws=aws):
            at_end |= gathered.facts
    return at_end


def _aws_required(held: Iterable[Row]) -> bool:
    return any("aws" in parties_of(decision) for decision in held)


def _aws_facts(
    aws: AwsSide, row: Row, held: Sequence[Row], digests: frozenset[str]
) -> Any:
    if not _aws_required(held):
        return None
    named = frozenset(
        (d["needed_from"], d["starts"] or dt.date.min, d["until"] or dt.date.max)
        for d in held
        if d["needed_from"]
    )
    return aws.facts(row["control_id"], digests, row["ref_id"], named)


def _answered(
    asks: Iterable[tuple[int, RequirementHistory]],
    answers: Mapping[int, list[LinkFacts]],
    events: Mapping[int, list[PopulationFacts]],
    window: Days,
) -> tuple[RequirementHistory, ...]:
    """The asks of one control with the answers to them, and of populations those of
    the window and of the period that it cuts at its start."""
    first, last = window[0] - HALF_YEAR, window[1]
    return tuple(
        RequirementHistory(
            uuid=history.uuid,
            terms=history.terms,
            named=history.named,
            links=tuple(answers.get(key, ())),
            populations=tuple(
                population
                for population in events.get(key, ())
                if population.starts <= last and population.ends >= first
            ),
        )
        for key, history in asks
    )


def _former(
    windows: Mapping[int, Days],
    system_of: Mapping[int, int],
    moment: Moment,
    keys: Mapping[str, Any],
) -> list[tuple[Row, Asked]]:
    """What was asked of the controls of its system as known just before each change
    in retrospect of its window, oldest first. Four statements for a system."""
    days = {
        "start": min(start for start, _ in windows.values()),
        "end": max(end for _, end in windows.values()),
    }
    by_system: dict[int, list[Row]] = {}
    for change in read_rows(window_sql.CHANGES_OF_WINDOW, moment, **keys, **days):
        start, end = windows[change["system_id"]]
        if change["first_day"] <= end and change["requested_on"] > start:
            by_system.setdefault(change["system_id"], []).append(change)
    known: list[tuple[Row, Asked]] = []
    for system, changes in by_system.items():
        controls = [pk for pk, key in system_of.items() if key == system]
        instants = [change["known_from"] for change in changes]
        asked_before = read_asked_at(
            controls, days["start"], days["end"], moment.on, instants
        )
        known += zip(changes, asked_before, strict=True)
    return known


def _former_facts(
    change: Row,
    known: Asked,
    pk: int,
    answers: Mapping[int, list[LinkFacts]],
    events: Mapping[int, list[PopulationFacts]],
    window: Days,
) -> FormerFacts:
    return FormerFacts(
        change=change["uuid"],
        requested_on=change["requested_on"],
        approved_on=change["approved_on"],
        first_day=change["first_day"],
        required=tuple(known.required[pk]),
        not_applicable=tuple(known.not_applicable[pk]),
        requirements=_answered(known.asks[pk], answers, events, window),
    )


def _events(
    asked_of_controls: Asked,
    start: dt.date,
    end: dt.date,
    moment: Moment,
    every: Mapping[str, Any],
) -> Mapping[int, list[PopulationFacts]]:
    """Populations by requirement, oldest first; read where there may be any.

    Those of the period that the window cuts at its start count, too; none that begins
    after the day asked about, as with performances.
    """
    per_event = any(
        terms.cadence == "per-event"
        for asks in asked_of_controls.asks.values()
        for _, history in asks
        for terms in history.terms
    )
    if not per_event:
        return {}
    days = {"begins": start - HALF_YEAR, "until": min(end, moment.on)}
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
