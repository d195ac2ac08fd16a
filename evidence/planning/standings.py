"""Where rows that are asked stand, in a form that is right for many days (AskStanding).

Lists choose and count by the kept rows; what they show they judge as ever. A row that
is marked, or whose days are over, is judged anew by whoever reads it, and kept anew by
the worker: an answer is right whether or not that has happened yet.

One file: how they are made, read and kept rests on one rule about marks.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db import connection, transaction
from django.db.models import Q
from django.db.models.functions import Coalesce

from controls.models import System
from controls.models.systems import systems_by_day
from evidence.models import AskStanding, RequirementControl, StandingMark
from evidence.models.asks import Cadence
from evidence.planning.asks import due_day, is_rejected, with_newest_links
from evidence.planning.newest_links import light
from evidence.planning.open_periods import (
    asked_since,
    asks_of,
    expected_periods,
    with_several_terms,
)
from evidence.status.cadence import DAY, last_day, lead_days, occurrence_of
from evidence.status.rows import as_bigints

AHEAD = DAY * 400  # a standing holds no longer: the longest period and its grace
BATCH = 500  # rows made anew in one transaction
ONE_AT_A_TIME = 20_261_129  # advisory lock: an older standing may not follow a newer

# Days, after the one asked about, from which other proof of a row counts.
OTHER_PROOF = """
SELECT p.requirement_id, min(edge.day)
  FROM evidence_proof p
 CROSS JOIN LATERAL (VALUES (p.holds_from), (p.holds_until)) AS edge(day)
 WHERE p.requirement_id = ANY(%(requirements)s::bigint[]) AND p.half = 'customer'
   AND p.state = 'accepted' AND p.known_until IS NULL AND edge.day > %(day)s
   AND (p.holds_from > %(day)s OR p.holds_until < '9999-12-31')
 GROUP BY p.requirement_id
"""


def standings_of(
    keys: Iterable[int], systems: Iterable[System], instant: dt.datetime
) -> list[AskStanding]:
    """The standings of rows by their keys, made anew and not saved.

    None for a row of another system, of a half that is not ours, or asked per event.
    Eight statements for each day that `instant` is in the systems.
    """
    keys = list(keys)
    rows = RequirementControl.objects.filter(pk__in=keys).of_our_half()
    rows = rows.exclude(cadence=Cadence.PER_EVENT).order_by("pk")
    return [
        standing
        for today, of_day in systems_by_day(systems, instant).items()
        for standing in _of_day(rows, of_day, today)
    ]


def _of_day(rows: Any, systems: Sequence[System], today: dt.date) -> list[AskStanding]:
    judged = with_newest_links(light(rows, systems), today)
    if not judged:
        return []
    team = Coalesce("owner_team", "implementation__owner_team")
    teams = dict(rows.filter(system__in=systems).values_list("pk", team))
    several = with_several_terms(judged)
    periodic = [
        row
        for row in judged
        if row.ask_id in several or occurrence_of(row.cadence, today)
    ]
    asks = (
        asks_of(
            periodic, min(asked_since(row, today) for row in periodic), today + AHEAD
        )
        if periodic
        else {}
    )
    with_periods = {row.pk for row in periodic}
    other_proof = _other_proof((row.pk for row in judged), today)
    return [
        _standing(
            row,
            today,
            teams.get(row.pk),
            asks.get(row.pk),
            has_periods=row.pk in with_periods,
            other_proof=other_proof.get(row.pk),
        )
        for row in judged
    ]


def _other_proof(keys: Iterable[int], today: dt.date) -> dict[int, dt.date]:
    with connection.cursor() as cursor:
        cursor.execute(OTHER_PROOF, {"requirements": as_bigints(keys), "day": today})
        return dict(cursor.fetchall())


def _standing(
    row: Any,
    today: dt.date,
    team: int | None,
    ask: Any,
    *,
    has_periods: bool,
    other_proof: dt.date | None,
) -> AskStanding:
    """Of one row. It ends on the first day on which something but the day is other."""
    due = due_day(row)
    ends = {today + AHEAD, row.operates_from, row.operates_until, other_proof}
    open_due = None
    if ask is not None:
        if row.system.window_start >= (occurrence_of(row.cadence, today) or today):
            # Until the window began, periods before the running one are not asked for.
            ends.add(_next_period(row, today))
        history, standing_days = ask
        days = [*standing_days, *history.named]
        days += [(terms.first, terms.last) for terms in history.terms]
        ends |= {first for first, _ in days}
        ends |= {last + DAY for _, last in days if last < dt.date.max}
        open_due, older = _oldest_open(row, ask, today)
        ends |= {day + DAY for day in older}
    holds_until = min(day for day in ends if day and day > today)
    if open_due is not None and open_due + DAY >= holds_until:
        open_due = None  # on none of its days is that day over
    lead = dt.timedelta(days=lead_days(row.cadence, row.lead_days))
    return AskStanding(
        requirement_id=row.pk,
        system_id=row.system_id,
        team_id=team,
        ask_key=row.joined_id or -row.pk,
        operates_from=row.operates_from,
        operates_until=row.operates_until,
        waiting=row.waiting,
        rejected=is_rejected(row),
        proven=bool(row.proven_link),
        due=due,
        soon_from=due - lead if due else None,
        open_due=open_due,
        has_periods=has_periods,
        holds_from=today,
        holds_until=holds_until,
    )


def _next_period(row: Any, today: dt.date) -> dt.date:
    running = occurrence_of(row.cadence, today)
    return today + DAY if running is None else last_day(row.cadence, running) + DAY


def _oldest_open(
    row: Any, ask: Any, today: dt.date
) -> tuple[dt.date | None, list[dt.date]]:
    """When the oldest open period that is or will be overdue was due; and of those
    older ones that become overdue after it (their grace was longer) the days."""
    history, standing_days = ask
    since = asked_since(row, today)
    open_periods = [
        period
        for period in expected_periods(history, standing_days, since, today + AHEAD)
        if not row.answered & {(period.begins, period.ends), (period.begins, None)}
    ]
    if not open_periods:
        return None, []
    overdue = [period for period in open_periods if period.due_on < today]
    oldest = (
        overdue[0] if overdue else min(open_periods, key=lambda period: period.due_on)
    )
    older = open_periods[: open_periods.index(oldest)]
    return oldest.due_on, [period.due_on for period in older]


# --- what is read -----------------------------------------------------------------


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

        Two statements, and those of `standings_of` where some are made.
        """
        mine: dict[str, Any] = {
            "systems": [system.pk for system, _ in self.pairs],
            "teams": [team for _, team in self.pairs],
            "days": [system.day_of(self.instant) for system, _ in self.pairs],
        }
        marks = StandingMark.objects.values_list("requirement_id", flat=True)
        anew = set(marks.distinct())
        with connection.cursor() as cursor:
            cursor.execute(PAST, mine)
            anew |= {key for (key,) in cursor.fetchall()}
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
PAST = f"""
WITH {_MINE}
SELECT k.requirement_id FROM mine JOIN evidence_askstanding k ON {_OF_MINE}
   AND NOT (k.holds_from <= mine.today AND k.holds_until > mine.today)
"""


