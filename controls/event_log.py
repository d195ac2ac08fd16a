"""The audit log of one system, narrowed: for its officers, page by page or whole."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from controls.models import AuditEvent, System

PIECE = 2000  # events read at once
# Each verb of a chain once, by its index, however long the chain is.
VERBS = """
WITH RECURSIVE verbs(verb) AS (
  (SELECT verb FROM controls_auditevent WHERE chain = %(chain)s
    ORDER BY verb LIMIT 1)
  UNION ALL
  SELECT (SELECT e.verb FROM controls_auditevent e
           WHERE e.chain = %(chain)s AND e.verb > v.verb ORDER BY e.verb LIMIT 1)
    FROM verbs v WHERE v.verb IS NOT NULL)
SELECT verb FROM verbs WHERE verb IS NOT NULL
"""


@dataclass(frozen=True)
class EventFilter:
    """Which events; what is empty narrows nothing. Days are the system's, inclusive.

    `about` is the uuid of a row, or words of what an event is about.
    """

    verb: str = ""
    person: str = ""
    about: str = ""
    first_day: dt.date | None = None
    last_day: dt.date | None = None

    def as_texts(self) -> dict[str, str]:
        """What narrows, by name, for the event of an export."""
        return {name: str(value) for name, value in asdict(self).items() if value}


def events_of(system: System, chosen: EventFilter) -> QuerySet[AuditEvent]:
    """The events of a system's chain that match, newest first."""
    matching: dict[str, Any] = {"chain": str(system.uuid)}
    if chosen.verb:
        matching["verb"] = chosen.verb
    if chosen.person:
        matching["actor_name__icontains"] = chosen.person
    if row := _uuid(chosen.about):
        matching["subject_uuid"] = row
    elif chosen.about:
        matching["subject_label__icontains"] = chosen.about
    if chosen.first_day:
        day_before = chosen.first_day - dt.timedelta(days=1)
        matching["at__gte"] = system.end_of_day(day_before)
    if chosen.last_day:
        matching["at__lt"] = system.end_of_day(chosen.last_day)
    return AuditEvent.objects.filter(**matching).order_by("-seq")


def verbs_of(system: System) -> list[str]:
    """Each verb that the system's chain holds, in their order. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(VERBS, {"chain": str(system.uuid)})
        return [verb for (verb,) in cursor.fetchall()]


def oldest_first(events: QuerySet[AuditEvent], *, last: int) -> Iterator[AuditEvent]:
    """Events up to the number `last`, oldest first, PIECE of them in memory at once."""
    number = 0
    while piece := list(
        events.filter(seq__gt=number, seq__lte=last).order_by("seq")[:PIECE]
    ):
        yield from piece
        number = piece[-1].seq


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
