"""Kept standings are worth what they repeat: judged anew and compared."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from controls.models import System
from evidence.models import AskStanding, RequirementControl, StandingMark
from evidence.planning.standing_upkeep import keep_standings
from evidence.planning.standings import standings_of
from evidence.status.cadence import DAY

COMPARED = [
    field.attname
    for field in AskStanding._meta.concrete_fields
    if field.attname not in {"holds_from", "holds_until", "open_due"}
]
MARK = """
INSERT INTO evidence_standingmark (requirement_id, written_by)
SELECT key, pg_current_xact_id()::text::bigint FROM unnest(%s::bigint[]) AS key
"""


@dataclass(frozen=True)
class StandingDifference:
    """One row whose kept standing is not what it is judged to be.

    `kept` and `judged` are values by name, of those that differ; empty where there is
    no standing, and should be one, or the other way round.
    """

    requirement: int
    control: str
    title: str
    kept: dict[str, Any]
    judged: dict[str, Any]

    def __str__(self) -> str:
        if not self.kept:
            return "missing"
        if not self.judged:
            return "kept: nothing is asked of us"
        return ", ".join(
            f"{name}: kept {self.kept[name]}, should be {self.judged[name]}"
            for name in sorted(self.kept)
        )


def standing_differences(
    system: System, instant: dt.datetime
) -> list[StandingDifference]:
    """Rows of a system whose kept standing is read on the day of `instant`, and wrong.

    Marked ones are read by nobody. A constant number of statements.
    """
    today = system.day_of(instant)
    of_system = AskStanding.objects.filter(system=system)
    kept = of_system.in_bulk()
    keys = set(system.requirements.values_list("pk", flat=True)) | kept.keys()
    judged = {row.pk: row for row in standings_of(keys, [system], instant)}
    # read last: what was written meanwhile is marked
    marked = set(StandingMark.objects.values_list("requirement_id", flat=True))
    past = {key for key, row in kept.items() if not row.holds_on(today)}
    rows = RequirementControl.objects.for_listing().in_bulk(keys)
    return [
        StandingDifference(
            key, rows[key].implementation.control.label, rows[key].title, *values
        )
        for key in sorted((keys & rows.keys()) - marked - past)
        for values in _differing(kept.get(key), judged.get(key))
    ]


def _differing(
    kept: AskStanding | None, judged: AskStanding | None
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """The values that differ, if any do."""
    if kept is None and judged is None:
        return
    if kept is None or judged is None:
        yield tuple(_values(row, dt.date.max) if row else {} for row in (kept, judged))  # type: ignore[misc]
        return
    until = min(kept.holds_until, judged.holds_until)
    was, should = _values(kept, until), _values(judged, until)
    if kept.holds_until > judged.holds_until:
        was["holds_until"], should["holds_until"] = kept.holds_until, judged.holds_until
    names = [name for name in was if was[name] != should[name]]
    if names:
        yield {n: was[n] for n in names}, {n: should[n] for n in names}


def _values(row: AskStanding, until: dt.date) -> dict[str, Any]:
    """What it says on days before `until`: of a period that is due later, nothing."""
    values = {name: getattr(row, name) for name in COMPARED}
    due = row.open_due
    over = due is not None and due < dt.date.max and due + DAY < until
    return values | {"open_due": due if over else None}


def rebuild_standings(system: System, instant: dt.datetime) -> None:
    """Make all standings of a system anew."""
    with transaction.atomic(), connection.cursor() as cursor:
        keys = set(system.requirements.values_list("pk", flat=True))
        kept = AskStanding.objects.filter(system=system)
        keys |= set(kept.values_list("pk", flat=True))
        cursor.execute(MARK, [sorted(keys)])
    keep_standings(instant)
