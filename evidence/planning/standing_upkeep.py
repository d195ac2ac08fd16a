"""Kept standings made anew: what is marked, and what the day has overtaken."""

from __future__ import annotations

import datetime as dt

from django.db import connection, transaction
from django.db.models import Q

from controls.models import System
from controls.models.systems import systems_by_day
from evidence.models import AskStanding, StandingMark
from evidence.planning.standings import standings_of

BATCH = 500  # rows made anew in one transaction
ONE_AT_A_TIME = 20_261_129  # advisory lock: an older standing may not follow a newer


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
