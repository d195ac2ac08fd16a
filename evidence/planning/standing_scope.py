"""Kept standings of some systems and teams, as statements read them.

A row that is marked, or whose kept days are over, is judged here: of the rows of the
scope and of no other, so that what others have just changed costs nobody else time.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db import connection

from controls.models import System
from evidence.models import AskStanding
from evidence.planning.standings import standings_of


@dataclass(frozen=True)
class StandingScope:
    """Whose rows are read: those of a system and of one of its teams (None: of all),
    as they stand on the day that `instant` is there."""

    pairs: Sequence[tuple[System, int | None]]
    instant: dt.datetime

    @property
    def systems(self) -> list[System]:
        """Each system once."""
        return list({system.pk: system for system, _ in self.pairs}.values())

    @cached_property
    def parameters(self) -> dict[str, Any]:
        """What STANDINGS takes, with standings made anew where none holds that is kept.

        One statement, and those of `standings_of` where some are made.
        """
        mine: dict[str, Any] = {
            "systems": [system.pk for system, _ in self.pairs],
            "teams": [team for _, team in self.pairs],
            "days": [system.day_of(self.instant) for system, _ in self.pairs],
        }
        with connection.cursor() as cursor:
            cursor.execute(ANEW, mine)
            anew = {key for (key,) in cursor.fetchall()}
        made = standings_of(anew, self.systems, self.instant) if anew else []
        return mine | {"anew": sorted(anew), "made": json.dumps(_columns(made))}


def _columns(standings: Iterable[AskStanding]) -> list[dict[str, Any]]:
    names = [field.attname for field in AskStanding._meta.concrete_fields]
    return [
        {
            name: str(value) if isinstance(value, dt.date) else value
            for name in names
            for value in [getattr(row, name)]
        }
        for row in standings
    ]


_MINE = """
mine AS (SELECT * FROM unnest(%(systems)s::bigint[], %(teams)s::bigint[],
                              %(days)s::date[]) AS mine(system_id, team_id, today))
"""
_OF_MINE = """
k.system_id = mine.system_id AND (mine.team_id IS NULL OR k.team_id = mine.team_id)
"""
# Rows to choose and count by, each with the day that it is in its system: those that
# are kept and hold, and those that the reader made itself. Goes before a SELECT.
# S608: constants of this file
STANDINGS = f"""
WITH {_MINE}, standing AS (
  SELECT k.*, mine.today FROM mine
    JOIN evidence_askstanding k ON {_OF_MINE}
     AND k.holds_from <= mine.today AND k.holds_until > mine.today
   WHERE k.requirement_id <> ALL(%(anew)s::bigint[])
   UNION ALL
  SELECT k.*, mine.today
    FROM jsonb_populate_recordset(NULL::evidence_askstanding, %(made)s::jsonb) k
    JOIN mine ON {_OF_MINE})
"""
# Keys of rows that are judged by their reader: kept ones that are marked or hold on
# other days, and marked ones that are of the scope now, kept or not.
ANEW = f"""
WITH {_MINE}, mark AS (SELECT DISTINCT requirement_id FROM evidence_standingmark)
SELECT k.requirement_id FROM mine JOIN evidence_askstanding k ON {_OF_MINE}
   AND (NOT (k.holds_from <= mine.today AND k.holds_until > mine.today)
        OR k.requirement_id IN (SELECT requirement_id FROM mark))
 UNION
SELECT r.id FROM mark
  JOIN evidence_evidencerequirement r ON r.id = mark.requirement_id
  JOIN controls_controlimplementation i ON i.id = r.implementation_id
  JOIN mine ON mine.system_id = r.system_id
   AND (mine.team_id IS NULL
        OR mine.team_id = coalesce(r.owner_team_id, i.owner_team_id))
"""


# What reminds somebody: a period is overdue, or proof ends or ended.
PRESSING = """
s.operates_from <= s.today AND (s.operates_until IS NULL OR s.operates_until > s.today)
AND (s.open_due < s.today OR (s.soon_from <= s.today AND NOT s.waiting)) IS TRUE
"""
# What may fall due on the days `first` to `last`: the end of proof, or a period. Asks
# with one cadence for ever are chosen where one of all periods there are (`cadences`
# and `ends`) is due then.
MAY_FALL_DUE = """
(s.proven AND s.due BETWEEN %(first)s AND %(last)s)
OR s.has_periods AND s.requirement_id IN (
  SELECT r.id FROM evidence_evidencerequirement r
   WHERE r.system_id = ANY(%(systems)s::bigint[])
     AND ((r.cadence, r.grace_days) IN (
            SELECT rhythm.cadence, rhythm.grace_days
              FROM (SELECT DISTINCT k.cadence, k.grace_days
                      FROM evidence_evidencerequirement k
                     WHERE k.system_id = ANY(%(systems)s::bigint[])) rhythm
              JOIN unnest(%(cadences)s::text[], %(ends)s::date[])
                   AS period(cadence, ends)
                ON period.cadence = rhythm.cadence
               AND period.ends + rhythm.grace_days BETWEEN %(first)s AND %(last)s)
          OR r.ask_id IN (
            SELECT t.ask_id FROM evidence_requirementterms t
             WHERE NOT upper_inf(t.days))))
"""


def keys_where(scope: StandingScope, condition: str, **parameters: Any) -> list[int]:
    """Keys of the rows of a scope whose standing fits one of the conditions above.

    Two statements, and those of `standings_of` where some are made anew.
    """
    if not scope.pairs:
        return []
    chosen = f"{STANDINGS} SELECT s.requirement_id FROM standing s WHERE {condition}"
    with connection.cursor() as cursor:
        cursor.execute(chosen, scope.parameters | parameters)
        return [key for (key,) in cursor.fetchall()]


# Triggers mark what rests on a change, in its transaction; rows made anew are new rows.
STATES = """
SELECT k.system_id, concat_ws('-', count(*), sum(k.xmin::text::bigint))
  FROM evidence_askstanding k
 WHERE k.system_id <> ALL(ARRAY(
   SELECT r.system_id FROM evidence_standingmark m
     JOIN evidence_evidencerequirement r ON r.id = m.requirement_id))
 GROUP BY k.system_id
"""


def states_of_standings() -> dict[int, str]:
    """What is another text for a system, by its key, once any of its kept rows was made
    anew. Without systems of which a row is marked now. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(STATES)
        return dict(cursor.fetchall())
