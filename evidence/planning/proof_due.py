"""Proof that falls due in some days, by the rules of My work's open periods (R14).

So the calendar and My work give one answer: the same periods, by the terms of their
last days, on which our half was asked.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection
from django.db.models import Q
from django.db.models.functions import Coalesce
from django.urls import reverse

from controls.models import Actor, System
from controls.models.systems import systems_by_day
from evidence.models import LinkState, RequirementControl
from evidence.planning.asks import with_newest_links
from evidence.planning.due import CalendarScope, Due
from evidence.planning.newest_links import light
from evidence.planning.open_periods import (
    MAX_GRACE,
    DuePeriod,
    asked_since,
    periods_due,
)
from evidence.planning.standing_scope import MAY_FALL_DUE, StandingScope, keys_where
from evidence.status.cadence import DAY, periods
from evidence.status.rows import among, as_bigints, as_dates

NOBODYS = UUID(int=0)
CALENDAR = ("weekly", "monthly", "quarterly", "half-yearly")


def proof_due(scope: CalendarScope, user: Actor, now: dt.datetime) -> Iterator[Due]:
    """Periods and proof of the asks of a scope, each on its due day, as they stand on
    the day that `now` is in their system.

    A constant number of statements for each such day.
    """
    teams: Iterable[int | None] = (None,) if scope.teams is None else scope.teams
    standings = StandingScope(
        [(system, team) for system in scope.systems for team in teams], now
    )
    keys = keys_where(
        standings,
        MAY_FALL_DUE,
        first=scope.first,
        last=scope.last,
        **_all_periods(scope),
    )
    requirements = RequirementControl.objects.filter(
        pk__in=among(keys), operates_from__lte=scope.last
    )
    requirements = requirements.filter(
        Q(operates_until=None) | Q(operates_until__gt=scope.first - DAY * 366)
    ).order_by("pk")
    due_days = [
        (today, *due)
        for today, systems in systems_by_day(scope.systems, now).items()
        for due in _due_days(light(requirements, systems), scope, today)
    ]
    due_keys = {row.pk for _, row, *_ in due_days}
    shown = _named(due_keys)
    mine = RequirementControl.objects.filter(pk__in=among(due_keys)).submittable_by(
        user
    )
    submittable = set(mine.values_list("pk", flat=True))
    paths = Paths()
    for today, row, day, state in due_days:
        yield _of_proof(
            row.system,
            shown[row.pk],
            day,
            *_standing(state, day, today),
            path=paths.of(row.system, shown[row.pk], upload=row.pk in submittable),
        )


def _all_periods(scope: CalendarScope) -> dict[str, Any]:
    """Each period of each cadence that may be due on the days, by its last day."""
    every = [
        (cadence, last)
        for cadence in CALENDAR
        for _, last in periods(cadence, scope.first - MAX_GRACE, scope.last)
    ]
    return {
        "cadences": [cadence for cadence, _ in every],
        "ends": as_dates(last for _, last in every),
    }


class NamedAsk(NamedTuple):
    """What a calendar shows of a row that is asked; `team` is a name, or None."""

    title: str
    uuid: UUID
    ref_id: str
    label: str
    team: str | None


def _named(keys: Iterable[int]) -> dict[int, NamedAsk]:
    """What names each row. One statement: thousands may be due in a month."""
    rows = RequirementControl.objects.filter(pk__in=among(keys)).order_by()
    columns = rows.values_list(
        "pk",
        "title",
        "uuid",
        "implementation__control__ref_id",
        "implementation__control__label",
        Coalesce("owner_team__name", "implementation__owner_team__name"),
    )
    return {pk: NamedAsk(*names) for pk, *names in columns}


def _due_days(
    rows: Sequence[Any], scope: CalendarScope, today: dt.date
) -> Iterator[tuple[Any, dt.date, str | None]]:
    """Each row with a day on which it is due, and the state of what was brought."""
    due_periods = periods_due(rows, scope.first, scope.last, today)
    with_newest_links((row for row in rows if row.cadence not in CALENDAR), today)
    done = _done(due_periods)
    for row in rows:
        for period in due_periods[row.pk]:
            state = done.get((row.pk, period.first, period.last)) or done.get(
                (row.pk, period.first, None)
            )
            if not state and period.last < asked_since(row, today):
                continue  # of an earlier window: nobody asks for it any more
            assert period.due is not None
            yield row, period.due, state
        if row.cadence not in CALENDAR and scope.holds(row.proven_to):
            yield row, row.proven_to, None


# Accepted wins over submitted, where both answer one period.
DONE = """
SELECT l.requirement_id, l.occurrence, l.occurrence_ends,
       bool_or(l.state = 'accepted')
  FROM evidence_evidencelink l
 WHERE l.requirement_id = ANY(%(requirements)s::bigint[])
   AND l.occurrence = ANY(%(occurrences)s::date[])
   AND l.state IN ('accepted', 'submitted')
 GROUP BY l.requirement_id, l.occurrence, l.occurrence_ends
"""
Answer = tuple[int, dt.date, dt.date | None]


def _done(periods: Mapping[int, Sequence[DuePeriod]]) -> dict[Answer, str]:
    """The state of what was brought for periods, by requirement and their days."""
    begins = {period.first for of_row in periods.values() for period in of_row}
    with connection.cursor() as cursor:
        cursor.execute(
            DONE,
            {"requirements": as_bigints(periods), "occurrences": as_dates(begins)},
        )
        return {
            (pk, first, last): LinkState.ACCEPTED if accepted else LinkState.SUBMITTED
            for pk, first, last, accepted in cursor.fetchall()
        }


def _standing(state: str | None, day: dt.date, today: dt.date) -> tuple[str, str]:
    if state == LinkState.ACCEPTED:
        return "proven", "Done"
    if state == LinkState.SUBMITTED:
        return "pending", "Waiting for review"
    return ("missed", "Overdue") if day < today else ("not_yet_due", "Due")


def _of_proof(
    system: System, row: NamedAsk, day: dt.date, state: str, word: str, *, path: str
) -> Due:
    return Due(
        day=day,
        kind="Proof",
        title=row.title,
        system=system,
        path=path,
        state=state,
        word=word,
        team=row.team or "",
        control=row.label,
    )


class Paths:
    """Where a period to prove leads, put together once for each system or control:
    thousands may be due in a month."""

    def __init__(self) -> None:
        self._uploads: dict[str, str] = {}
        self._controls: dict[tuple[str, str], str] = {}

    def of(self, system: System, row: NamedAsk, *, upload: bool) -> str:
        """To the upload for whoever may, to its control for others."""
        slug = system.slug
        if upload:
            if slug not in self._uploads:
                address = reverse("evidence:upload", args=[slug, NOBODYS])
                self._uploads[slug] = address
            # from the right: a slug may look like a uuid
            before, _, after = self._uploads[slug].rpartition(str(NOBODYS))
            return f"{before}{row.uuid}{after}"
        key = (slug, row.ref_id)
        if key not in self._controls:
            self._controls[key] = reverse("evidence:control", args=key)
        return f"{self._controls[key]}#asked-{row.uuid}"
