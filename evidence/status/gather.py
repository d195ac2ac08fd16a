"""Facts of one or of many systems by the same few statements, however many controls."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from controls.models import System
from evidence.status import gather_sql, window_sql
from evidence.status.asked import BEYOND, read_asked
from evidence.status.aws_from_rows import AwsRows, AwsSide, Cited, aws_layers
from evidence.status.day_ranges import Days, clip
from evidence.status.duty import asked_days, event_days, standing_days
from evidence.status.facts import ControlFacts, PopulationFacts, TermsFacts
from evidence.status.facts_from_rows import Answers, control_facts, populations
from evidence.status.findings_from_rows import read_findings
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
    "implementations",
    "named_controls",
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


def named_controls(system: System, moment: Moment) -> list[Row]:
    """What names each control and whose it is (`ref_id`, `label`, `title`, `family`,
    `owner`, `regime_numbers`), in catalog order. One statement, a quarter of the price
    of `implementations`."""
    return read_rows(gather_sql.NAMED_CONTROLS, moment, system=system.pk)


def gather(
    system: System,
    pks: Iterable[int],
    moment: Moment,
    *,
    known: Iterable[Row] | None = None,
    aws: ReadOfAws | None = None,
) -> Gathered:
    """Facts about the implementations `pks`, for `status`. At most nine statements,
    and one more where something was brought late, four where something is asked per
    event.

    `known` are their rows, `aws` those of AWS's side, where the caller has read them
    already. Raises LookupError when the system was not recorded by the moment.
    """
    keys = {system.pk: list(pks)}
    ((_, gathered),) = gather_many([system], keys, moment, known=known, aws=aws)
    return gathered


def gather_many(
    systems: Sequence[System],
    pks: Mapping[int, Sequence[int]],
    moment: Moment,
    *,
    known: Iterable[Row] | None = None,
    aws: ReadOfAws | None = None,
) -> Iterator[tuple[System, Gathered]]:
    """Facts about implementations of several systems, by the statements for one.

    `pks` are those of each system by its key. Raises LookupError when one of the
    systems was not recorded by the moment.
    """
    every = {"implementations": as_bigints(pk for s in systems for pk in pks[s.pk])}
    about = about_systems(systems, moment)
    if known is None:
        known = read_rows(gather_sql.IMPLEMENTATIONS, moment, **every)
    rows = {row["id"]: row for row in known}
    bases = bases_of(moment, (row["basis_id"] for row in rows.values()))
    requirements = read_rows(gather_sql.REQUIREMENTS, moment, **every)
    by_control = grouped(requirements, "implementation_id")
    answers = _read_answers(requirements, moment, every)
    further = {
        row["implementation_id"]: row["links"]
        for row in read_rows(gather_sql.SUPPLEMENTARY, moment, **every)
    }
    seen_to_fail = read_findings(every, moment.on, moment)
    sides = aws_sides(about, bases, aws or read_of_aws(systems, moment, every))
    system_of = {pk: system.pk for system in systems for pk in pks[system.pk]}
    rows_of: defaultdict[int, dict[int, Row]] = defaultdict(dict)
    for pk, row in rows.items():  # in the catalog's order
        rows_of[system_of[pk]][pk] = row
    for system in systems:
        side, own = sides[system.pk], rows_of[system.pk]
        yield (
            system,
            Gathered(
                system=about[system.pk],
                rows=own,
                facts={
                    pk: control_facts(
                        row,
                        by_control[pk],
                        further.get(pk, 0),
                        side,
                        answers,
                        seen_to_fail[pk],
                    )
                    for pk, row in own.items()
                },
                bases=bases,
                artifacts={
                    pk: side.cited(row["control_id"]) for pk, row in own.items()
                },
            ),
        )


def about_systems(systems: Sequence[System], moment: Moment) -> dict[int, Row]:
    """What artifacts are judged against on the moment's day: the systems as known now,
    or as they were known then.

    Raises LookupError when one of them was not known then.
    """
    keys = as_bigints(system.pk for system in systems)
    about: dict[int, Row] = {system.pk: vars(system) for system in systems}
    if moment.known_at is not None:
        rows = read_rows(gather_sql.SYSTEMS, moment, systems=keys)
        if len(rows) < len(systems):
            raise LookupError("The system was not recorded at that time.")
        about = {row["id"]: row for row in rows}
    for terms in read_rows(gather_sql.SYSTEM_TERMS, moment, systems=keys):
        pk = terms["system_id"]
        about[pk] = {**about[pk], **terms}
    return about


def bases_of(moment: Moment, digests: Iterable[str | None]) -> dict[str, Any]:
    """Bodies of the bases by digest."""
    digests_in_use = list({digest for digest in digests if digest})
    rows = read_rows(gather_sql.BASES, moment, digests=digests_in_use)
    return {row["digest"]: _body(row["body"]) for row in rows}


@lru_cache(maxsize=4096)
def _body(text: str) -> Any:
    """A basis as data; it never changes, and most controls share some dozens."""
    return as_json(text)


@dataclass(frozen=True)
class ReadOfAws:
    """Rows of AWS's side by the key of a system: the same for every day asked about.

    `citations` are by control within each system.
    """

    components: Mapping[int, list[Row]]
    citations: Mapping[int, dict[int, Cited]]
    versions: Mapping[int, list[Row]]


def read_of_aws(
    systems: Sequence[System], moment: Moment, every: Mapping[str, Any]
) -> ReadOfAws:
    """What is read of AWS's side for implementations of some systems, as known at the
    moment. Three statements."""
    keys = as_bigints(system.pk for system in systems)
    components = grouped(
        read_rows(gather_sql.COMPONENTS, moment, systems=keys), "system_id"
    )
    citations: defaultdict[int, dict[int, Cited]] = defaultdict(dict)
    for row in read_rows(gather_sql.COVERAGE, moment, **every):
        pairs = zip(row["artifacts"], row["accepted"], strict=True)
        citations[row["system_id"]][row["control_id"]] = tuple(pairs)
    versions = grouped(
        read_rows(gather_sql.ARTIFACT_VERSIONS, moment, systems=keys), "system_id"
    )
    return ReadOfAws(components, citations, versions)


def aws_sides(
    about: Mapping[int, Row], bases: Mapping[str, Any], read: ReadOfAws
) -> dict[int, AwsSide]:
    """AWS's side of each system, by its key, judged against `about`."""
    layers = {digest: aws_layers(body) for digest, body in bases.items()}
    return {
        key: AwsSide(
            AwsRows(about[key], read.components[key], read.versions[key]),
            layers,
            read.citations[key],
        )
        for key in about
    }