# What reminds somebody: a period is overdue, or proof ends or ended.
PRESSING = """
s.operates_from <= s.today AND (s.operates_until IS NULL OR s.operates_until > s.today)
AND (s.open_due < s.today OR (s.soon_from <= s.today AND NOT s.waiting)) IS TRUE
"""
# What may fall due on the days `first` to `last`: a period, or the end of proof.
MAY_FALL_DUE = """
s.has_periods OR (s.proven AND s.due BETWEEN %(first)s AND %(last)s)
"""


def keys_where(scope: StandingScope, condition: str, **parameters: Any) -> list[int]:
    """Keys of the rows of a scope whose standing fits one of the conditions above.

    Three statements, and those of `standings_of` where some are made anew.
    """
    if not scope.pairs:
        return []
    chosen = f"{STANDINGS} SELECT s.requirement_id FROM standing s WHERE {condition}"
    with connection.cursor() as cursor:
        cursor.execute(chosen, scope.parameters | parameters)
        return [key for (key,) in cursor.fetchall()]


# --- keeping them -----------------------------------------------------------------


def keep_standings(instant: dt.datetime) -> int:
    """Make marked standings anew, and those whose days are over; returns how many.

    In transactions of BATCH rows. Does nothing while another does it.
    """
    number = 0
    while made := _keep_some(instant):
        number += made
    return number


@transaction.atomic
def _keep_some(instant: dt.datetime) -> int:
    """The next BATCH rows.

    Their marks go before anything else is read: what is written from then on marks
    them again, and what was written before is seen.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [ONE_AT_A_TIME])
        if not cursor.fetchone()[0]:
            return 0
        marks = StandingMark.objects.order_by("requirement_id")
        marked = marks.values_list("requirement_id", flat=True).distinct()
        keys = list(marked[:BATCH]) or _past(instant)
        if not keys:
            return 0
        cursor.execute(
            "DELETE FROM evidence_standingmark WHERE requirement_id = ANY(%s)", [keys]
        )
    systems = System.objects.filter(requirements__in=keys).distinct()
    made = standings_of(keys, systems, instant)
    AskStanding.objects.filter(pk__in=keys).delete()
    AskStanding.objects.bulk_create(made)
    return len(keys)


def _past(instant: dt.datetime) -> list[int]:
    """Keys of some kept rows that say nothing about the day that it is."""
    past = Q(pk__in=[])
    for today, systems in systems_by_day(System.objects.all(), instant).items():
        other_days = Q(holds_from__gt=today) | Q(holds_until__lte=today)
        past |= other_days & Q(system__in=systems)
    rows = AskStanding.objects.filter(past).order_by("pk")
    return list(rows.values_list("pk", flat=True)[:BATCH])
