"""What fell due before it was stated: told once to each team, never as late.

A system described in mid-year, a component that brings duties, an import and a change
in retrospect state what held on earlier days. Nobody could have answered in time.
Source: rules R11 and R31.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.urls import reverse

from controls.grammar import count_of
from controls.models import System, Team
from evidence.models.notices import NoticeKind
from evidence.notices.candidates import NoticeCandidate
from evidence.notices.people import People
from evidence.status.cadence import DAY, due_on, occurrence_of
from evidence.status.rows import as_bigints

# When each row was first known, or its terms were last changed in retrospect.
STATED = """
SELECT r.id, greatest(
         (SELECT min(v.known_from) FROM evidence_evidencerequirement_versions v
           WHERE v.id = r.id),
         (SELECT max(t.known_from) FROM evidence_requirementterms t
           WHERE t.ask_id = r.ask_id AND t.change_id IS NOT NULL))
  FROM evidence_evidencerequirement r
 WHERE r.id = ANY(%s::bigint[])
"""


def statements(keys: Iterable[int]) -> dict[int, dt.datetime]:
    """When it was stated what rows ask, by their keys. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(STATED, [as_bigints(keys)])
        return dict(cursor.fetchall())


def first_due_since(row: Any, stated_on: dt.date) -> dt.date | None:
    """The first due day that was to come when it was stated; None where none is."""
    grace = row.grace_days
    begins = occurrence_of(row.cadence, stated_on - DAY * grace)
    return due_on(row.cadence, begins, grace) if begins else None


@dataclass(frozen=True)
class Digest:
    """What a team is asked for days before the one on which that was stated."""

    system: System
    team: Team | None
    stated_on: dt.date

    def notice(self, people: People, number: int) -> NoticeCandidate:
        """One notice for the team; for the officers where it has nobody."""
        team = self.team.pk if self.team else None
        members = people.team(self.system.pk, team)
        return NoticeCandidate(
            NoticeKind.ASKED_FIRST,
            f"asked-first:{self.system.uuid}:{team}:{self.stated_on}",
            frozenset(members or people.officers(self.system.pk)),
            self.system.pk,
            reverse("evidence:work"),
            {
                "what": f"{count_of(number, 'requirement')} in {self.system.name}",
                "team": str(self.team or "nobody"),
                "day": str(self.stated_on),
            },
        )
