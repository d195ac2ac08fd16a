"""Verdicts of many systems in a constant number of statements, for lists of systems."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from controls.models import ControlImplementation, System
from evidence.charts import CLASSES, VERDICTS, Segment, bar
from evidence.status import gather, gather_sql
from evidence.status.day import status
from evidence.status.gather import Moment


@dataclass(frozen=True)
class Tally:
    """One system of the list with its controls counted."""

    system: System
    classes: Counter[str]
    verdicts: Counter[str]

    @property
    def total(self) -> int:
        """Controls of its baseline."""
        return sum(self.classes.values())

    @property
    def burden(self) -> list[Segment]:
        """The controls by class, as parts of a bar."""
        return bar([Segment(c, t, self.classes[c], note) for c, t, note in CLASSES])

    @property
    def proof(self) -> list[Segment]:
        """The controls by verdict, as parts of a bar."""
        return bar([Segment(c, t, self.verdicts[c], note) for c, t, note in VERDICTS])


def tallies(systems: Sequence[System], now: dt.datetime) -> list[Tally]:
    """Counts by class and verdict of each system on its own day of today."""
    classes: defaultdict[int, Counter[str]] = defaultdict(Counter)
    pks: defaultdict[int, list[int]] = defaultdict(list)
    rows = ControlImplementation.objects.filter(system__in=systems)
    for system, pk, responsibility in rows.values_list(
        "system_id", "pk", "responsibility"
    ):
        pks[system].append(pk)
        classes[system][responsibility] += 1
    verdicts = _verdicts(systems, pks, now)
    return [Tally(s, classes[s.pk], verdicts[s.pk]) for s in systems]


MANY = {
    gather_sql.COMPONENTS: gather_sql.COMPONENTS.replace(
        "SELECT ", "SELECT c.system_id AS of_system, ", 1
    ).replace("c.system_id = %(system)s", "c.system_id = ANY(%(systems)s)"),
    gather_sql.ARTIFACT_VERSIONS: gather_sql.ARTIFACT_VERSIONS.replace(
        "SELECT ", "SELECT asked.system AS of_system, ", 1
    )
    .replace(
        "FROM {artifact_version} v",
        "FROM {artifact_version} v"
        " CROSS JOIN unnest(%(systems)s::bigint[]) AS asked(system)",
    )
    .replace("system_id = %(system)s", "system_id = asked.system"),
}
FOR_ALL = (gather_sql.COVERAGE,)
BY_CONTROL = {
    gather_sql.IMPLEMENTATIONS: "id",
    gather_sql.REQUIREMENTS: "implementation_id",
    gather_sql.SUPPLEMENTARY: "implementation_id",
}
Fetched = dict[str, list[gather.Row]]


def _verdicts(
    systems: Sequence[System], pks: dict[int, list[int]], now: dt.datetime
) -> dict[int, Counter[str]]:
    """Verdicts by system; statements are run once per calendar day there is."""
    by_day: defaultdict[dt.date, list[System]] = defaultdict(list)
    for system in systems:
        by_day[system.day_of(now)].append(system)
    found: defaultdict[int, Counter[str]] = defaultdict(Counter)
    by_pk = {system.pk: system for system in systems}
    for day, same_day in by_day.items():
        for pk, rows in _fetched(same_day, pks, Moment(day)).items():
            found[pk] = _judged(by_pk[pk], rows, day)
    return found


def _fetched(
    systems: Sequence[System], pks: dict[int, list[int]], moment: Moment
) -> dict[int, Fetched]:
    """The rows of each system, out of seven statements for all (eight per event)."""
    everything = [pk for system in systems for pk in pks[system.pk]]
    numbers = [system.pk for system in systems]
    reader = gather._Reader(systems[0], everything, moment)
    owner = {pk: system.pk for system in systems for pk in pks[system.pk]}
    found: dict[int, Fetched] = {n: defaultdict(list) for n in numbers}
    for statement, spelled in MANY.items():
        for row in reader.all(spelled, systems=numbers):
            found[row["of_system"]][statement].append(row)
    for statement, key in BY_CONTROL.items():
        for row in reader.all(statement):
            found[owner[row[key]]][statement].append(row)
    for row in _populations(reader, found, moment.on):
        found[owner[row["implementation_id"]]][gather_sql.POPULATIONS].append(row)
    shared = {statement: reader.all(statement) for statement in FOR_ALL}
    digests = {
        row["basis_id"] for f in found.values() for row in f[gather_sql.IMPLEMENTATIONS]
    }
    wanted = [digest for digest in digests if digest]
    shared[gather_sql.BASES] = reader.all(gather_sql.BASES, digests=wanted)
    return {number: rows | shared for number, rows in found.items()}


def _populations(
    reader: gather._Reader, found: dict[int, Fetched], day: dt.date
) -> list[gather.Row]:
    """Populations of all systems, where something is asked per event."""
    asked = (rows[gather_sql.REQUIREMENTS] for rows in found.values())
    if not any(gather.asks_per_event(rows) for rows in asked):
        return []
    return reader.all(gather_sql.POPULATIONS, begins=dt.date.min, until=day)


class _Fetched(gather._Reader):
    """Answers each statement with the rows fetched before."""

    def __init__(self, rows: Fetched) -> None:
        self.rows = rows

    def all(self, statement: str, **more: Any) -> list[gather.Row]:
        """The rows of one system."""
        return self.rows.get(statement, [])


def _judged(system: System, rows: Fetched, day: dt.date) -> Counter[str]:
    """Verdicts of one system's controls, counted."""
    reader = _Fetched(rows)
    requirements = reader.all(gather_sql.REQUIREMENTS)
    asked = gather._grouped(requirements, "implementation_id")
    events = gather.populations(requirements, reader.all(gather_sql.POPULATIONS))
    bases = reader.bases(set())
    aws = gather._AwsSide(reader, vars(system), bases)
    extra = {
        row["implementation_id"]: row["links"]
        for row in reader.all(gather_sql.SUPPLEMENTARY)
    }
    judged = (
        gather._control_facts(
            row, asked[row["id"]], extra.get(row["id"], 0), aws, events
        )
        for row in reader.all(gather_sql.IMPLEMENTATIONS)
    )
    return Counter(status(each, day).verdict for each in judged)