def _read_answers(
    requirements: list[Row], moment: Moment, every: Mapping[str, Any]
) -> Answers:
    """What else is read of requirements: nothing, where nothing was brought late and
    nothing is asked per event; else one statement, or four.
    """
    late = [
        row["id"]
        for row in requirements
        if row["link_id"]
        and row["uploaded_on"] > moment.on
        and not row["day_confirmed"]
    ]
    others: defaultdict[int, list[Row]] = defaultdict(list)
    if late:
        keys = as_bigints(late)
        rows = read_rows(window_sql.ACCEPTED_LINKS, moment, requirements=keys)
        others = grouped(rows, "requirement_id")
    per_event = {
        row["id"]: row for row in requirements if row["cadence"] == "per-event"
    }
    events: defaultdict[int, list[PopulationFacts]] = defaultdict(list)
    if per_event:
        days = {"begins": dt.date.min, "until": moment.on}
        rows = read_rows(gather_sql.POPULATIONS, moment, **days, **every)
        rows = [row for row in rows if row["requirement_id"] in per_event]
        events = populations(rows)
    days_asked: dict[int, list[Days]] = {}
    terms: dict[int, tuple[TermsFacts, ...]] = {}
    if events:
        days_asked, terms = _asked_per_event(per_event, events, moment)
    return Answers(others, events, days_asked, terms)


def _asked_per_event(
    per_event: Mapping[int, Row],
    events: Mapping[int, list[PopulationFacts]],
    moment: Moment,
) -> tuple[dict[int, list[Days]], dict[int, tuple[TermsFacts, ...]]]:
    """Days of which populations must speak, to the day itself, and the terms of which
    days asked for them, both by requirement. Three statements.

    From a year before the first population of an ask on: no earlier period can be
    performed. Days without any decision on whose half it is are ours.
    """
    first = min(
        population.starts for of_ask in events.values() for population in of_ask
    )
    controls = {row["implementation_id"] for row in per_event.values()}
    asked_of_controls = read_asked(
        sorted(controls), first - BEYOND, max(first, moment.on) + BEYOND, moment
    )
    days, terms = {}, {}
    for pk in controls:
        standing = standing_days(
            asked_of_controls.required[pk], asked_of_controls.not_applicable[pk]
        )
        for key, history in asked_of_controls.asks[pk]:
            if key in events:
                began = min(population.starts for population in events[key]) - BEYOND
                asked_per_event = event_days(
                    history.terms, asked_days(history, standing)
                )
                days[key] = clip(asked_per_event, began, moment.on)
                terms[key] = history.terms
    return days, terms
