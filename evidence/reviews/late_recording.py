"""What was performed in time and brought only after its due day (R14, R16).

Such evidence is on time where its reviewer confirms that the evidence itself shows the
day; else it is late as of the day it was brought. Reviewers are told so before they
decide.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db import connection

from controls.grammar import count_of
from evidence.models import EvidenceLink, Population
from evidence.models.asks import Cadence, RequirementTerms
from evidence.status.cadence import (
    DAY,
    cadence_by_day,
    last_day,
    occurrence_of,
    period_holding,
)
from evidence.status.rows import as_bigints, as_dates


@dataclass(frozen=True)
class LateRecording:
    """Something brought on `recorded_on`, after `due_on`, and performed by then."""

    due_on: dt.date
    recorded_on: dt.date

    @property
    def days(self) -> int:
        """Days from the due day to the day it was brought."""
        return (self.recorded_on - self.due_on).days

    @property
    def question(self) -> str:
        """Why the reviewer is asked, and what follows from either answer."""
        days = count_of(self.days, "day")
        return (
            f"It was due on {self.due_on} and recorded on {self.recorded_on}, {days}"
            f" later. With a yes it counts as on time, marked “recorded {days} after"
            " its due day”. With a no you may still accept it: it then counts as late"
            f" by {days}, as of {self.recorded_on}."
        )


def late_recordings(links: Iterable[EvidenceLink]) -> dict[int, LateRecording]:
    """Of links that are for a requirement, those recorded late, by their key.

    The links come with revision, requirement and system. Two statements at most.
    """
    links = list(links)
    return recorded_late(links, due_days(links))


def recorded_late(
    links: Iterable[EvidenceLink], due: Mapping[int, dt.date]
) -> dict[int, LateRecording]:
    """The same of links whose due days are known. Asks the database nothing."""
    recordings = {}
    for link in links:
        day = due.get(link.pk)
        recorded = link.system.day_of(link.revision.uploaded_at)
        if day is not None and link.revision.performed_on <= day < recorded:
            recordings[link.pk] = LateRecording(day, recorded)
    return recordings


def due_days(links: Iterable[EvidenceLink]) -> dict[int, dt.date]:
    """The last day on which each link's performance is on time, by the link's key.

    A calendar period's due day; of yearly ones the last day that the accepted
    performance before it proves. Others have none: supplementary ones, sampled events,
    what is performed once. The links come with requirement. Two statements at most.
    """
    requirement_links = [
        link for link in links if link.requirement and not link.sample_item_id
    ]
    days = _carried_to([link for link in requirement_links if _is_yearly(link)])
    return days | _due_days([link for link in requirement_links if link.occurrence])


def _is_yearly(link: EvidenceLink) -> bool:
    return link.requirement is not None and link.requirement.cadence == Cadence.YEARLY


def _due_days(links: Sequence[EvidenceLink]) -> dict[int, dt.date]:
    """The due day of the calendar period that each link performs, by its key.

    By the terms in force on the period's last day, where it is a period of theirs.
    """
    if not links:
        return {}
    asks = {link.requirement.ask_id for link in links if link.requirement}
    by_ask: defaultdict[int, list[RequirementTerms]] = defaultdict(list)
    for terms in RequirementTerms.objects.filter(ask__in=asks):
        by_ask[terms.ask_id].append(terms)
    due_days = {}
    for link in links:
        assert link.requirement and link.occurrence
        for terms in by_ask[link.requirement.ask_id]:
            if occurrence_of(terms.cadence, link.occurrence) != link.occurrence:
                continue
            ends = last_day(terms.cadence, link.occurrence)
            if ends in terms.days and link.occurrence_ends in {None, ends}:
                due_days[link.pk] = ends + DAY * terms.grace_days
    return due_days


# Of each link the latest end of what was performed before it: by the index on an ask's
# accepted links, of which there may be a thousand.
CARRIED = """
SELECT mine.link_id, earlier.proves_to
  FROM unnest(%(links)s::bigint[], %(asks)s::bigint[], %(starts)s::date[])
       AS mine(link_id, requirement_id, starts)
 CROSS JOIN LATERAL (
    SELECT l.proves_to FROM evidence_evidencelink l
     WHERE l.requirement_id = mine.requirement_id AND l.state = 'accepted'
       AND l.proves_from < mine.starts AND l.proves_to IS NOT NULL
     ORDER BY l.proves_to DESC LIMIT 1) earlier
"""


def _carried_to(links: Sequence[EvidenceLink]) -> dict[int, dt.date]:
    """The last day that the accepted performance before each yearly one proves."""
    if not links:
        return {}
    asks = [link.requirement_id for link in links if link.requirement_id]
    with connection.cursor() as cursor:
        cursor.execute(
            CARRIED,
            {
                "links": as_bigints(link.pk for link in links),
                "asks": as_bigints(asks),
                "starts": as_dates(link.proves_from for link in links),
            },
        )
        return dict(cursor.fetchall())


def late_recording_of(population: Population) -> LateRecording | None:
    """How late a population was drawn: after the due day of the first period it
    speaks of. None where it was drawn in time.
    """
    in_order = list(population.requirement.ask.terms.order_by("days"))
    how_often = cadence_by_day(
        (terms.first_day, terms.population_cadence) for terms in in_order
    )
    period = period_holding(population.starts, how_often)
    assert period is not None  # populations have calendar periods
    grace = population.requirement.grace_days
    for terms in in_order:
        begun = terms.first_day is None or terms.first_day <= period[1]
        if begun and terms.cadence == Cadence.PER_EVENT:
            grace = terms.grace_days
    due = period[1] + DAY * grace
    drawn = population.system.day_of(population.drawn_at)
    if drawn <= due:
        return None
    return LateRecording(due, drawn)
