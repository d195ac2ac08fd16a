"""What was brought last for each row that is asked: proof, what waits, a rejection.

Read by the keys of the rows, each by an index: as many index look-ups as there are
rows, however long their history is.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from controls.models import System
from evidence.models import RequirementControl
from evidence.models.proof import NO_END
from evidence.status.rows import among, as_bigints

NEWEST = """
SELECT r.id, p.link_id, e.uuid, p.ends, l.submitted_at, waiting.link_id IS NOT NULL,
       rejected.submitted_at, rejected.reason, brought.begins, brought.ends
  FROM unnest(%(requirements)s::bigint[]) AS r(id)
  LEFT JOIN LATERAL (
    SELECT p.link_id, p.ends FROM evidence_proof p
     WHERE p.requirement_id = r.id AND p.half = 'customer' AND p.state = 'accepted'
       AND p.known_until IS NULL
       AND (p.holds_from <= %(day)s AND p.holds_until > %(day)s) IS TRUE
     ORDER BY p.ends DESC, p.starts DESC, p.link_id DESC LIMIT 1) p ON TRUE
  LEFT JOIN evidence_evidencelink l ON l.id = p.link_id
  LEFT JOIN evidence_evidencerevision v ON v.id = l.revision_id
  LEFT JOIN evidence_evidence e ON e.id = v.evidence_id
  LEFT JOIN LATERAL (
    SELECT w.id AS link_id FROM evidence_evidencelink w
     WHERE w.requirement_id = r.id AND w.state = 'submitted' LIMIT 1) waiting ON TRUE
  LEFT JOIN LATERAL (
    SELECT j.submitted_at, said.reason
      FROM evidence_evidencelink j
      LEFT JOIN LATERAL (
        SELECT reason FROM evidence_review w
         WHERE w.link_id = j.id AND w.decision = 'reject'
         ORDER BY w.id DESC LIMIT 1) said ON TRUE
     WHERE j.requirement_id = r.id AND j.state = 'rejected'
     ORDER BY j.submitted_at DESC LIMIT 1) rejected ON TRUE
  LEFT JOIN LATERAL (
    SELECT array_agg(period.occurrence) AS begins,
           array_agg(period.occurrence_ends) AS ends
      FROM (SELECT DISTINCT b.occurrence, b.occurrence_ends
              FROM evidence_evidencelink b
             WHERE b.requirement_id = r.id AND b.state IN ('accepted', 'submitted')
               AND b.occurrence >= %(since)s) period) brought ON TRUE
"""


@dataclass(frozen=True)
class NewestLinks:
    """What was brought for one row that is asked.

    `proven_to` is the last day of its best accepted proof by the terms in force on the
    day asked about (None: without end, or there is none); `answered` are the first and
    last days of the periods that something was brought for and nobody refused, of
    those that began on `since` or later; without a last day: whichever begins then.
    """

    proven_link: int | None = None
    proven_evidence: UUID | None = None
    proven_to: dt.date | None = None
    proven_submitted: dt.datetime | None = None
    waiting: bool = False
    rejected_at: dt.datetime | None = None
    rejection: str = ""
    answered: frozenset[tuple[dt.date, dt.date | None]] = frozenset()


def newest_links(
    requirements: Iterable[int], day: dt.date, *, since: dt.date
) -> dict[int, NewestLinks]:
    """What was brought for rows by their keys, in one statement."""
    keys = list(requirements)
    if not keys:
        return {}
    with connection.cursor() as cursor:
        days = {"day": day, "since": since}
        cursor.execute(NEWEST, {"requirements": as_bigints(keys), **days})
        return {row[0]: _newest(row) for row in cursor.fetchall()}


def _newest(row: Sequence[Any]) -> NewestLinks:
    _, link, evidence, ends, submitted, waiting, rejected_at, reason, begins, until = (
        row
    )
    return NewestLinks(
        proven_link=link,
        proven_evidence=evidence,
        proven_to=None if ends == NO_END else ends,
        proven_submitted=submitted,
        waiting=waiting,
        rejected_at=rejected_at,
        rejection=reason or "",
        answered=frozenset(zip(begins or (), until or (), strict=True)),
    )


@dataclass
class LightRow:
    """What says where a row that is asked stands; whoever shows one reads the rest.

    It carries what `NewestLinks` names as well, once that is read.
    """

    pk: int
    ask_id: int
    joined_id: int | None
    cadence: str
    grace_days: int
    lead_days: int | None
    operates_from: dt.date
    operates_until: dt.date | None
    implementation_id: int
    system_id: int
    system: System


STANDING = [field.name for field in fields(LightRow) if field.name != "system"]


def light(rows: QuerySet[RequirementControl], systems: Iterable[System]) -> list[Any]:
    """The rows of some systems as `LightRow`.

    Tens of thousands are judged for a page that shows fifty.
    """
    by_key = {system.pk: system for system in systems}
    mine = rows.filter(system__in=by_key).select_related(None)
    light_rows = []
    for columns in mine.values_list(*STANDING):
        with_system: tuple[Any, ...] = (*columns, by_key[columns[-1]])
        light_rows.append(LightRow(*with_system))
    return light_rows


def whole(rows: Sequence[Any]) -> dict[int, RequirementControl]:
    """Rows by their key with all that is shown of them, and what `rows` carry."""
    keys = among(row.pk for row in rows)
    shown = {
        row.pk: row
        for row in RequirementControl.objects.for_listing().filter(pk__in=keys)
    }
    names = [field.name for field in fields(NewestLinks)]
    for row in rows:
        vars(shown[row.pk]).update({name: vars(row)[name] for name in names})
    return shown


YEAR = dt.timedelta(days=366)


def oldest_period(requirements: Sequence[Any], day: dt.date) -> dt.date:
    """Before this day began no period that `open_periods_of` may ask for on `day`.

    A year before the earliest audit window, since a period lasts half a year at most.
    """
    starts = (row.system.window_start for row in requirements)
    return min([*starts, day]) - YEAR
