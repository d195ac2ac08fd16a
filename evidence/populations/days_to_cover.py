"""Which days the next population of what is asked per event is to cover."""

from __future__ import annotations

import datetime as dt

from django.db.models import Max

from evidence.models import Population, RequirementControl
from evidence.status.cadence import last_day, occurrence_of
from evidence.status.day_ranges import DAY, Days


def days_to_cover(requirement: RequirementControl, today: dt.date) -> Days | None:
    """The first days of which no population speaks, to the end of their period.

    Both inclusive, by the cadence of populations as of today; oldest first (R14). None
    while that period lasts. One statement.
    """
    standing = Population.objects.standing().filter(requirement=requirement)
    last = standing.aggregate(last=Max("ends"))["last"]
    first = requirement.operates_from
    if last is not None:
        first = max(first, last + DAY)
    begins = occurrence_of(requirement.population_cadence, first)
    assert begins is not None  # populations have calendar periods
    ends = last_day(requirement.population_cadence, begins)
    return (first, ends) if ends < today else None
