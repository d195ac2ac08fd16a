"""Facts of one or of many systems by the same few statements, however many controls."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from controls.models import System
from evidence.status import days_sql, gather_sql
from evidence.status.aws_from_rows import AwsRows, AwsSide, aws_layers
from evidence.status.expected import performance_periods
from evidence.status.facts import (
    AskFacts,
    ControlFacts,
    PeriodFacts,
    PopulationFacts,
    RequirementHistory,
)
from evidence.status.facts_from_rows import (
    control_facts,
    link_facts,
    period_facts,
    populations,
    requirement_terms,
)
from evidence.status.rows import (
    Moment,
    Row,
    as_bigints,
    as_json,
    grouped,
    read_rows,
)

__all__ = [
    "Gathered",
    "Moment",
    "gather",
    "gather_many",
    "gather_period",
    "implementations",
]


@dataclass
class Gathered:
    """Facts of the controls of one system, and the rows they were made from."""

    system: Row
    rows: dict[int, Row]
    facts: dict[int, ControlFacts]
    bases: dict[str, Any]
    artifacts: dict[int, tuple[int, ...]]


def implementations(system: System, moment: Moment) -> list[Row]:
    """The rows of all controls without their proof, in catalog order. One statement."""
    statement = gather_sql.IMPLEMENTATIONS_OF_SYSTEM
    return read_rows(statement, moment, system=system.pk)


def gather(
    system: System,
    pks: Iterable[int],
    moment: Moment,
    *,
    known: Iterable[Row] | None = None,
) -> Gathered:
    """Facts about the implementations `pks`, for `status`. At most eight statements,
    and one more where something is asked per event.

    `known` are their rows where the caller has read them already. Raises LookupError
    when the system was not recorded by the moment.
    """
    keys = {system.pk: list(pks)}
    ((_, gathered),) = gather_many([system], keys, moment, known=known)
    return gathered


def gather_many(
    systems: Sequence[System],
    pks: Mapping[int, Sequence[int]],
    moment: Moment,
    *,
    known: Iterable[Row] | None = None,
) -> Iterator[tuple[System, Gathered]]:
    """Facts about implementations of several systems, by the statements for one.

    `pks` are those of each system by its key. Raises LookupError when one of the
    systems was not recorded by the moment.
    """
    every = {"implementations": as_bigints(pk for s in systems for pk in pks[s.pk])}
    about = _about(systems, moment)
    if known is None:
        known = read_rows(gather_sql.IMPLEMENTATIONS, moment, **every)
    rows = {row["id"]: row for row in known}
    bases = _bases(moment, (row["basis_id"] for row in rows.values()))
    requirements = read_rows(gather_sql.REQUIREMENTS, moment, **every)
    by_control = grouped(requirements, "implementation_id")
    events = _events(requirements, moment, dt.date.min, moment.on, every)
    further = {
        row["implementation_id"]: row["links"]
        for row in read_rows(gather_sql.SUPPLEMENTARY, moment, **every)
    }
    sides = _aws_sides(systems, moment, about, bases, every)
    system_of = {pk: system.pk for system in systems for pk in pks[system.pk]}
    rows_of: defaultdict[int, dict[int, Row]] = defaultdict(dict)
    for pk, row in rows.items():  # in the catalog's order
        rows_of[system_of[pk]][pk] = row
    for system in systems:
        aws, own = sides[system.pk], rows_of[system.pk]
        yield (
            system,
            Gathered(
                system=about[system.pk],
                rows=own,
                facts={
                    pk: control_facts(
                        row, by_control[pk], further.get(pk, 0), aws, events
                    )
                    for pk, row in own.items()
                },
                bases=bases,
                artifacts={pk: aws.cited(row["control_id"]) for pk, row in own.items()},
            ),
        )


def gather_period(
    system: System,
    pks: Iterable[int],
    start: dt.date,
    end: dt.date,
    moment: Moment,
) -> dict[int, PeriodFacts]:
    """Facts about the same controls over the days start..end, for `period`."""
    every = {"implementations": as_bigints(pks)}
    days = {"start": start, "end": end}
    about = _about([system], moment)
    rows = {
        row["id"]: row for row in read_rows(gather_sql.IMPLEMENTATIONS, moment, **every)
    }
    decisions = read_rows(days_sql.DECISIONS_OF_WINDOW, moment, **every, **days)
    held = grouped(decisions, "implementation_id")
    bases = _bases(moment, (row["basis_id"] for row in (*rows.values(), *decisions)))
    requirements = read_rows(gather_sql.REQUIREMENTS_OF_WINDOW, moment, **every, **days)
    by_control = grouped(requirements, "implementation_id")
    terms = {row["id"]: requirement_terms(row) for row in requirements}
    parts = _parts(terms, start, end)
    links = grouped(
        read_rows(gather_sql.LINKS_OF_WINDOW, moment, **parts), "requirement_id"
    )
    events = _events(requirements, moment, start, end, every)
    aws = _aws_sides([system], moment, about, bases, every)[system.pk]
    return {
        pk: period_facts(
            row,
            held[pk],
            [
                RequirementHistory(
                    requirement=terms[requirement["id"]],
                    links=tuple(map(link_facts, links[requirement["id"]])),
                    populations=tuple(events.get(requirement["id"], ())),
                )
                for requirement in by_control[pk]
            ],
            aws,
        )
        for pk, row in rows.items()
    }


def _about(systems: Sequence[System], moment: Moment) -> dict[int, Row]:
    """What artifacts are judged against: the systems now, or as they were known then.

    Raises LookupError when one of them was not known then.
    """
    if moment.known_at is None:
        return {system.pk: vars(system) for system in systems}
    keys = as_bigints(system.pk for system in systems)
    rows = read_rows(gather_sql.SYSTEMS, moment, systems=keys)
    if len(rows) < len(systems):
        raise LookupError("The system was not recorded at that time.")
    return {row["id"]: row for row in rows}


def _bases(moment: Moment, digests: Iterable[str | None]) -> dict[str, Any]:
    """Bodies of the bases by digest."""
    digests_in_use = list({digest for digest in digests if digest})
    rows = read_rows(gather_sql.BASES, moment, digests=digests_in_use)
    return {row["digest"]: as_json(row["body"]) for row in rows}


def _aws_sides(
    systems: Sequence[System],
    moment: Moment,
    about: Mapping[int, Row],
    bases: Mapping[str, Any],
    every: Mapping[str, Any],
) -> dict[int, AwsSide]:
    """AWS's side of each system, by its key. Three statements."""
    keys = as_bigints(system.pk for system in systems)
    components = grouped(
        read_rows(gather_sql.COMPONENTS, moment, systems=keys), "system_id"
    )
    citations = {
        row["control_id"]: tuple(row["artifacts"])
        for row in read_rows(gather_sql.COVERAGE, moment, **every)
    }
    versions = grouped(
        read_rows(gather_sql.ARTIFACT_VERSIONS, moment, systems=keys), "system_id"
    )
    layers = {digest: aws_layers(body) for digest, body in bases.items()}
    return {
        key: AwsSide(
            AwsRows(about[key], components[key], versions[key]), layers, citations
        )
        for key in about
    }


def _events(
    requirements: list[Row],
    moment: Moment,
    begins: dt.date,
    until: dt.date,
    every: Mapping[str, Any],
) -> Mapping[int, list[PopulationFacts]]:
    """Populations by requirement, oldest first; read where there may be any."""
    if not any(row["cadence"] == "per-event" for row in requirements):
        return {}
    rows = read_rows(
        gather_sql.POPULATIONS, moment, begins=begins, until=until, **every
    )
    return populations(requirements, rows)


def _parts(
    terms_of: Mapping[int, AskFacts], start: dt.date, end: dt.date
) -> dict[str, list[Any]]:
    """The periods that ask for one performance each, as four arrays."""
    parts = [
        (pk, part)
        for pk, terms in terms_of.items()
        for part in performance_periods(terms, start, end)
    ]
    return {
        "asked": [pk for pk, _ in parts],
        "occurrences": [part.occurrence for _, part in parts],
        "begins": [part.begins for _, part in parts],
        "ends": [part.ends for _, part in parts],
    }
