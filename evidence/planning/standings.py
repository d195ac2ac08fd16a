"""Where rows that are asked stand, in a form that is right for many days (AskStanding).

Made here; read by `standing_scope.py`, kept by `standing_upkeep.py`. Lists choose and
count by the kept rows; what they show they judge as ever. A row that is marked, or
whose days are over, is judged anew by whoever reads it, and kept anew by the worker: an
answer is right whether or not that has happened yet.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection
from django.db.models.functions import Coalesce

from controls.models import System
from controls.models.systems import systems_by_day
from evidence.models import AskStanding, RequirementControl
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
from evidence.status.rows import among, as_bigints

AHEAD = DAY * 400  # a standing holds no longer: the longest period and its grace

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
    rows = RequirementControl.objects.filter(pk__in=among(keys)).of_our_half()
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
